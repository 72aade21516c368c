//! Whom a function calls, and how often it waits for them.

use std::time::Duration;

use crate::{
    Outcome,
    services::Call,
    story::Story,
    subject::{Calls, Subject},
    trips::Trips,
};

/// How long each service takes while trips are told apart: longer than anything
/// that happens between two calls.
const DELAY: Duration = Duration::from_millis(40);

/// What a function asks of others.
#[derive(Clone, Debug)]
pub struct Record {
    /// Round trips of its start.
    pub init: Trips,
    /// Round trips of a warm call.
    pub warm: Trips,
    /// All its calls.
    pub calls: Calls,
}

impl Record {
    /// Starts `subject` and asks it twice.
    ///
    /// # Errors
    ///
    /// It fails.
    pub async fn of(subject: &Subject, story: &Story) -> Outcome<Self> {
        let services = &story.services;
        services.restart(DELAY);
        let mut function = subject.start(story).await?;
        let init = services.calls();
        services.restart(Duration::ZERO);
        subject.call(&mut function, story, 0).await?;
        services.restart(DELAY);
        subject.call(&mut function, story, 1).await?;
        let warm = services.calls();
        services.restart(Duration::ZERO);
        function.end().await?;
        Ok(Self {
            calls: Calls {
                first: names(&init) + &names(&warm),
                later: names(&warm),
            },
            init: Trips::of(&init),
            warm: Trips::of(&warm),
        })
    }
}

/// In alphabetical order, as those beside each other come in any.
fn names(calls: &[Call]) -> String {
    let mut names: Vec<_> = calls
        .iter()
        .map(|call| format!("{} ", call.operation))
        .collect();
    names.sort();
    names.concat()
}
