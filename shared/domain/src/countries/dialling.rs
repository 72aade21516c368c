//! How the numbers of a country are dialled.

use regex_lite::Regex;

use super::{lengths, rows};

/// How the numbers of a country are dialled, at home and from there to other countries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dialling {
    /// First digits after the calling code, and the lengths of numbers that begin so.
    firsts: Vec<(&'static str, u16)>,
    trunk: Option<Trunk>,
    /// What is dialled before a calling code, as an expression.
    abroad: &'static str,
}

/// What national numbers begin with, and international ones do not.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trunk {
    expression: &'static str,
    /// What takes its place, with the groups of the expression.
    template: Option<&'static str>,
    /// A shorter number without it lacks its area code.
    least: usize,
}

/// What ITU-T recommends to dial before a calling code.
pub(super) const ABROAD: &str = "00";

impl Dialling {
    /// Reads the words of a row that stand behind the lengths.
    pub(super) fn read(mut words: impl Iterator<Item = &'static str>) -> Option<Self> {
        let group = |text: &'static str| {
            let (digits, of) = text.split_once('/')?;
            Some((digits, lengths(of)?))
        };
        let mut dialling = Self {
            firsts: words.next()?.split(';').map(group).collect::<Option<_>>()?,
            trunk: None,
            abroad: ABROAD,
        };
        for word in words {
            match word.split_at(1) {
                ("~", text) => dialling.trunk = Some(Trunk::read(text)),
                ("*", least) => dialling.trunk.as_mut()?.least = least.parse().ok()?,
                (">", abroad) => dialling.abroad = abroad,
                _ => {}
            }
        }
        Some(dialling)
    }

    /// Those of all countries with the calling code that these digits begin with.
    pub(super) fn all_by_code(digits: &str) -> Vec<Self> {
        rows()
            .filter(|row| begins_with_code(row, digits))
            .filter_map(|row| Self::read(row.split(' ').skip(3)))
            .collect()
    }

    /// Whether numbers have this length and this first digit.
    pub(super) fn fits(&self, national: &str) -> bool {
        let Some(first) = national.get(..1) else {
            return false;
        };
        let length = u32::try_from(national.len()).unwrap_or(u32::MAX);
        let length = 1_u16.checked_shl(length).unwrap_or_default();
        let mut of_first = self.firsts.iter().filter(|it| it.0.contains(first));
        of_first.any(|(_, lengths)| lengths & length != 0)
    }

    /// Whether some numbers begin with 0 behind the calling code.
    pub(super) fn has_zeros(&self) -> bool {
        self.firsts.iter().any(|(digits, _)| digits.contains('0'))
    }

    /// Whether a 0 is dialled before national numbers, and only there.
    pub(super) fn drops_zero(&self) -> bool {
        !self.has_zeros() && self.without_trunk("0") == [""]
    }

    /// Where a calling code may begin, behind what is dialled before it.
    pub(super) fn after_abroad(&self, digits: &str) -> Vec<usize> {
        let expression = whole(self.abroad);
        let ends = 1..=digits.len();
        ends.filter(|end| {
            expression
                .as_ref()
                .is_some_and(|it| it.is_match(&digits[..*end]))
        })
        .collect()
    }

    /// Whether digits can be a number that was typed without what national ones begin with.
    pub(super) fn may_lack_trunk(&self, digits: &str) -> bool {
        let trunk = self.trunk.as_ref();
        trunk.is_none_or(|trunk| digits.len() >= trunk.least)
    }

    /// What national digits can be without what they begin with.
    pub(super) fn without_trunk(&self, digits: &str) -> Vec<String> {
        let trunk = self.trunk.as_ref();
        trunk.map_or_else(Vec::new, |trunk| trunk.replace(digits, |_, _| true))
    }

    /// What digits behind a calling code can be without those that are dialled only within the
    /// country, behind an area code: Argentina's 15.
    pub(super) fn without_infix(&self, digits: &str) -> Vec<String> {
        let has_more = |matched: &str, area: &str| matched != area && matched.starts_with(area);
        let trunk = self.trunk.as_ref();
        trunk.map_or_else(Vec::new, |trunk| trunk.replace(digits, has_more))
    }
}

impl Trunk {
    fn read(text: &'static str) -> Self {
        let (expression, template) = match text.split_once('=') {
            Some((expression, template)) => (expression, Some(template)),
            None => (text, None),
        };
        Self {
            expression,
            template,
            least: 0,
        }
    }

    /// The digits without each beginning that the expression matches and `wanted` takes, by it
    /// and by the group in it.
    fn replace(&self, digits: &str, wanted: fn(&str, &str) -> bool) -> Vec<String> {
        let Some(expression) = whole(self.expression) else {
            return Vec::new();
        };
        let replaced = |end: usize| {
            let (begin, rest) = digits.split_at(end);
            let groups = expression.captures(begin)?;
            let group = (1..groups.len()).rev().find_map(|n| groups.get(n));
            let mut instead = String::new();
            if let (Some(template), Some(_)) = (self.template, group) {
                groups.expand(template, &mut instead);
            }
            let group = group.map_or("", |group| group.as_str());
            wanted(begin, group).then(|| instead + rest)
        };
        (1..=digits.len()).filter_map(replaced).collect()
    }
}

/// The calling code that the digits begin with.
pub(super) fn calling_code(digits: &str) -> Option<&'static str> {
    let row = rows().find(|row| begins_with_code(row, digits))?;
    row.split(' ').nth(1)
}

/// Of North America, where the digit that is dialled only there is 1.
const WITHOUT_ZEROS: &str = "1";

/// Whether a zero stands behind the calling code where no number of that code has one: it is
/// dialled only within the country.
pub(crate) fn has_trunk_zero(digits: &str) -> bool {
    calling_code(digits)
        .is_some_and(|code| code != WITHOUT_ZEROS && digits[code.len()..].starts_with('0'))
        && !Dialling::all_by_code(digits)
            .iter()
            .any(Dialling::has_zeros)
}

fn begins_with_code(row: &str, digits: &str) -> bool {
    let code = row.split(' ').nth(1);
    code.is_some_and(|code| digits.starts_with(code))
}

fn whole(expression: &str) -> Option<Regex> {
    Regex::new(&format!("^(?:{expression})$")).ok()
}
