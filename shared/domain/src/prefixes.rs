//! The phone numbers that text messages may go to.

use super::{NumberRange, PhoneNumber};

/// Prefixes and countries, each allowed or denied. The most specific one that
/// contains a number decides; a number without one is denied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsPrefixes(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    range: NumberRange,
    allowed: bool,
}

/// The text is not a list of prefixes and countries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedPrefix;

/// The calling code of 25 countries, with premium ranges of its own.
const NORTH_AMERICA: &str = "+1";

impl SmsPrefixes {
    /// Reads a comma-separated list such as `US,CA,!+1900,+44`, where `!` denies.
    /// The empty list denies every number.
    ///
    /// # Errors
    ///
    /// An entry that is repeated, or that is no [`NumberRange`], and a list that
    /// only denies.
    pub fn parse(text: &str) -> Result<Self, MalformedPrefix> {
        let mut entries: Vec<Entry> = Vec::new();
        if text.trim().is_empty() {
            return Ok(Self(entries));
        }
        for entry in text.split(',').map(str::trim) {
            let (range, allowed) = entry
                .strip_prefix('!')
                .map_or((entry, true), |denied| (denied, false));
            let range = NumberRange::parse(range).ok_or(MalformedPrefix)?;
            if entries.iter().any(|known| known.range == range) {
                return Err(MalformedPrefix);
            }
            entries.push(Entry { range, allowed });
        }
        if entries.iter().any(|entry| entry.allowed) {
            Ok(Self(entries))
        } else {
            Err(MalformedPrefix)
        }
    }

    /// Whether every number is denied.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry that allows this number, by its name; `None` if none does.
    #[must_use]
    pub fn allowing(&self, number: &PhoneNumber) -> Option<&str> {
        self.0
            .iter()
            .filter(|entry| entry.range.contains(number))
            // A few numbers belong to two countries: then the one that is denied decides.
            .max_by_key(|entry| (entry.range.precedence(), !entry.allowed))
            .filter(|entry| entry.allowed && entry.range.takes_text_messages(number))
            .map(|entry| entry.range.name())
    }

    /// Whether the whole of `+1` is allowed: 25 countries, and premium numbers.
    #[must_use]
    pub fn allow_all_of_north_america(&self) -> bool {
        self.0
            .iter()
            .any(|entry| entry.allowed && entry.range.name() == NORTH_AMERICA)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).unwrap()
    }

    #[test]
    fn the_longest_prefix_decides_and_silence_denies() {
        let list = SmsPrefixes::parse("+1, !+1900 ,+44,!+4470,+44701").unwrap();
        for (text, allowed) in [
            ("+14155550123", true),
            ("+19005550123", false),
            ("+447911123456", true),
            ("+447011123456", true),
            ("+447021123456", false),
            ("+4915112345678", false),
        ] {
            assert_eq!(list.allowing(&number(text)).is_some(), allowed, "{text}");
        }
        let none = SmsPrefixes::parse("").unwrap();
        assert!(none.is_empty() && none.allowing(&number("+14155550123")).is_none());
    }

    #[test]
    fn a_country_allows_its_own_numbers_and_prefixes_refine_it() {
        for (list, number_text, by) in [
            ("US,CA", "+14155550123", Some("US")),
            ("US,CA", "+14165550123", Some("CA")),
            ("US,CA", "+18765550123", None),
            ("US,CA", "+19005550123", None),
            ("US,CA", "+1900555", None),
            ("US,!+1415", "+14155550123", None),
            ("US,+1900", "+19005550123", Some("+1900")),
            ("US,+1415", "+14155550123", Some("+1415")),
            ("+1,!JM", "+18765550123", None),
            ("+1,!JM", "+18685550123", Some("+1")),
            ("+1,!JM,+1876", "+18765550123", Some("+1876")),
            // A country that is allowed keeps its exceptions, whatever is behind it.
            ("+44,GB", "+449011123456", None),
            ("+44,!GB", "+449011123456", None),
            ("+44,!GB", "+447781123456", Some("+44")),
            // A number of both.
            ("GB,GG", "+445612345678", Some("GG")),
            ("GB,!GG", "+445612345678", None),
        ] {
            let list = SmsPrefixes::parse(list).unwrap();
            assert_eq!(list.allowing(&number(number_text)), by, "{list:?}");
        }
    }

    #[test]
    fn the_whole_of_north_america_is_told_from_its_countries() {
        for (list, all) in [
            ("+1", true),
            ("+1,!+1900", true),
            ("GB,+1", true),
            ("US,CA", false),
            ("+1415,!+1900", false),
            ("US,!+1", false),
            ("", false),
        ] {
            let list = SmsPrefixes::parse(list).unwrap();
            assert_eq!(list.allow_all_of_north_america(), all, "{list:?}");
        }
    }

    #[test]
    fn a_malformed_list_is_refused() {
        for text in [
            "1",
            "+",
            "+0",
            "+1,",
            ",",
            "+1,,+44",
            "++1",
            "+1;+44",
            "!!+1",
            "+1 900",
            "+1,+1",
            "+1,!+1",
            "*",
            "+1234567890123456",
            "+４４",
            "!",
            "!+1",
            "!US",
            "!+1,!US",
            "UK",
            "us",
            "US,US",
            "US,!US",
            "US;CA",
            "+1,!",
        ] {
            assert!(SmsPrefixes::parse(text).is_err(), "accepted {text:?}");
        }
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn a_list_that_is_accepted_allows_only_numbers_of_one_of_its_entries(
            text in fuzz::text(&[
                "+1,!+1900,+44,!+4470,+44701",
                "US,CA,!+1900,GB",
                "+1,!JM",
                "+1",
                ",",
                "+999999999999999",
            ]),
            digits in "[1-9]{4}[0-9]{3,11}",
        ) {
            if let Ok(list) = SmsPrefixes::parse(&text) {
                let number = number(&format!("+{digits}"));
                prop_assert_eq!(list.is_empty(), text.trim().is_empty());
                if let Some(name) = list.allowing(&number) {
                    let range = NumberRange::parse(name).unwrap();
                    prop_assert!(range.contains(&number) && range.takes_text_messages(&number));
                    prop_assert!(text.split(',').any(|entry| entry.trim() == name));
                }
            }
        }

        #[test]
        fn a_number_is_allowed_as_a_search_from_its_longest_prefix_says(
            entries in prop::collection::btree_map("[1-9][0-9]{0,4}", any::<bool>(), 0..12),
            digits in "[1-9]{4}[0-9]{3,11}",
        ) {
            let list = entries.iter()
                .map(|(p, allowed)| format!("{}+{p}", if *allowed { "" } else { "!" }))
                .collect::<Vec<_>>().join(",");
            let expected = (1..=digits.len()).rev()
                .find_map(|n| entries.get(&digits[..n]).map(|allowed| (n, *allowed)))
                .and_then(|(n, allowed)| allowed.then(|| format!("+{}", &digits[..n])));
            let number = number(&format!("+{digits}"));
            prop_assume!(entries.is_empty() || entries.values().any(|allowed| *allowed));
            let list = SmsPrefixes::parse(&list).unwrap();
            prop_assert_eq!(list.allowing(&number), expected.as_deref());
        }
    }
}
