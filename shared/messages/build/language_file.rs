//! Reads and checks one file of `languages/`.

use std::collections::BTreeMap;

use icu_locale_core::LanguageIdentifier;
use icu_plurals::{PluralCategory, PluralRules};
use serde::Deserialize;

use crate::placeholder::check;

/// The longest lifetime of a code, in seconds.
pub const LONGEST_LIFE: usize = 600;

/// A language, as a translator writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageFile {
    /// The language's own name.
    pub name: String,
    /// The BCP 47 tags that get this language; the first is the file's name.
    pub serves: Vec<String>,
    pub direction: Direction,
    minutes: BTreeMap<String, String>,
    seconds: BTreeMap<String, String>,
    pub sms: Sms,
    pub email: Email,
    pub adding: Adding,
    pub notice: Notice,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Ltr,
    Rtl,
}

/// The sentences of a text message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// The sentence that is sent if it fits one segment.
    pub whole: String,
    /// The sentence that is sent instead.
    pub short: String,
}

/// The sentences of an e-mail.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    pub subject: String,
    pub subject_with_code: String,
    pub intro: String,
    pub life: String,
    pub warning: String,
    pub unasked: String,
    pub link: String,
    pub requested_at: String,
    pub requested_from: String,
}

/// The sentences of messages whose code adds a destination to a user.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adding {
    pub sms: String,
    pub subject: String,
    pub intro: String,
}

/// The sentences of messages that say that an account has changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    pub subject: String,
    pub changed: String,
    pub removed: String,
    pub undo: String,
}

/// The plural forms of the units of time, each once.
pub struct Plurals {
    /// Which form a number takes: `form[n]` is an index into the other two lists.
    pub form: [u8; LONGEST_LIFE + 1],
    pub minutes: Vec<String>,
    pub seconds: Vec<String>,
}

/// Reads the file of the language `tag`.
///
/// # Errors
///
/// Every mistake in it.
pub fn read(tag: &str, text: &str) -> Result<(LanguageFile, Plurals), Vec<String>> {
    let file: LanguageFile = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
    let mut mistakes = Vec::new();
    if file.serves.first().map(String::as_str) != Some(tag) {
        mistakes.push(format!("`serves` must begin with the file's name, {tag}"));
    }
    for tag in &file.serves {
        if tag.parse::<LanguageIdentifier>().is_err() {
            mistakes.push(format!("`serves` has {tag:?}, which is no language tag"));
        }
    }
    mistakes.extend(file.mistakes());
    let plurals = file.plurals(tag).map_err(|mistake| {
        mistakes.push(mistake);
        std::mem::take(&mut mistakes)
    })?;
    if mistakes.is_empty() {
        Ok((file, plurals))
    } else {
        Err(mistakes)
    }
}

impl LanguageFile {
    /// Every sentence with its key, and the placeholders that it must and may have.
    fn sentences(
        &self,
    ) -> [(
        &'static str,
        &str,
        &'static [&'static str],
        &'static [&'static str],
    ); 18] {
        let Self {
            sms,
            email,
            adding,
            notice,
            ..
        } = self;
        [
            ("sms.whole", &sms.whole, &["code", "brand"], &["life"]),
            ("sms.short", &sms.short, &["code", "brand"], &[]),
            ("email.subject", &email.subject, &["brand"], &[]),
            (
                "email.subject_with_code",
                &email.subject_with_code,
                &["code", "brand"],
                &[],
            ),
            ("email.intro", &email.intro, &["brand"], &[]),
            ("email.life", &email.life, &["life"], &[]),
            ("email.warning", &email.warning, &["brand"], &[]),
            ("email.unasked", &email.unasked, &[], &["brand"]),
            ("email.link", &email.link, &["brand"], &[]),
            ("email.requested_at", &email.requested_at, &["time"], &[]),
            (
                "email.requested_from",
                &email.requested_from,
                &["address"],
                &[],
            ),
            ("adding.sms", &adding.sms, &["code", "brand"], &[]),
            ("adding.subject", &adding.subject, &["brand"], &[]),
            ("adding.intro", &adding.intro, &["brand"], &[]),
            ("notice.subject", &notice.subject, &["brand"], &[]),
            ("notice.changed", &notice.changed, &["brand"], &[]),
            ("notice.removed", &notice.removed, &["brand"], &[]),
            ("notice.undo", &notice.undo, &[], &[]),
        ]
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        for (key, sentence, required, optional) in self.sentences() {
            if let Err(mistake) = check(sentence, required, optional) {
                mistakes.push(format!("{key} {mistake}"));
            }
            if sentence.trim() != sentence
                || sentence.is_empty()
                || sentence.chars().any(char::is_control)
            {
                mistakes.push(format!("{key} must be one line, without spaces around it"));
            }
        }
        for (unit, forms) in [("minutes", &self.minutes), ("seconds", &self.seconds)] {
            for (category, form) in forms {
                if let Err(mistake) = check(form, &[], &["n"]) {
                    mistakes.push(format!("{unit}.{category} {mistake}"));
                }
            }
        }
        mistakes
    }

    /// Orders the forms by CLDR's plural rules of the language.
    fn plurals(&self, tag: &str) -> Result<Plurals, String> {
        let language: LanguageIdentifier = tag.parse().map_err(|_| format!("{tag} is no tag"))?;
        let rules =
            PluralRules::try_new_cardinal((&language).into()).map_err(|error| error.to_string())?;
        let mut numbers: BTreeMap<PluralCategory, Vec<usize>> = BTreeMap::new();
        for n in 1..=LONGEST_LIFE {
            numbers.entry(rules.category_for(n)).or_default().push(n);
        }
        let mut form = [0; LONGEST_LIFE + 1];
        for (index, numbers) in (0..).zip(numbers.values()) {
            for n in numbers {
                form[*n] = index;
            }
        }
        Ok(Plurals {
            form,
            minutes: in_order("minutes", &self.minutes, &numbers)?,
            seconds: in_order("seconds", &self.seconds, &numbers)?,
        })
    }
}

fn in_order(
    unit: &str,
    forms: &BTreeMap<String, String>,
    numbers: &BTreeMap<PluralCategory, Vec<usize>>,
) -> Result<Vec<String>, String> {
    let expected: Vec<_> = numbers.keys().map(|category| name(*category)).collect();
    if !(forms.len() == expected.len() && expected.iter().all(|name| forms.contains_key(*name))) {
        return Err(format!(
            "{unit} must have the forms {}",
            expected.join(", ")
        ));
    }
    let mut ordered = Vec::new();
    for (category, numbers) in numbers {
        let form = &forms[name(*category)];
        // Only a form of one number, such as the Arabic dual, may leave the number out.
        if numbers.len() > 1 && !form.contains("{n}") {
            return Err(format!("{unit}.{} lacks {{n}}", name(*category)));
        }
        ordered.push(form.clone());
    }
    Ok(ordered)
}

const fn name(category: PluralCategory) -> &'static str {
    match category {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    }
}
