//! The phone numbers that text messages may go to.

use super::PhoneNumber;

/// Number prefixes, each allowed or denied. The longest match decides; a number
/// without a match is denied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsPrefixes(Vec<Prefix>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Prefix {
    text: String,
    allowed: bool,
}

/// The text is not a list of prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedPrefix;

impl SmsPrefixes {
    /// Reads a comma-separated list such as `+1,!+1900,+44`, where `!` denies.
    /// The empty list denies every number.
    ///
    /// # Errors
    ///
    /// An entry that is repeated, or that is not `+` and 1 to 15 digits, of which
    /// the first is not 0.
    pub fn parse(text: &str) -> Result<Self, MalformedPrefix> {
        let mut prefixes: Vec<Prefix> = Vec::new();
        for entry in text.split(',').map(str::trim) {
            if entry.is_empty() && text.trim().is_empty() {
                continue;
            }
            let (prefix, allowed) = entry
                .strip_prefix('!')
                .map_or((entry, true), |denied| (denied, false));
            let digits = prefix.strip_prefix('+').ok_or(MalformedPrefix)?;
            let well_formed = (1..=15).contains(&digits.len())
                && digits.bytes().all(|b| b.is_ascii_digit())
                && !digits.starts_with('0');
            if !well_formed || prefixes.iter().any(|known| known.text == prefix) {
                return Err(MalformedPrefix);
            }
            prefixes.push(Prefix {
                text: prefix.to_owned(),
                allowed,
            });
        }
        Ok(Self(prefixes))
    }

    /// Whether every number is denied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.0.iter().any(|prefix| prefix.allowed)
    }

    /// The prefix that allows this number; `None` if none does.
    #[must_use]
    pub fn allowing(&self, number: &PhoneNumber) -> Option<&str> {
        self.0
            .iter()
            .filter(|prefix| number.as_str().starts_with(&prefix.text))
            .max_by_key(|prefix| prefix.text.len())
            .filter(|prefix| prefix.allowed)
            .map(|prefix| prefix.text.as_str())
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
        ] {
            assert!(SmsPrefixes::parse(text).is_err(), "accepted {text:?}");
        }
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn a_list_that_is_accepted_allows_only_what_one_of_its_entries_begins(
            text in fuzz::text(&["+1,!+1900,+44,!+4470,+44701", "+1", ",", "+999999999999999"]),
            digits in "[1-9][0-9]{6,14}",
        ) {
            if let Ok(list) = SmsPrefixes::parse(&text) {
                let number = number(&format!("+{digits}"));
                if let Some(prefix) = list.allowing(&number) {
                    prop_assert!(number.as_str().starts_with(prefix));
                    prop_assert!(text.split(',').any(|entry| entry.trim() == prefix));
                    prop_assert!(!list.is_empty());
                }
            }
        }

        #[test]
        fn a_number_is_allowed_as_a_search_from_its_longest_prefix_says(
            entries in prop::collection::btree_map("[1-9][0-9]{0,4}", any::<bool>(), 0..12),
            digits in "[1-9][0-9]{6,14}",
        ) {
            let list = entries.iter()
                .map(|(p, allowed)| format!("{}+{p}", if *allowed { "" } else { "!" }))
                .collect::<Vec<_>>().join(",");
            let expected = (1..=digits.len()).rev()
                .find_map(|n| entries.get(&digits[..n]).map(|allowed| (n, *allowed)))
                .and_then(|(n, allowed)| allowed.then(|| format!("+{}", &digits[..n])));
            let number = number(&format!("+{digits}"));
            let list = SmsPrefixes::parse(&list).unwrap();
            prop_assert_eq!(list.allowing(&number), expected.as_deref());
        }
    }
}
