//! What an instance remembers of logins.

use std::collections::HashMap;

use super::{Challenge, Destination, UnixTime};

/// The most destinations that are remembered.
const MOST: usize = 1000;

/// The last login of destinations that logged in lately. A login uses its own code
/// and voids every earlier one, so an instance that knows of it refuses them without
/// a signature.
#[derive(Debug, Default)]
pub struct RecentLogins(HashMap<Destination, UnixTime>);

impl RecentLogins {
    /// Remembers that `destination` logged in at this instant, as long as a code
    /// that this voids can live.
    pub fn remember(&mut self, destination: &Destination, at: UnixTime, now: UnixTime) {
        if let Some(known) = self.0.get_mut(destination) {
            *known = at.max(*known);
            return;
        }
        if self.0.len() >= MOST {
            self.0
                .retain(|_, at| now < at.plus(Challenge::LONGEST_LIFE));
        }
        if self.0.len() >= MOST {
            let oldest = self.0.iter().min_by_key(|(_, at)| **at);
            if let Some(oldest) = oldest.map(|(destination, _)| destination.clone()) {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(destination.clone(), at);
    }

    /// Whether a login is known that has used or voided the codes that were issued at
    /// `time`.
    #[must_use]
    pub fn has_logged_in_since(&self, destination: &Destination, time: UnixTime) -> bool {
        self.0.get(destination).is_some_and(|at| *at >= time)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::PhoneNumber;

    const NOW: UnixTime = UnixTime::from_secs(1_767_226_200);

    fn phone(n: u32) -> Destination {
        Destination::Phone(PhoneNumber::parse(&format!("+1415{n:07}")).unwrap())
    }

    #[test]
    fn a_login_voids_the_codes_before_it_and_no_later_one() {
        let mut known = RecentLogins::default();
        known.remember(&phone(1), NOW, NOW);
        // An answer that comes late does not undo a later login.
        known.remember(&phone(1), NOW.minus(Duration::from_secs(9)), NOW);
        let moment = Duration::from_millis(1);
        assert!(known.has_logged_in_since(&phone(1), NOW));
        assert!(known.has_logged_in_since(&phone(1), NOW.minus(moment)));
        assert!(!known.has_logged_in_since(&phone(1), NOW.plus(moment)));
        assert!(!known.has_logged_in_since(&phone(2), NOW));
    }

    #[test]
    fn the_memory_is_bounded_and_the_newest_stay() {
        let mut known = RecentLogins::default();
        for n in 0..1500 {
            let at = NOW.plus(Duration::from_millis(u64::from(n)));
            known.remember(&phone(n), at, at);
        }
        assert_eq!(known.0.len(), MOST);
        assert!(!known.has_logged_in_since(&phone(499), NOW));
        assert!(known.has_logged_in_since(&phone(500), NOW));
        let later = NOW.plus(Challenge::LONGEST_LIFE + Duration::from_secs(2));
        known.remember(&phone(2000), later, later);
        assert_eq!(known.0.len(), 1);
    }
}
