//! Text that is complete but for a code and what belongs to it. A deployment's
//! messages are rendered once for each language; a login only fills the holes.

use crate::placeholder::{Part, parts};

/// What is only known when a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hole {
    Code,
    ChallengeId,
    Time,
    Address,
}

/// The values of the holes. None of them has a character that HTML gives a meaning.
#[derive(Clone, Copy, Default)]
pub(crate) struct Values<'a> {
    pub(crate) code: &'a str,
    pub(crate) challenge_id: &'a str,
    pub(crate) time: &'a str,
    pub(crate) address: &'a str,
}

impl Values<'_> {
    const fn of(&self, hole: Hole) -> &str {
        match hole {
            Hole::Code => self.code,
            Hole::ChallengeId => self.challenge_id,
            Hole::Time => self.time,
            Hole::Address => self.address,
        }
    }
}

/// Text with holes, each at the byte that it precedes.
#[derive(Clone, Default)]
pub(crate) struct Rendered {
    text: String,
    holes: Vec<(usize, Hole)>,
}

impl Rendered {
    /// The text with all holes filled.
    pub(crate) fn fill(&self, values: &Values<'_>) -> String {
        let filled = self.holes.iter().map(|(_, hole)| values.of(*hole).len());
        let mut out = String::with_capacity(self.text.len() + filled.sum::<usize>());
        let mut from = 0;
        for (at, hole) in &self.holes {
            out.push_str(&self.text[from..*at]);
            out.push_str(values.of(*hole));
            from = *at;
        }
        out.push_str(&self.text[from..]);
        out
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(crate) fn hole(&mut self, hole: Hole) {
        self.holes.push((self.text.len(), hole));
    }
}

/// What is the same in all messages of a deployment and a language.
#[derive(Clone, Copy)]
pub(crate) struct Constants<'a> {
    pub(crate) brand: &'a str,
    pub(crate) life: &'a str,
    pub(crate) rtl: bool,
}

/// How sentences are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Plain,
    Html,
}

impl Format {
    /// Writes a sentence with its placeholders. In a language from right to left, each
    /// value but the code is isolated, so that its characters keep their order (UAX 9).
    /// The code is digits only, which keep it anyway; phones find it as a bare word.
    pub(crate) fn sentence(self, out: &mut Rendered, sentence: &str, constants: &Constants<'_>) {
        let (open, close) = match (constants.rtl, self) {
            (false, _) => ("", ""),
            (true, Self::Plain) => ("\u{2068}", "\u{2069}"),
            (true, Self::Html) => ("<bdi>", "</bdi>"),
        };
        for part in parts(sentence) {
            let name = match part {
                Part::Words(words) => {
                    self.words(out, words);
                    continue;
                }
                // It is words of the language itself.
                Part::Name("life") => {
                    self.words(out, constants.life);
                    continue;
                }
                Part::Name("code") => {
                    out.hole(Hole::Code);
                    continue;
                }
                Part::Name(name) => name,
            };
            out.push(open);
            match name {
                "brand" => self.words(out, constants.brand),
                "time" => out.hole(Hole::Time),
                "address" => out.hole(Hole::Address),
                // The build and the settings refuse other names.
                _ => {}
            }
            out.push(close);
        }
    }

    pub(crate) fn words(self, out: &mut Rendered, words: &str) {
        if self == Self::Plain || !words.contains(['&', '<', '>', '"', '\'']) {
            return out.push(words);
        }
        let mut escaped = words.replace('&', "&amp;");
        for (c, entity) in [
            ('<', "&lt;"),
            ('>', "&gt;"),
            ('"', "&quot;"),
            ('\'', "&#39;"),
        ] {
            escaped = escaped.replace(c, entity);
        }
        out.push(&escaped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format, sentence: &str, rtl: bool) -> String {
        let constants = Constants {
            brand: "A&B's",
            life: "5 minutes",
            rtl,
        };
        let mut out = Rendered::default();
        format.sentence(&mut out, sentence, &constants);
        let values = Values {
            code: "012345",
            time: "now",
            ..Values::default()
        };
        out.fill(&values)
    }

    #[test]
    fn placeholders_become_values_and_html_is_escaped() {
        let sentence = "{code} & {brand}, {life}, {time} {address}{code}";
        assert_eq!(
            written(Format::Plain, sentence, false),
            "012345 & A&B's, 5 minutes, now 012345"
        );
        assert_eq!(
            written(Format::Html, sentence, false),
            "012345 &amp; A&amp;B&#39;s, 5 minutes, now 012345"
        );
    }

    #[test]
    fn each_character_that_html_gives_a_meaning_is_escaped_even_alone() {
        for (c, entity) in [
            ("&", "&amp;"),
            ("<", "&lt;"),
            (">", "&gt;"),
            ("\"", "&quot;"),
            ("'", "&#39;"),
        ] {
            assert_eq!(written(Format::Html, c, false), entity);
            assert_eq!(written(Format::Plain, c, false), c);
        }
    }

    #[test]
    fn from_right_to_left_each_value_but_the_code_is_isolated() {
        let sentence = "{code} {brand} {life}";
        assert_eq!(
            written(Format::Plain, sentence, true),
            "012345 \u{2068}A&B's\u{2069} 5 minutes"
        );
        assert_eq!(
            written(Format::Html, sentence, true),
            "012345 <bdi>A&amp;B&#39;s</bdi> 5 minutes"
        );
    }
}
