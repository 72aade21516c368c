//! Sets of phone numbers that settings name.

use super::{Country, PhoneNumber};

/// The numbers that begin with a prefix, or those of a country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberRange {
    /// `+` and leading digits, such as `+44`.
    Prefix(String),
    /// A country.
    Country(Country),
}

impl NumberRange {
    /// Reads `+` and 1 to 15 digits, of which the first is not 0, or an ISO 3166
    /// country code in capitals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some(digits) = text.strip_prefix('+') else {
            return Country::parse(text).map(Self::Country);
        };
        let well_formed = (1..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        well_formed.then(|| Self::Prefix(text.to_owned()))
    }

    /// The text that names it, such as `+44` or `GB`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Prefix(text) => text,
            Self::Country(country) => country.code(),
        }
    }

    /// Whether this number is in it.
    #[must_use]
    pub fn contains(&self, number: &PhoneNumber) -> bool {
        match self {
            Self::Prefix(text) => number.as_str().starts_with(text),
            Self::Country(country) => country.owns(number),
        }
    }

    /// Orders the ranges that contain one number: the highest decides. A longer
    /// prefix is above a shorter one. A country is above its calling code, and
    /// below any longer prefix.
    #[must_use]
    pub const fn precedence(&self) -> usize {
        match self {
            Self::Prefix(text) => 2 * text.len(),
            Self::Country(country) => 2 * (1 + country.calling_code().len()) + 1,
        }
    }

    /// Whether text messages may go to this number of it. A prefix has no
    /// exceptions; of a country, the special numbers and the wrong lengths are.
    #[must_use]
    pub fn takes_text_messages(&self, number: &PhoneNumber) -> bool {
        match self {
            Self::Prefix(_) => self.contains(number),
            Self::Country(country) => country.owns_as_ordinary(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_prefix_or_a_country() {
        for text in ["+1", "+441481", "+123456789012345", "US", "GB"] {
            let range = NumberRange::parse(text);
            assert_eq!(range.as_ref().map(NumberRange::name), Some(text));
        }
        for text in [
            "",
            "+",
            "1",
            "+0",
            "++1",
            "+1234567890123456",
            "us",
            "UK",
            "USA",
            "U",
            " US",
            "+US",
        ] {
            assert_eq!(NumberRange::parse(text), None, "accepted {text:?}");
        }
    }

    #[test]
    fn a_country_is_between_its_calling_code_and_longer_prefixes() {
        for ordered in [
            ["+1", "US", "+141", "+1415"],
            ["+4", "+44", "GB", "+441"],
            ["+35", "+353", "IE", "+3531"],
        ] {
            let mut ranges = ordered.map(|text| NumberRange::parse(text).unwrap());
            ranges.reverse();
            ranges.sort_by_key(NumberRange::precedence);
            assert_eq!(ranges.each_ref().map(NumberRange::name), ordered);
        }
    }
}
