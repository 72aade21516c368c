//! Round trips: how often a request waits for services. Concurrent calls are one
//! round trip.

use std::time::Duration;

use crate::services::Call;

/// The number of round trips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trips {
    /// Round trips with a call of the table.
    pub table: usize,
    /// Round trips with calls of a provider or KMS only.
    pub other: usize,
}

impl Trips {
    /// The round trips of `calls`, which must be in the order in which they began.
    #[must_use]
    pub fn of(calls: &[Call]) -> Self {
        let mut trips = Self::default();
        for trip in groups(calls) {
            if trip.iter().any(|call| call.service == "DynamoDB") {
                trips.table += 1;
            } else {
                trips.other += 1;
            }
        }
        trips
    }
}

/// Groups of concurrent calls: each began before any of its group had ended.
fn groups(calls: &[Call]) -> Vec<&[Call]> {
    let mut groups = Vec::new();
    let mut rest = calls;
    while !rest.is_empty() {
        let mut first_end = Duration::MAX;
        let beside = rest.iter().take_while(|call| {
            let beside = call.began < first_end;
            first_end = first_end.min(call.ended);
            beside
        });
        let (group, later) = rest.split_at(beside.count());
        groups.push(group);
        rest = later;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(service: &'static str, began: u64, ended: u64) -> Call {
        Call {
            service,
            operation: String::new(),
            write_units: 0.0,
            began: Duration::from_millis(began),
            ended: Duration::from_millis(ended),
        }
    }

    #[test]
    fn calls_beside_each_other_are_one_trip() {
        let beside = [call("DynamoDB", 0, 25), call("DynamoDB", 2, 27)];
        assert_eq!(Trips::of(&beside), Trips { table: 1, other: 0 });
    }

    #[test]
    fn a_call_that_waits_for_another_is_a_trip_of_its_own() {
        let chain = [
            call("DynamoDB", 0, 25),
            call("DynamoDB", 2, 27),
            call("KMS", 28, 53),
            call("DynamoDB", 54, 79),
        ];
        assert_eq!(Trips::of(&chain), Trips { table: 2, other: 1 });
    }

    #[test]
    fn a_call_that_waits_for_the_faster_of_two_is_a_trip_too() {
        let calls = [
            call("DynamoDB", 0, 90),
            call("DynamoDB", 2, 27),
            call("KMS", 30, 55),
        ];
        assert_eq!(Trips::of(&calls), Trips { table: 1, other: 1 });
    }

    #[test]
    fn no_call_is_no_trip() {
        assert_eq!(Trips::of(&[]), Trips::default());
    }
}
