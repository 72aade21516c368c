//! Mistakes in a request: the sentences that tell a client what to mend.

use std::borrow::Cow;

/// Why a request is invalid, in one or more sentences for the client.
///
/// No sentence holds a value of the request. A sentence may hold the name of a
/// member that this API does not know; the log's version leaves that name out,
/// because a client that swaps names and values would put a code or an address
/// there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    detail: Cow<'static, str>,
    reason: Cow<'static, str>,
}

impl Explanation {
    /// An explanation that the client and the log share.
    #[must_use]
    pub const fn new(sentence: &'static str) -> Self {
        Self {
            detail: Cow::Borrowed(sentence),
            reason: Cow::Borrowed(sentence),
        }
    }

    /// The sentences for the client.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The sentences for the log.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl From<String> for Explanation {
    fn from(sentence: String) -> Self {
        Self {
            detail: Cow::Owned(sentence.clone()),
            reason: Cow::Owned(sentence),
        }
    }
}

impl From<&'static str> for Explanation {
    fn from(sentence: &'static str) -> Self {
        Self::new(sentence)
    }
}

/// Mistakes are named together, up to this many.
const MOST: usize = 5;

/// The mistakes that are found in one request.
#[derive(Debug, Default)]
pub struct Mistakes(Vec<Explanation>);

impl Mistakes {
    /// Adds a mistake.
    pub fn note(&mut self, mistake: impl Into<Explanation>) {
        self.0.push(mistake.into());
    }

