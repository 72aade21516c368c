//! Numbers as people of a country type and paste them.

use std::collections::BTreeSet;

use super::{
    Country,
    dialling::{ABROAD, Dialling, calling_code},
};
use crate::{MalformedPhoneNumber, PhoneNumber, typed};

/// An extension has fewer digits than any number.
const LONGEST_EXTENSION: usize = 6;

impl Country {
    /// Reads a number as a person of this country types or pastes it: with or without a
    /// calling code and what is dialled before it, with a word such as `Tel.` in front, with
    /// digits of any script.
    ///
    /// # Errors
    ///
    /// The text is no number, or could be two; it has an extension, or a trunk zero that was
    /// left behind the calling code.
    pub fn read_number(&self, typed: &str) -> Result<PhoneNumber, MalformedPhoneNumber> {
        let written = Written::read(typed)?;
        let digits = written.digits.as_str();
        let mut found = Readings::default();
        if written.is_international {
            self.read_international(digits, &written, &mut found);
            return found.only();
        }
        let starts = self.dialling.after_abroad(digits);
        let usual = digits.starts_with(ABROAD).then_some(ABROAD.len());
        for start in starts.iter().copied().chain(usual) {
            self.read_international(&digits[start..], &written, &mut found);
        }
        if starts.is_empty() {
            self.read_national(&written, &mut found);
        }
        found.only()
    }

    /// `digits` begin with a calling code.
    fn read_international(&self, digits: &str, written: &Written, found: &mut Readings) {
        let Some(code) = calling_code(digits) else {
            // Such as +800, which is no country's.
            if written.is_international {
                found.add(digits);
            }
            return;
        };
        let national = &digits[code.len()..];
        let countries = Dialling::all_by_code(code);
        let has_zeros = countries.iter().any(Dialling::has_zeros);
        if written.has_bracketed_zero && has_zeros {
            found.is_ambiguous = true;
        } else if written.has_bracketed_zero && !countries.iter().any(Dialling::drops_zero)
            || national.starts_with('0') && !has_zeros
        {
            found.has_trunk_zero = true;
        } else if countries.iter().any(|it| it.fits(national)) {
            found.add(digits);
        } else if code == self.calling_code {
            for number in self.dialling.without_infix(national) {
                self.add(&number, found);
            }
        }
    }

    fn read_national(&self, written: &Written, found: &mut Readings) {
        let digits = written.digits.as_str();
        if digits.starts_with(self.calling_code) {
            let mut with_code = Readings::default();
            self.read_international(digits, written, &mut with_code);
            found.numbers.extend(with_code.numbers);
        }
        if written.has_bracketed_zero {
            return;
        }
        if self.dialling.may_lack_trunk(digits) {
            self.add(digits, found);
        }
        for national in self.dialling.without_trunk(digits) {
            self.add(&national, found);
        }
    }

    /// Adds a number of this country, or of another with its calling code.
    fn add(&self, national: &str, found: &mut Readings) {
        let countries = Dialling::all_by_code(self.calling_code);
        if countries.iter().any(|it| it.fits(national)) {
            found.add(&format!("{}{national}", self.calling_code));
        }
    }
}

/// The numbers that a text can be.
#[derive(Default)]
struct Readings {
    numbers: BTreeSet<String>,
    has_trunk_zero: bool,
    is_ambiguous: bool,
}

impl Readings {
    fn add(&mut self, digits: &str) {
        self.numbers.insert(format!("+{digits}"));
    }

    fn only(mut self) -> Result<PhoneNumber, MalformedPhoneNumber> {
        match self.numbers.pop_first() {
            _ if self.is_ambiguous || !self.numbers.is_empty() => {
                Err(MalformedPhoneNumber::Ambiguous)
            }
            Some(number) => {
                PhoneNumber::parse(&number).map_err(|_| MalformedPhoneNumber::NotUnderstood)
            }
            None if self.has_trunk_zero => Err(MalformedPhoneNumber::TrunkZero),
            None => Err(MalformedPhoneNumber::NotUnderstood),
        }
    }
}

/// What is written, in digits.
struct Written {
    /// Whether it begins with a plus.
    is_international: bool,
    /// Without a zero that stands alone in parentheses behind others.
    digits: String,
    has_bracketed_zero: bool,
}

impl Written {
    fn read(typed: &str) -> Result<Self, MalformedPhoneNumber> {
        let text: String = typed::visible(typed).chars().map(typed::dialled).collect();
        let is_label = |c: char| !c.is_ascii() || c.is_ascii_alphabetic() || " .:-".contains(c);
        let text = text.trim_start_matches(is_label);
        let is_number = |c: char| c.is_ascii_digit() || "+ -./()[]".contains(c);
        let (number, rest) = text.split_at(text.find(|c| !is_number(c)).unwrap_or(text.len()));
        if !rest.is_empty() {
            return Err(Self::reject(number, rest));
        }
        let compact = number.replace([' ', '-', '.', '/'], "");
        let compact = compact.replace('[', "(").replace(']', ")");
        let behind_plus = compact.trim_start_matches('(').strip_prefix('+');
        let body = behind_plus.unwrap_or(&compact);
        if body.contains('+') {
            return Err(MalformedPhoneNumber::NotUnderstood);
        }
        let has_bracketed_zero = body.find("(0)").is_some_and(|at| at > 0);
        let kept = if has_bracketed_zero {
            body.replacen("(0)", "", 1)
        } else {
            body.to_owned()
        };
        Ok(Self {
            is_international: behind_plus.is_some(),
            digits: kept.replace(['(', ')'], ""),
            has_bracketed_zero,
        })
    }

    fn reject(number: &str, rest: &str) -> MalformedPhoneNumber {
        let digits = rest.chars().filter(char::is_ascii_digit).count();
        let behind_number = number.contains(|c: char| c.is_ascii_digit());
        if behind_number && (1..=LONGEST_EXTENSION).contains(&digits) {
            MalformedPhoneNumber::Extension
        } else {
            MalformedPhoneNumber::NotUnderstood
        }
    }
}

#[cfg(test)]
mod tests;
