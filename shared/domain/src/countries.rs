//! Countries, by the leading digits of their phone numbers.

mod dialling;
mod reading;

use super::PhoneNumber;
use dialling::Dialling;

pub(crate) use dialling::has_trunk_zero;

/// One country in a line. Its head explains the columns.
const TABLE: &str = include_str!("countries/table.txt");

/// The digits to which numbers and ranges are filled up, to compare them: no
/// number has more after its calling code.
const DIGITS: usize = 14;

/// A country or territory with phone numbers of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country {
    code: &'static str,
    calling_code: &'static str,
    /// Bit n is set if its numbers may have n digits after the calling code.
    lengths: u16,
    dialling: Dialling,
    /// Empty if everything is its own that is not `foreign`.
    own: Ranges,
    foreign: Ranges,
    special: Ranges,
}

/// Ranges of numbers without their calling code, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges(Vec<Range>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    first: u64,
    /// The first number after the range.
    end: u64,
    /// Bit n is set if it holds for numbers of n digits.
    lengths: u16,
}

impl Country {
    /// Finds the country of an ISO 3166 code such as `US`, in capitals.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        rows().find_map(|row| {
            let mut words = row.split(' ');
            (words.next() == Some(code)).then(|| Self::read(words, row))?
        })
    }

    /// Finds the country of a number; `None` if none owns it.
    #[must_use]
    pub fn of(number: &PhoneNumber) -> Option<Self> {
        let all = rows().filter_map(|row| {
            let mut words = row.split(' ');
            words.next();
            Self::read(words, row)
        });
        all.into_iter().find(|country| country.owns(number))
    }

    fn read(mut words: std::str::Split<'static, char>, row: &'static str) -> Option<Self> {
        let mut country = Self {
            code: row.get(..2)?,
            calling_code: words.next()?,
            lengths: lengths(words.next()?)?,
            dialling: Dialling::read(words.clone())?,
            own: Ranges::default(),
            foreign: Ranges::default(),
            special: Ranges::default(),
        };
        for word in words.skip(1) {
            let (ranges, text) = match word.as_bytes().first()? {
                b'~' | b'*' | b'>' => continue,
                b'-' => (&mut country.foreign, &word[1..]),
                b'!' => (&mut country.special, &word[1..]),
                _ => (&mut country.own, word),
            };
            ranges.0.push(Range::read(text, country.lengths)?);
        }
        for ranges in [&mut country.own, &mut country.foreign, &mut country.special] {
            ranges.0.sort_unstable();
        }
        Some(country)
    }

    /// The ISO 3166 code of every country.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        rows().filter_map(|row| row.get(..2))
    }

    /// The ISO 3166 code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The calling code, such as `44`; several countries may share one.
    #[must_use]
    pub const fn calling_code(&self) -> &'static str {
        self.calling_code
    }

    /// Whether this number is one of this country, of whatever length and kind.
    #[must_use]
    pub fn owns(&self, number: &PhoneNumber) -> bool {
        self.national(number).is_some_and(|national| {
            if self.own.0.is_empty() {
                !self.foreign.contain(national)
            } else {
                self.own.contain(national)
            }
        })
    }

    /// Whether this number is one of this country, has a length that its numbers
    /// have, and is not special: premium, shared cost and the like.
    #[must_use]
    pub fn owns_as_ordinary(&self, number: &PhoneNumber) -> bool {
        self.owns(number)
            && self.national(number).is_some_and(|national| {
                let length = 1 << national.len();
                let special = self.special.find(national);
                self.lengths & length != 0
                    && special.is_none_or(|special| special.lengths & length == 0)
            })
    }

    /// The digits after the calling code.
    fn national<'a>(&self, number: &'a PhoneNumber) -> Option<&'a str> {
        number.as_str()[1..].strip_prefix(self.calling_code)
    }
}

impl Range {
    fn read(text: &str, every_length: u16) -> Option<Self> {
        let (digits, own_lengths) = match text.split_once('/') {
            Some((digits, own)) => (digits, lengths(own)?),
            None => (text, every_length),
        };
        let (first, last) = digits.split_once('-').unwrap_or((digits, digits));
        Some(Self {
            first: filled(first)?,
            end: after(last)?,
            lengths: own_lengths,
        })
    }
}

impl Ranges {
    fn contain(&self, national: &str) -> bool {
        self.find(national).is_some()
    }

    fn find(&self, national: &str) -> Option<&Range> {
        let number = filled(national)?;
        let next = self.0.partition_point(|range| range.first <= number);
        self.0[..next].last().filter(|range| number < range.end)
    }
}

fn lengths(text: &str) -> Option<u16> {
    text.split(',').try_fold(0, |lengths, length| {
        Some(lengths | 1_u16.checked_shl(length.parse().ok()?)?)
    })
}

fn rows() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| !line.starts_with('#'))
}

/// The smallest number with these leading digits.
fn filled(leading: &str) -> Option<u64> {
    Some(leading.parse::<u64>().ok()? * unit(leading)?)
}

