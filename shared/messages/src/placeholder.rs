//! Sentences with placeholders such as `{code}`. The build script reads the
//! languages with this module, too.

/// One part of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Words that stand as they are.
    Words(&'a str),
    /// The name of a placeholder.
    Name(&'a str),
}

/// The parts of a sentence, in order. A brace that encloses no name counts as
/// words; [`check`] reports it.
pub fn parts(sentence: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = sentence;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest.strip_prefix('{').and_then(|text| text.split_once('}')) {
            rest = after;
            return Some(Part::Name(name));
        }
        let from = usize::from(rest.starts_with('{'));
        let end = rest[from..].find('{').map_or(rest.len(), |at| at + from);
        let (words, after) = rest.split_at(end);
        rest = after;
        Some(Part::Words(words))
    })
}

/// Checks the placeholders of a sentence: every name of `required` at least once,
/// and no other than those of `optional`.
///
/// # Errors
///
/// What is wrong, without the sentence.
pub fn check(sentence: &str, required: &[&str], optional: &[&str]) -> Result<(), String> {
    let mut missing = required.to_vec();
    for part in parts(sentence) {
        match part {
            Part::Words(words) if words.contains(['{', '}']) => {
                return Err("has a brace without its counterpart".to_owned());
            }
            Part::Words(_) => {}
            Part::Name(name) => {
                if !required.contains(&name) && !optional.contains(&name) {
                    let known = [required, optional].concat().join("}, {");
                    return Err(format!(
                        "has an unknown placeholder; it may have {{{known}}}"
                    ));
                }
                missing.retain(|known| *known != name);
            }
        }
    }
    match missing.first() {
        None => Ok(()),
        Some(name) => Err(format!("lacks {{{name}}}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_words_and_names_in_their_order() {
        use Part::{Name, Words};
        for (sentence, expected) in [
            ("", &[][..]),
            ("a b", &[Words("a b")]),
            ("{a}", &[Name("a")]),
            (
                "{a}{b} c{d}",
                &[Name("a"), Name("b"), Words(" c"), Name("d")],
            ),
            ("a {b", &[Words("a "), Words("{b")]),
            ("{", &[Words("{")]),
            ("a} b", &[Words("a} b")]),
        ] {
            assert_eq!(parts(sentence).collect::<Vec<_>>(), expected, "{sentence}");
        }
    }

    #[test]
    fn a_sentence_has_what_is_required_and_nothing_unknown() {
        let check = |sentence| check(sentence, &["code", "brand"], &["life"]);
        for sentence in ["{code} {brand}", "{brand}{code}{life}{code}"] {
            assert_eq!(check(sentence), Ok(()), "{sentence}");
        }
        let unknown = "has an unknown placeholder; it may have {code}, {brand}, {life}";
        for (sentence, mistake) in [
            ("{life}", "lacks {code}"),
            ("{code}", "lacks {brand}"),
            ("{code} {brand} {app}", unknown),
            ("{code} {brand} {", "has a brace without its counterpart"),
            ("{code} {brand} }", "has a brace without its counterpart"),
        ] {
            assert_eq!(check(sentence), Err(mistake.to_owned()), "{sentence}");
        }
    }
}
