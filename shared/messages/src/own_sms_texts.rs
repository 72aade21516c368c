//! An operator's own words in text messages.

use crate::{Language, placeholder::check};

/// Text messages in an operator's own words: `{code}`, `{brand}` and `{life}` stand
/// for their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnSmsTexts {
    /// Sentences that replace a language's own.
    by_language: Vec<(Language, String)>,
    /// Whole messages as a carrier has registered them, by their template id.
    registered: Vec<(String, String)>,
}

impl OwnSmsTexts {
    /// Takes texts such as `{code} is your {brand} code.` by the tag of their language,
    /// or by one of these template ids. Only a registered text may have line breaks.
    ///
    /// # Errors
    ///
    /// The first mistake: a name that is repeated, or is neither a language nor a
    /// template id; a text that lacks `{code}`, has an unknown placeholder, or has a
    /// control character.
    pub fn new<'a>(
        texts: impl IntoIterator<Item = (&'a str, &'a str)>,
        template_ids: &[&str],
    ) -> Result<Self, String> {
        let mut own = Self::default();
        for (name, text) in texts {
            let language = Language::all().find(|language| language.tag() == name);
            let template_id = template_ids.iter().find(|id| **id == name);
            // A mistaken name may be a secret in the wrong place: it is not repeated.
            let name = language.map(Language::tag).or(template_id.copied());
            let name = name.ok_or("names neither a language nor a template id of SMS_SENDERS")?;
            check(text, &["code"], &["brand", "life"])
                .map_err(|mistake| format!("{mistake} in {name}"))?;
            let line_breaks = if language.is_none() { "\n" } else { "" };
            if text
                .chars()
                .any(|c| c.is_control() && !line_breaks.contains(c))
            {
                return Err(format!("has a control character in {name}"));
            }
            let known = match language {
                Some(language) => replace(&mut own.by_language, language, text),
                None => replace(&mut own.registered, name.to_owned(), text),
            };
            if known {
                return Err(format!("names {name} twice"));
            }
        }
        Ok(own)
    }

    pub(crate) fn of_language(&self, language: Language) -> Option<&str> {
        find(&self.by_language, &language)
    }

    pub(crate) fn of_template(&self, template_id: &str) -> Option<&str> {
        let own = self.registered.iter().find(|(id, _)| id == template_id);
        own.map(|(_, text)| text.as_str())
    }

    /// Every registered text, with its template id.
    pub(crate) fn registered(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.registered.iter();
        texts.map(|(id, text)| (id.as_str(), text.as_str()))
    }
}

/// Adds a text, and tells whether its name was there before.
fn replace<N: PartialEq>(texts: &mut Vec<(N, String)>, name: N, text: &str) -> bool {
    let known = find(texts, &name).is_some();
    texts.push((name, text.to_owned()));
    known
}

fn find<'a, N: PartialEq>(texts: &'a [(N, String)], name: &N) -> Option<&'a str> {
    let own = texts.iter().find(|(known, _)| known == name);
    own.map(|(_, text)| text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_needs_a_known_name_the_code_and_no_unknown_placeholder() {
        let ids = ["110712345"];
        for (name, text, mistake) in [
            ("de", "Kein Code", "lacks {code} in de"),
            (
                "de",
                "{code} {app}",
                "has an unknown placeholder; it may have {code}, {brand}, {life} in de",
            ),
            ("de", "{code", "has a brace without its counterpart in de"),
            (
                "de",
                "{code}\n@evil.example #{code}",
                "has a control character in de",
            ),
            ("110712345", "{brand}", "lacks {code} in 110712345"),
            (
                "110712345",
                "{code}\r",
                "has a control character in 110712345",
            ),
            (
                "cs",
                "{code}",
                "names neither a language nor a template id of SMS_SENDERS",
            ),
            (
                "DE",
                "{code}",
                "names neither a language nor a template id of SMS_SENDERS",
            ),
            (
                "1107",
                "{code}",
                "names neither a language nor a template id of SMS_SENDERS",
            ),
        ] {
            assert_eq!(
                OwnSmsTexts::new([(name, text)], &ids),
                Err(mistake.to_owned())
            );
        }
        for name in ["de", "110712345"] {
            let twice = OwnSmsTexts::new([(name, "{code}"), (name, "{code}.")], &ids);
            assert_eq!(twice, Err(format!("names {name} twice")));
        }
        assert!(OwnSmsTexts::new([("110712345", "{code}\n\n@example.com #{code}")], &ids).is_ok());
    }
}