/// The smallest number beyond all with these leading digits.
fn after(leading: &str) -> Option<u64> {
    Some((leading.parse::<u64>().ok()? + 1) * unit(leading)?)
}

fn unit(leading: &str) -> Option<u64> {
    let missing = DIGITS.checked_sub(leading.len())?;
    Some(10_u64.pow(u32::try_from(missing).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).unwrap()
    }

    fn country(code: &str) -> Country {
        Country::parse(code).unwrap()
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        let codes: Vec<_> = Country::codes().collect();
        assert!(codes.is_sorted());
        for code in &codes {
            let country = country(code);
            assert_eq!(country.code(), *code);
            assert_ne!(country.lengths, 0, "{code}");
        }
        assert!(codes.len() > 240, "{} countries", codes.len());
        for unknown in ["", "U", "UK", "us", "USA", "ZZ", "# ", "1"] {
            assert_eq!(Country::parse(unknown), None, "found {unknown:?}");
        }
    }

    #[test]
    fn a_number_belongs_to_the_country_that_owns_it_or_to_none() {
        for (text, code) in [
            ("+14155550123", Some("US")),
            ("+14165550100", Some("CA")),
            ("+447700900123", Some("GB")),
            ("+4915123456789", Some("DE")),
            ("+88312345678", None),
        ] {
            let country = Country::of(&number(text));
            assert_eq!(country.map(|country| country.code()), code, "{text}");
        }
    }

    #[test]
    fn a_country_has_its_own_numbers_of_its_lengths_and_no_premium_ones() {
        for (code, ordinary, not) in [
            (
                "US",
                &["+14155550123", "+12025550123", "+19793141592"][..],
                &[
                    "+1415555012",   // too short
                    "+141555501234", // too long
                    "+1900555",
                    "+19005550100",
                    "+19765550100",
                    "+18765550100", // Jamaica
                    "+14165550100", // Canada
                    "+447700900123",
                ][..],
            ),
            ("CA", &["+14165550100"], &["+14155550123", "+19005550100"]),
            ("JM", &["+18765550100", "+16585550100"], &["+14155550123"]),
            (
                "GB",
                &["+447700900123", "+442079460123"],
                &[
                    "+447781123456", // Guernsey
                    "+447011123456", // personal
                    "+449011123456", // premium
                    "+448431234567", // shared cost
                    "+4477009001",
                ],
            ),
            ("GG", &["+447781123456"], &["+447700900123"]),
            ("DE", &["+4915112345678"], &["+499001123456", "+4918012345"]),
            ("RU", &["+79161234567"], &["+77011234567"]),
            ("KZ", &["+77011234567"], &["+79161234567"]),
            ("IT", &["+393123456789"], &["+390669812345"]),
            ("VA", &["+390669812345"], &["+393123456789"]),
        ] {
            let country = country(code);
            for text in ordinary {
                assert!(country.owns_as_ordinary(&number(text)), "{code} {text}");
            }
            for text in not {
                assert!(!country.owns_as_ordinary(&number(text)), "{code} {text}");
            }
        }
    }

    #[test]
    fn the_examples_of_the_metadata_are_judged_as_it_judges_them() {
        let (mut ordinary, mut special, mut passed) = (0, 0, Vec::new());
        let examples = include_str!("countries/examples.txt").lines();
        for line in examples.filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let country = country(words.next().unwrap());
            for word in words {
                let told = word.trim_start_matches('!');
                let Ok(number) = PhoneNumber::parse(told) else {
                    continue;
                };
                let owned = country.owns_as_ordinary(&number);
                if word == told {
                    assert!(owned, "{} {word}", country.code());
                    ordinary += 1;
                } else {
                    special += 1;
                    passed.extend(owned.then(|| format!("{} {word}", country.code())));
                }
            }
        }
        assert!(ordinary > 500 && special > 250, "{ordinary} {special}");
        assert!(passed.is_empty(), "{passed:?}");
    }

    #[test]
    fn a_country_owns_its_premium_numbers_too() {
        let british = country("GB");
        assert!(british.owns(&number("+449011123456")));
        assert!(british.owns(&number("+4477009001")));
        assert!(!british.owns(&number("+447781123456")));
        assert_eq!(british.calling_code(), "44");
        // However long they are.
        let american = country("US");
        assert!(american.owns(&number("+120155501234567")));
        assert!(!american.owns(&number("+187655501234567")));
    }

    #[test]
    fn a_range_ends_before_the_first_number_that_does_not_begin_like_it() {
        let american = country("US");
        assert!(american.owns(&number("+19019999999")));
        assert!(!american.owns(&number("+19020000000")));
    }

    #[test]
    fn a_range_that_is_special_at_one_length_is_ordinary_at_the_others() {
        let lebanese = country("LB");
        assert!(!lebanese.owns_as_ordinary(&number("+96180123456")));
        assert!(lebanese.owns_as_ordinary(&number("+9618012345")));
    }
}
