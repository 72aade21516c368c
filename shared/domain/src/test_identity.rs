//! Destinations with a fixed code, for app reviewers and end-to-end tests that
//! cannot read an inbox.

use std::{fmt, time::Duration};

use super::{Destination, Passcode, UnixTime};

/// How far ahead the end of the test identities may be.
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// Destinations whose codes are fixed until a date, and which get no messages.
/// Limits, attempts, single use and tokens are the same as for all others.
#[derive(Clone, Default)]
pub struct TestIdentities {
    codes: Vec<(Destination, Passcode)>,
    until: Option<UnixTime>,
}

impl TestIdentities {
    /// Reads a list such as `reviewer@example.com=123456,+15005550006=654321`,
    /// with codes of `length` digits, which is valid until `until`.
    ///
    /// After that date, the list is as good as empty: a setting that nobody has
    /// removed yet must not stop the service.
    ///
    /// `None` if an entry is malformed or repeated, or if the date is missing or
    /// more than 30 days ahead.
    #[must_use]
    pub fn parse(text: &str, length: u8, until: Option<UnixTime>, now: UnixTime) -> Option<Self> {
        let until = until.filter(|until| *until <= now.plus(LONGEST))?;
        let mut codes: Vec<(Destination, Passcode)> = Vec::new();
        for entry in text.split(',').map(str::trim) {
            let (to, code) = entry.rsplit_once('=')?;
            let to: Destination = to.parse().ok()?;
            if codes.iter().any(|(known, _)| *known == to) {
                return None;
            }
            codes.push((to, Passcode::parse(code, length).ok()?));
        }
        Some(Self {
            codes,
            until: Some(until),
        })
    }

    /// The fixed code of this destination, if it has one now.
    #[must_use]
    pub fn code_for(&self, to: &Destination, now: UnixTime) -> Option<Passcode> {
        let in_force = self.until.is_some_and(|until| now < until);
        let mut entries = self.codes.iter().filter(|_| in_force);
        entries
            .find(|(known, _)| known == to)
            .map(|(_, code)| code.clone())
    }

    /// When the fixed codes end, if this destination's code of that time was one.
    #[must_use]
    pub fn end_for(&self, to: &Destination, issued_at: UnixTime) -> Option<UnixTime> {
        let listed = self.codes.iter().any(|(known, _)| known == to);
        self.until.filter(|until| listed && issued_at < *until)
    }

    /// Whether there is a list, and its date has passed.
    #[must_use]
    pub fn have_ended(&self, now: UnixTime) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl fmt::Debug for TestIdentities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestIdentities({})", self.codes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixTime = UnixTime::from_secs(1_000_000);

    fn days(days: u64) -> UnixTime {
        NOW.plus(Duration::from_hours(24 * days))
    }

    #[test]
    fn a_fixed_code_is_in_force_until_its_date() {
        let list = "reviewer@example.com=123456, +15005550006=000000";
        let identities = TestIdentities::parse(list, 6, Some(days(30)), NOW).unwrap();
        let to = "Reviewer@Example.com".parse().unwrap();
        let code = |at| {
            identities
                .code_for(&to, at)
                .map(|code| code.expose_secret().to_owned())
        };
        assert_eq!(code(NOW).as_deref(), Some("123456"));
        assert_eq!(code(days(30)), None);
        assert!(
            identities
                .code_for(&"+15005550007".parse().unwrap(), NOW)
                .is_none()
        );
        assert!(TestIdentities::default().code_for(&to, NOW).is_none());
    }

    #[test]
    fn without_a_date_within_thirty_days_there_is_none() {
        let list = "reviewer@example.com=123456";
        for until in [None, Some(days(31))] {
            assert!(TestIdentities::parse(list, 6, until, NOW).is_none());
        }
    }

    #[test]
    fn after_the_date_the_list_is_as_good_as_empty() {
        let list = "reviewer@example.com=123456";
        let to = "reviewer@example.com".parse().unwrap();
        for until in [UnixTime::from_secs(0), NOW] {
            let identities = TestIdentities::parse(list, 6, Some(until), NOW).unwrap();
            assert!(identities.code_for(&to, NOW).is_none());
            assert_eq!(identities.end_for(&to, NOW), None);
            assert!(identities.have_ended(NOW));
        }
        let identities = TestIdentities::parse(list, 6, Some(days(1)), NOW).unwrap();
        assert!(!identities.have_ended(NOW) && identities.have_ended(days(1)));
        assert!(!TestIdentities::default().have_ended(NOW));
    }

    #[test]
    fn a_fixed_code_that_is_used_after_the_date_still_ends_with_it() {
        let list = "reviewer@example.com=123456";
        let identities = TestIdentities::parse(list, 6, Some(days(1)), NOW).unwrap();
        let to = "reviewer@example.com".parse().unwrap();
        assert_eq!(identities.end_for(&to, NOW), Some(days(1)));
        assert_eq!(identities.end_for(&to, days(1)), None);
        let other = "alice@example.com".parse().unwrap();
        assert_eq!(identities.end_for(&other, NOW), None);
    }

    #[test]
    fn a_malformed_list_is_refused() {
        for list in [
            "",
            "reviewer@example.com",
            "reviewer@example.com=12345",
            "reviewer@example.com=1234567",
            "reviewer=123456",
            "+1=123456",
            "a@example.com=123456,A@example.com=654321",
            "a@example.com=123456,",
        ] {
            assert!(
                TestIdentities::parse(list, 6, Some(days(1)), NOW).is_none(),
                "accepted {list:?}"
            );
        }
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn each_entry_of_a_list_that_is_accepted_has_its_code(
            list in fuzz::text(&[
                "reviewer@example.com=123456,+15005550006=654321",
                "a=b@example.com=000000",
            ]),
        ) {
            if let Some(identities) = TestIdentities::parse(&list, 6, Some(days(1)), NOW) {
                for entry in list.split(',').map(str::trim) {
                    let (to, code) = entry.rsplit_once('=').expect("an entry");
                    let known = identities.code_for(&to.parse().expect("a destination"), NOW);
                    let known = known.map(|code| code.expose_secret().to_owned());
                    prop_assert_eq!(known.as_deref(), Some(code));
                }
            }
        }
    }
}
