//! Phone numbers that codes are sent to.

use std::fmt;

use super::countries::has_trunk_zero;

/// A phone number in the international form of ITU-T E.164: `+` and its digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// Why a text is no number that codes are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedPhoneNumber {
    /// It is not in international form.
    NotInternational,
    /// A zero that is dialled only within the country stands behind the calling code.
    TrunkZero,
    /// It has an extension, which no code reaches.
    Extension,
    /// It is no number of the country, and none with a calling code.
    NotUnderstood,
    /// It can be more than one number.
    Ambiguous,
}

/// What people and address books write between the digits.
const SEPARATORS: [char; 5] = [' ', '-', '.', '(', ')'];

impl PhoneNumber {
    /// Reads `+` and 7 to 15 ASCII digits, of which the first is not 0. Spaces
    /// around it and separators within it (` `, `-`, `.`, `(`, `)`) are dropped,
    /// so that each number has one spelling.
    ///
    /// # Errors
    ///
    /// Anything else: national forms, the prefixes `00` and `011`, which depend on
    /// the caller's country, a trunk zero such as in `+44 (0)20` or `+44 020`, which is
    /// not part of the number, extensions, digits of other scripts.
    /// [`Country::read_number`](super::Country::read_number) understands more.
    pub fn parse(text: &str) -> Result<Self, MalformedPhoneNumber> {
        let written = text.trim_matches(' ').strip_prefix('+');
        let written = written.ok_or(MalformedPhoneNumber::NotInternational)?;
        let digits = written.replace(SEPARATORS, "");
        let well_formed = (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if !well_formed {
            Err(MalformedPhoneNumber::NotInternational)
        } else if has_bracketed_zero(written) || has_trunk_zero(&digits) {
            Err(MalformedPhoneNumber::TrunkZero)
        } else {
            Ok(Self(format!("+{digits}")))
        }
    }

    /// The number in full, with its `+`. It is personal data: never log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a zero stands alone in parentheses, to be dialled only within the
/// country.
fn has_bracketed_zero(written: &str) -> bool {
    written.replace([' ', '-', '.'], "").contains("(0)")
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
    fn one_number_has_one_spelling() {
        for text in [
            "+14155550123",
            "+1 415 555 0123",
            "+1-415-555-0123",
            "+1.415.555.0123",
            "+1 (415) 555-0123",
            "+1(415)5550123",
            " +1 (415) 555-0123  ",
        ] {
            let number = PhoneNumber::parse(text).expect(text);
            assert_eq!(number.as_str(), "+14155550123");
        }
    }

    #[test]
    fn only_e164_is_accepted() {
        for text in [
            "+1234567",
            "+14155550123",
            "+123456789012345",
            "+39 06 1234 5678",
            "+225 01 23 45 67 89",
            "+999 0123456",
        ] {
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
            "(415) 555-0123",
            "00 1 415 555 0123",
            "011 1 415 555 0123",
            "(+1) 415 555 0123",
            "+44 (0)20 7946 0123",
            "+44 ( 0 ) 20 7946 0123",
            "+44 (-0-) 20 7946 0123",
            "+44 (.0.) 20 7946 0123",
            "+44 020 7946 0123",
            "+49 0170 1234567",
            "+()-. ",
            "+ 0 1 415 555 0123",
            "+1/415/555-0123",
            "+1_415_555_0123",
            "+14155550123\n",
            "+1415\t5550123",
            "+1 415\u{a0}555 0123",
            "+1\u{2011}415\u{2011}555\u{2011}0123",
            "\u{202a}+14155550123\u{202c}",
            "+1 415 555 0123 ext. 1",
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
        fn whatever_is_accepted_is_the_digits_that_were_given(
            text in fuzz::text(&["+1234567", "+14155550123", "+123456789012345", " +1 (415) 555-0123 ", "+44.20.7946.0123"]),
        ) {
            if let Ok(number) = PhoneNumber::parse(&text) {
                let kept = number.as_str().to_owned();
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                prop_assert_eq!(&kept, &format!("+{digits}"));
                prop_assert!((8..=16).contains(&kept.len()));
                prop_assert!(text.chars().all(|c| "+0123456789 -.()".contains(c)), "{}", text);
                prop_assert_eq!(PhoneNumber::parse(&kept), Ok(number.clone()));
                let masked = Destination::Phone(number).masked();
                prop_assert!(!masked.contains(&kept[1..]), "{}", masked);
            }
        }
    }
}
