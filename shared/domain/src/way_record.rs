//! What is known of a way to a destination.

use std::collections::BTreeMap;

use super::{Mark, UnixTime};

/// What is known of a way to a destination. Each time in it is the latest that was
/// reported, so that reports may come twice and in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WayRecord {
    /// When each mark was put on the way.
    pub marked_at: BTreeMap<Mark, UnixTime>,
    /// When the last message that arrived was sent.
    pub reached_at: Option<UnixTime>,
    /// When the last code that came back was issued.
    pub returned_at: Option<UnixTime>,
}

impl WayRecord {
    /// The mark that counts now. A message that arrived, and a code that came back, lift
    /// the marks that were put on the way before they were sent.
    #[must_use]
    pub fn mark(&self, now: UnixTime) -> Option<Mark> {
        let lifted_at = self.reached_at.max(self.returned_at);
        let counts = |mark: Mark, at: UnixTime| {
            let is_over = mark.lasts().is_some_and(|life| at.plus(life) <= now);
            !is_over && lifted_at.is_none_or(|lifted_at| lifted_at <= at)
        };
        let mut marks = self.marked_at.iter().rev();
        let found = marks.find(|(mark, at)| counts(**mark, **at));
        found.map(|(mark, _)| *mark)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const AT: UnixTime = UnixTime::from_secs(1_767_226_200);
    const DAY: Duration = Duration::from_hours(24);

    fn marked(marks: &[Mark]) -> WayRecord {
        WayRecord {
            marked_at: marks.iter().map(|mark| (*mark, AT)).collect(),
            ..WayRecord::default()
        }
    }

    #[test]
    fn a_bounce_counts_for_thirty_days_a_dead_number_for_seven_and_the_rest_until_lifted() {
        let moment = Duration::from_millis(1);
        for (mark, days) in [(Mark::Bounced, 30), (Mark::Unreachable, 7)] {
            let end = AT.plus(DAY * days);
            assert_eq!(marked(&[mark]).mark(end.minus(moment)), Some(mark));
            assert_eq!(marked(&[mark]).mark(end), None, "{mark:?}");
        }
        for mark in [Mark::OptedOut, Mark::Suppressed, Mark::Complained] {
            assert_eq!(marked(&[mark]).mark(AT.plus(DAY * 10_000)), Some(mark));
        }
        assert_eq!(WayRecord::default().mark(AT), None);
    }

    #[test]
    fn what_was_sent_after_a_mark_and_arrived_or_came_back_lifts_it() {
        let complained = marked(&[Mark::Complained]);
        let after = AT.plus(Duration::from_millis(1));
        for (lifted_at, expected) in [(AT, Some(Mark::Complained)), (after, None)] {
            let reached = WayRecord {
                reached_at: Some(lifted_at),
                ..complained.clone()
            };
            let returned = WayRecord {
                returned_at: Some(lifted_at),
                ..complained.clone()
            };
            assert_eq!(reached.mark(after), expected);
            assert_eq!(returned.mark(after), expected);
        }
    }

    #[test]
    fn of_several_marks_the_gravest_that_counts_is_told() {
        let both = marked(&[Mark::Bounced, Mark::Complained]);
        assert_eq!(both.mark(AT), Some(Mark::Complained));
        let late = WayRecord {
            reached_at: Some(AT.plus(DAY / 2)),
            ..both
        };
        let again = AT.plus(DAY);
        let mut bounced = late.clone();
        bounced.marked_at.insert(Mark::Bounced, again);
        assert_eq!(
            (late.mark(again), bounced.mark(again)),
            (None, Some(Mark::Bounced))
        );
    }
}
