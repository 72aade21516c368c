//! The calls of a function, and how often it waits for them.

use std::time::Duration;

use crate::{
    Outcome,
    services::Call,
    story::Story,
    subject::{Calls, Subject},
};

/// The delay of every call while round trips are counted: longer than anything
/// between two calls.
const DELAY: Duration = Duration::from_millis(40);

/// What a function asks of the services.
pub struct Record {
    /// All calls.
    pub calls: Calls,
    /// The round trips of a warm call.
    pub trips: usize,
}

impl Record {
    /// Starts `subject` and calls it twice.
    ///
    /// # Errors
    ///
    /// The subject fails.
    pub async fn of(subject: &Subject, story: &Story) -> Outcome<Self> {
        let services = &story.services;
        services.restart(Duration::ZERO);
        let mut running = subject.start(story).await?;
        running.call().await?;
        let first = services.calls();
        services.restart(DELAY);
        running.call().await?;
        let later = services.calls();
        services.restart(Duration::ZERO);
        running.function.end().await?;
        Ok(Self {
            trips: trips(&later),
            calls: Calls {
                first: names(&first),
                later: names(&later),
            },
        })
    }
}

/// In alphabetical order, because concurrent calls arrive in any order.
fn names(calls: &[Call]) -> String {
    let names = calls.iter().map(|call| format!("{} ", call.operation));
    let mut names: Vec<_> = names.collect();
    names.sort();
    names.concat()
}

/// The round trips of calls, in the order in which they began. Calls that wait beside each
/// other are one: each began before any of the others had ended.
fn trips(calls: &[Call]) -> usize {
    let mut trips = 0;
    let mut first_end = Duration::ZERO;
    for call in calls {
        if trips == 0 || call.began >= first_end {
            trips += 1;
            first_end = call.ended;
        }
        first_end = first_end.min(call.ended);
    }
    trips
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trips_of<const N: usize>(calls: [(u64, u64); N]) -> usize {
        trips(&calls.map(|(began, ended)| Call {
            operation: String::new(),
            began: Duration::from_millis(began),
            ended: Duration::from_millis(ended),
        }))
    }

    #[test]
    fn calls_beside_each_other_are_one_trip() {
        assert_eq!(trips_of([(0, 25), (2, 27)]), 1);
    }

    #[test]
    fn a_call_that_waits_for_another_is_a_trip_of_its_own() {
        assert_eq!(trips_of([(0, 25), (2, 27), (28, 53), (54, 79)]), 3);
    }

    #[test]
    fn a_call_that_waits_for_the_faster_of_two_is_a_trip_too() {
        assert_eq!(trips_of([(0, 90), (2, 27), (30, 55)]), 2);
    }

    #[test]
    fn no_call_is_no_trip() {
        assert_eq!(trips_of([]), 0);
    }
}
