//! The guesses at a destination, across its challenges.

use std::time::Duration;

use super::UnixTime;

/// How long a wrong guess counts, from the last one on.
const MEMORY: Duration = Duration::from_hours(400 * 24);

/// How long a challenge counts as open after its end: two clocks may be a minute apart.
const SETTLING: Duration = Duration::from_mins(1);

/// The guesses at the challenges of a destination, or at those of a known device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guesses {
    /// The wrong guesses, and all attempts that were open when they were last counted.
    pub counted: i64,
    /// The attempts of challenges that have not been settled.
    pub open: Vec<OpenGuesses>,
    /// The last wrong guess.
    pub guessed_at: Option<UnixTime>,
}

/// The attempts of one challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenGuesses {
    /// The challenge's id.
    pub challenge: String,
    /// The attempts that are left.
    pub left: i64,
    /// When the challenge ends.
    pub ends_at: UnixTime,
}

impl OpenGuesses {
    /// Whether nobody can guess at the challenge any more.
    #[must_use]
    pub fn is_over(&self, now: UnixTime) -> bool {
        self.ends_at.plus(SETTLING) <= now
    }
}

impl Guesses {
    /// How long the table keeps the guesses.
    pub const MEMORY: Duration = MEMORY;

    /// Whether the wrong guesses no longer count.
    #[must_use]
    pub fn are_forgotten(&self, now: UnixTime) -> bool {
        self.guessed_at.is_some_and(|at| at.until(now) >= MEMORY)
    }

    /// The wrong guesses and the attempts that are open now.
    #[must_use]
    pub fn at_risk(&self, now: UnixTime) -> u32 {
        let left = |open: &OpenGuesses| open.left.max(0);
        let wrong = if self.are_forgotten(now) {
            0
        } else {
            let all: i64 = self.open.iter().map(left).sum();
            (self.counted - all).max(0)
        };
        let open = self.open.iter().filter(|open| !open.is_over(now));
        let open: i64 = open.map(left).sum();
        u32::try_from(wrong + open).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_767_226_200);

    fn guesses(counted: i64, open: &[(i64, u64)], guessed_before: Duration) -> Guesses {
        let open = open.iter().map(|(left, seconds)| OpenGuesses {
            challenge: String::new(),
            left: *left,
            ends_at: UnixTime::from_secs(NOW.as_secs() - 100 + seconds),
        });
        Guesses {
            counted,
            open: open.collect(),
            guessed_at: Some(NOW.minus(guessed_before)),
        }
    }

    #[test]
    fn attempts_that_nobody_can_make_any_more_do_not_count() {
        let minute = Duration::from_mins(1);
        assert_eq!(Guesses::default().at_risk(NOW), 0);
        assert_eq!(guesses(9, &[], minute).at_risk(NOW), 9);
        assert_eq!(guesses(9, &[(3, 200), (1, 41)], minute).at_risk(NOW), 9);
        assert_eq!(guesses(9, &[(3, 200), (1, 40)], minute).at_risk(NOW), 8);
        assert_eq!(guesses(2, &[(3, 200)], minute).at_risk(NOW), 3);
    }

    #[test]
    fn wrong_guesses_count_for_four_hundred_days_after_the_last() {
        let moment = Duration::from_millis(1);
        let open = &[(3, 200)];
        assert_eq!(
            guesses(9, open, MEMORY.saturating_sub(moment)).at_risk(NOW),
            9
        );
        assert_eq!(guesses(9, open, MEMORY).at_risk(NOW), 3);
    }
}
