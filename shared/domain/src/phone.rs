//! Phone numbers that codes are sent to.

use std::fmt;

/// A phone number in the international form of ITU-T E.164.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// The text is not an E.164 number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedPhoneNumber;

impl PhoneNumber {
    /// Reads `+` and 7 to 15 ASCII digits, of which the first is not 0.
    ///
    /// # Errors
    ///
    /// Anything else: spaces, hyphens, national forms, digits of other scripts.
    pub fn parse(text: &str) -> Result<Self, MalformedPhoneNumber> {
        let digits = text.strip_prefix('+').ok_or(MalformedPhoneNumber)?;
        let well_formed = (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedPhoneNumber)
        }
    }

    /// The number in full, with its `+`. It is personal data: never log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Destination;
    use proptest::prelude::*;

    #[test]
    fn only_e164_is_accepted() {
        for text in ["+1234567", "+14155550123", "+123456789012345"] {
            assert!(PhoneNumber::parse(text).is_ok(), "refused {text:?}");
        }
        for text in [
            "",
            "+",
            "14155550123",
            "0014155550123",
            "+123456",
            "+1234567890123456",
            "+0123456789",
            "+1 415 555 0123",
            "+1-415-555-0123",
            "+1(415)5550123",
            " +14155550123",
            "+14155550123\n",
            "++14155550123",
            "+1415555012x",
            "+١٤١٥٥٥٥٠١٢٣",
            "＋14155550123",
            "tel:+14155550123",
            "+14155550123,+14155550124",
            "+14155550123;ext=1",
        ] {
            assert!(PhoneNumber::parse(text).is_err(), "accepted {text:?}");
        }
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn whatever_is_accepted_is_what_was_given(text in fuzz::text(&["+1234567", "+14155550123", "+123456789012345"])) {
            if let Ok(number) = PhoneNumber::parse(&text) {
                prop_assert_eq!(number.as_str(), &text);
                prop_assert!((8..=16).contains(&text.len()));
                let masked = Destination::Phone(number).masked();
                prop_assert!(!masked.contains(&text[1..]), "{}", masked);
            }
        }
    }
}
