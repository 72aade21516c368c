//! The calls of a function, and its round trips.

use std::time::Duration;

use crate::{
    Outcome,
    services::Call,
    story::Story,
    subject::{Calls, Subject},
    trips::Trips,
};

/// The delay of every call while round trips are counted: longer than anything
/// between two calls.
const DELAY: Duration = Duration::from_millis(40);

/// The calls and round trips of a function.
#[derive(Clone, Debug)]
pub struct Record {
    /// The round trips of a start.
    pub init: Trips,
    /// The round trips of a warm call.
    pub warm: Trips,
    /// All calls.
    pub calls: Calls,
}

impl Record {
    /// Starts `subject` and calls it twice.
    ///
    /// # Errors
    ///
    /// The subject fails.
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

/// In alphabetical order, because concurrent calls arrive in any order.
fn names(calls: &[Call]) -> String {
    let mut names: Vec<_> = calls
        .iter()
        .map(|call| format!("{} ", call.operation))
        .collect();
    names.sort();
    names.concat()
}