    /// Adds a member that the call does not know. `known` are the members that
    /// it knows.
    pub fn note_unknown(&mut self, name: &str, known: &[&'static str]) {
        let shown = shown(name);
        self.0.push(match nearest(name, known) {
            // The name is nearly one of ours, so it is no secret.
            Some(near) => {
                format!("The body has an unknown member `{shown}`; did you mean `{near}`?").into()
            }
            None => Explanation {
                detail: format!(
                    "The body has an unknown member `{shown}`; this call takes {}.",
                    listed(known)
                )
                .into(),
                reason: format!(
                    "The body has an unknown member; this call takes {}.",
                    listed(known)
                )
                .into(),
            },
        });
    }

    /// All mistakes as one explanation; `None` if there are none.
    #[must_use]
    pub fn explained(mut self) -> Option<Explanation> {
        if self.0.len() > MOST {
            self.0.truncate(MOST);
            self.note("There are more mistakes.");
        }
        let mut mistakes = self.0.into_iter();
        let first = mistakes.next()?;
        Some(mistakes.fold(first, |all, next| Explanation {
            detail: format!("{} {}", all.detail, next.detail).into(),
            reason: format!("{} {}", all.reason, next.reason).into(),
        }))
    }
}

/// At most this many characters of a client's name are shown.
const SHOWN: usize = 32;

/// A client's name for a member, harmless: an asterisk replaces all but letters
/// and `_`, so that no digit of a code or a number is repeated.
fn shown(name: &str) -> String {
    let mask = |c: char| {
        if c.is_ascii_alphabetic() || c == '_' {
            c
        } else {
            '*'
        }
    };
    let mut shown: String = name.chars().take(SHOWN).map(mask).collect();
    if name.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The known name that the client probably meant: the same letters, a longer
/// form, or one or two typing mistakes away.
#[must_use]
pub fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    if name.chars().count() > SHOWN {
        return None;
    }
    let given = letters(name);
    let distance = |known: &str| {
        let known = letters(known);
        if given.len() >= 3 && known.contains(&given) {
            0
        } else {
            edits(&given, &known)
        }
    };
    let allowed = if given.len() < 5 { 1 } else { 2 };
    known
        .iter()
        .map(|known| (distance(known), *known))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// The name without case and separators: `phoneNumber` is `phone_number`.
fn letters(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// The Levenshtein distance of two ASCII texts.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KNOWN: &[&str] = &["email", "phone_number", "otp", "challenge_id"];

    #[test]
    fn a_slip_of_the_pen_is_near_to_what_was_meant() {
        for (name, meant) in [
            ("Email", "email"),
            ("e-mail", "email"),
            ("emial", "email"),
            ("mail", "email"),
            ("phone", "phone_number"),
            ("phoneNumber", "phone_number"),
            ("PHONE-NUMBER", "phone_number"),
            ("phone_nubmer", "phone_number"),
            ("OTP", "otp"),
            ("opt", "otp"),
            ("challengeId", "challenge_id"),
            ("challenge", "challenge_id"),
        ] {
            let meant = (name != "opt").then_some(meant);
            assert_eq!(nearest(name, KNOWN), meant, "{name}");
        }
        for name in ["", "id", "admin", "123456", "+14155550123", "a@example.com"] {
            assert_eq!(nearest(name, KNOWN), None, "{name}");
        }
    }

    #[test]
    fn a_name_is_near_within_one_slip_of_four_letters_and_two_of_more() {
        for (name, known, is_near) in [
            ("abcd", "abcx", true),
            ("abcd", "abxx", false),
            ("abcde", "abcxx", true),
            ("abcde", "abxxx", false),
            ("abc", "xxabcxx", true),
            ("ab", "xxabxx", false),
        ] {
            let known: &'static str = known;
            assert_eq!(nearest(name, &[known]).is_some(), is_near, "{name} {known}");
        }
        let known: &[&'static str] = &["abcdex", "abcde", "abcdey"];
        assert_eq!(nearest("abcdf", known), Some("abcde"));
        // A longer name is no slip.
        let long: &'static str = "abcdefghijklmnopqrstuvwxyzabcdef";
        assert_eq!(nearest(long, &[long]), Some(long));
        assert_eq!(nearest(&format!("{long}g"), &[long]), None);
    }

    #[test]
    fn of_a_clients_name_32_letters_are_shown_and_nothing_that_could_be_a_value() {
        for (name, expected) in [
            ("phone_number", "phone_number"),
            ("a-1.b c@d", "a***b*c*d"),
            ("é", "*"),
        ] {
            assert_eq!(shown(name), expected);
        }
        assert_eq!(shown(&"a".repeat(32)), "a".repeat(32));
        assert_eq!(shown(&"a".repeat(33)), format!("{}...", "a".repeat(32)));
    }

    #[test]
    fn names_are_listed_as_a_sentence_lists_them() {
        assert_eq!(listed(&["a"]), "`a`");
        assert_eq!(listed(&["a", "b"]), "`a` and `b`");
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
    }

    #[test]
    fn mistakes_are_told_in_their_order_and_none_is_no_explanation() {
        assert_eq!(Mistakes::default().explained(), None);
        let mut mistakes = Mistakes::default();
        mistakes.note("One.");
        mistakes.note("Two.".to_owned());
        mistakes.note_unknown("secret", &["email"]);
        let explained = mistakes.explained().unwrap();
        let first = "One. Two. The body has an unknown member";
        assert_eq!(
            explained.detail(),
            format!("{first} `secret`; this call takes `email`.")
        );
        assert_eq!(
            explained.reason(),
            format!("{first}; this call takes `email`.")
        );
        let mut five = Mistakes::default();
        for _ in 0..MOST {
            five.note("x.");
        }
        assert_eq!(five.explained().unwrap().detail(), "x. x. x. x. x.");
    }

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
        ] {
            assert_eq!((edits(a, b), edits(b, a)), (expected, expected), "{a} {b}");
        }
    }

    #[test]
    fn only_a_few_mistakes_are_named() {
        let mut mistakes = Mistakes::default();
        for _ in 0..100 {
            mistakes.note_unknown("x", &["email"]);
        }
        let explained = mistakes.explained().unwrap();
        assert_eq!(explained.detail().matches("`x`").count(), MOST);
        assert!(explained.detail().ends_with("There are more mistakes."));
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn a_clients_name_is_short_and_plain_in_the_answer_and_at_most_nearly_ours_in_the_log(
            name in fuzz::text(&["phone", "+14155550123", "alice@example.com", "123456", "Email"]),
        ) {
            let mut mistakes = Mistakes::default();
            mistakes.note_unknown(&name, KNOWN);
            let explained = mistakes.explained().unwrap();
            prop_assert!(explained.detail().len() < 200);
            prop_assert!(explained.detail().bytes().all(|b| b.is_ascii() && !b.is_ascii_control()));
            prop_assert!(!explained.detail().bytes().any(|b| b.is_ascii_digit()));
            let is_near = nearest(&name, KNOWN).is_some();
            prop_assert_eq!(explained.reason() == explained.detail(), is_near);
            prop_assert!(is_near || explained.reason().starts_with("The body has an unknown member;"));
        }
    }
}
