//! Whether a destination is proven: codes come back from it.

use std::time::Duration;

use super::UnixTime;

/// How long a destination is proven after its last right code.
const PROVEN: Duration = Duration::from_hours(90 * 24);

/// How many codes in a row may fail to come back from a proven destination.
const UNRETURNED: i64 = 2;

/// What is known of the codes of a destination, as one client sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The last right code.
    pub proven_at: Option<UnixTime>,
    /// The codes of any client since then.
    pub unreturned: i64,
    /// The codes of this client since it returned one; `None` if it never did.
    pub own_unreturned: Option<i64>,
}

impl Proof {
    /// Whether the destination is proven for this client.
    #[must_use]
    pub fn holds(&self, now: UnixTime) -> bool {
        let is_fresh = self.proven_at.is_some_and(|at| at.until(now) < PROVEN);
        is_fresh && self.own_unreturned.unwrap_or(self.unreturned) < UNRETURNED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_767_226_200);

    #[test]
    fn a_right_code_proves_a_destination_for_ninety_days() {
        let holds = |proven_at| {
            let proof = Proof {
                proven_at,
                ..Proof::default()
            };
            proof.holds(NOW)
        };
        assert!(!holds(None));
        assert!(holds(Some(NOW)));
        let almost = PROVEN.saturating_sub(Duration::from_millis(1));
        assert!(holds(Some(NOW.minus(almost))));
        assert!(!holds(Some(NOW.minus(PROVEN))));
    }

    #[test]
    fn two_codes_that_did_not_come_back_end_the_proof_for_who_asked() {
        let holds = |unreturned, own_unreturned| {
            let proof = Proof {
                proven_at: Some(NOW),
                unreturned,
                own_unreturned,
            };
            proof.holds(NOW)
        };
        assert!(holds(1, None) && !holds(2, None));
        assert!(holds(9, Some(0)) && holds(9, Some(1)));
        assert!(!holds(2, Some(2)));
    }
}
