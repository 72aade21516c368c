//! The languages, and the choice of one (BCP 47, RFC 4647).

use std::{fmt, time::Duration};

use oxilangtag::LanguageTag;

use crate::placeholder::{Part, parts};

/// The sentences of one language, from its file in `languages/`.
pub(crate) struct Words {
    tag: &'static str,
    name: &'static str,
    serves: &'static [&'static str],
    rtl: bool,
    form: &'static [u8; LONGEST_LIFE + 1],
    minutes: &'static [&'static str],
    seconds: &'static [&'static str],
    pub(crate) sms_whole: &'static str,
    pub(crate) sms_short: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) subject_with_code: &'static str,
    pub(crate) intro: &'static str,
    pub(crate) life: &'static str,
    pub(crate) warning: &'static str,
    pub(crate) unasked: &'static str,
    pub(crate) link: &'static str,
    pub(crate) requested_at: &'static str,
    pub(crate) requested_from: &'static str,
    pub(crate) adding_sms: &'static str,
    pub(crate) adding_subject: &'static str,
    pub(crate) adding_intro: &'static str,
    pub(crate) notice_subject: &'static str,
    pub(crate) notice_changed: &'static str,
    pub(crate) notice_removed: &'static str,
    pub(crate) notice_undo: &'static str,
}

/// The longest lifetime of a code that has words, in seconds.
const LONGEST_LIFE: usize = 600;

include!(concat!(env!("OUT_DIR"), "/languages.rs"));

/// A language that messages are written in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language(u8);

impl Language {
    /// How many languages there are.
    pub const COUNT: usize = LANGUAGES.len();

    /// All languages, in the order of their tags.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).take(Self::COUNT).map(Self)
    }

    /// The language for a BCP 47 tag: the lookup of RFC 4647 section 3.4. `None`
    /// if there is none.
    ///
    /// Example: `zh-TW` has an entry of its own; `de-AT` becomes `de`.
    #[must_use]
    pub fn lookup(tag: &str) -> Option<Self> {
        let mut range = tag;
        loop {
            let serves = |language: &Self| {
                let served = language.words().serves.iter();
                served
                    .into_iter()
                    .any(|known| known.eq_ignore_ascii_case(range))
            };
            if let Some(language) = Self::all().find(serves) {
                return Some(language);
            }
            range = truncated(range)?;
        }
    }

    /// The BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.words().tag
    }

    /// The language's own name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.words().name
    }

    /// Whether the language is written from right to left.
    #[must_use]
    pub fn is_rtl(self) -> bool {
        self.words().rtl
    }

    /// The writing direction, as HTML names it.
    #[must_use]
    pub fn direction(self) -> &'static str {
        if self.is_rtl() { "rtl" } else { "ltr" }
    }

    /// A duration in words, in the unit that divides it: `5 minutes`.
    pub(crate) fn duration(self, duration: Duration) -> String {
        let words = self.words();
        let secs = duration.as_secs();
        let (count, forms) = match secs {
            secs if secs % 60 == 0 => (secs / 60, words.minutes),
            secs => (secs, words.seconds),
        };
        let known = usize::try_from(count).ok().and_then(|n| words.form.get(n));
        let form = known.map_or(forms.len() - 1, |form| usize::from(*form));
        parts(forms[form])
            .map(|part| match part {
                Part::Words(words) => words.to_owned(),
                Part::Name(_) => count.to_string(),
            })
            .collect()
    }

    /// The place in [`Language::all`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn words(self) -> &'static Words {
        &LANGUAGES[self.index()]
    }
}

impl Default for Language {
    /// English.
    fn default() -> Self {
        Self::lookup("en").unwrap_or(Self(0))
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// A range without its last subtag, and without a single-letter subtag before it.
fn truncated(range: &str) -> Option<&str> {
    let (mut rest, _) = range.rsplit_once('-')?;
    if let Some((before, last)) = rest.rsplit_once('-')
        && last.len() == 1
    {
        rest = before;
    }
    Some(rest)
}

/// The text is not a language tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedLocale;

/// What a client says about the language of its message. It selects a language,
/// and none of its text is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LanguageChoice(Option<Language>);

impl LanguageChoice {
    /// The choice by a BCP 47 tag, such as `pt-BR`.
    ///
    /// # Errors
    ///
    /// The text is not well-formed (RFC 5646 section 2.1). A well-formed tag without
    /// a language here chooses nothing.
    pub fn by_locale(text: &str) -> Result<Self, MalformedLocale> {
        let tag = LanguageTag::parse(text).map_err(|_| MalformedLocale)?;
        Ok(Self(Language::lookup(tag.as_str())))
    }

    /// The choice by the values of `Accept-Language` (RFC 9110 section 12.5.4), which
    /// are read as one list. Ranges that are malformed, unknown or refused (`q=0`)
    /// choose nothing.
    #[must_use]
    pub fn by_preference<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut best: Option<(Language, u16)> = None;
        let ranges = values.into_iter().flat_map(|value| value.split(','));
        for range in ranges.take(MAX_RANGES) {
            let Some((tag, quality)) = weighted(range) else {
                continue;
            };
            // Of equal weights, the first counts.
            if best.is_none_or(|(_, known)| quality > known)
                && let Some(language) = Language::lookup(tag)
            {
                best = Some((language, quality));
            }
        }
        Self(best.map(|(language, _)| language))
    }

    /// This choice, or else `other`.
    #[must_use]
    pub fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        if self.0.is_some() { self } else { other() }
    }

    /// The language, or else `default`.
    #[must_use]
    pub fn or(self, default: Language) -> Language {
        self.0.unwrap_or(default)
    }
}

/// Browsers send a handful of ranges. The bound keeps a long header cheap.
const MAX_RANGES: usize = 32;

/// The tag and the weight in thousandths of one range; `None` if it is malformed or
/// its weight is 0.
fn weighted(range: &str) -> Option<(&str, u16)> {
    let (tag, weight) = match range.split_once(';') {
        None => (range, "1"),
        Some((tag, parameter)) => (
            tag,
            parameter
                .trim()
                .strip_prefix(['q', 'Q'])?
                .strip_prefix('=')?,
        ),
    };
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    let thousandths = match whole {
        "0" if digits => format!("{part:0<3}").parse().ok()?,
        "1" if digits && part.bytes().all(|b| b == b'0') => 1000,
        _ => return None,
    };
    (thousandths > 0).then_some((tag.trim(), thousandths))
}

#[cfg(test)]
mod tests;
