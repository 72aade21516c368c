//! How the parsers' properties are searched for a counterexample.
//!
//! The cases are the same in every run; `OTP_FUZZ_CASES=1000000 cargo test -p
//! otp` tries that many others.

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngSeed},
};

/// For each property of a parser.
#[expect(
    clippy::disallowed_methods,
    reason = "how long to search is no setting of the service"
)]
#[must_use]
pub fn config() -> Config {
    let asked = std::env::var("OTP_FUZZ_CASES").ok();
    let asked = asked.and_then(|cases| cases.parse().ok());
    Config {
        cases: asked.unwrap_or(1000),
        rng_seed: if asked.is_some() {
            RngSeed::Random
        } else {
            RngSeed::Fixed(1)
        },
        failure_persistence: None,
        ..Config::default()
    }
}

/// Any text, and text that is almost one of the examples.
pub fn text(examples: &'static [&'static str]) -> impl Strategy<Value = String> {
    let edits = prop::collection::vec((any::<Index>(), 0usize..3, any_char()), 0..4);
    let almost = (select(examples), edits).prop_map(|(example, edits)| {
        let mut chars: Vec<char> = example.chars().collect();
        for (at, cut, new) in edits {
            let at = at.index(chars.len() + 1);
            let end = chars.len().min(at + cut);
            chars.splice(at..end, [new]);
        }
        chars.into_iter().collect()
    });
    let any = prop::collection::vec(any_char(), 0..300).prop_map(String::from_iter);
    prop_oneof![3 => almost, 1 => any]
}

fn any_char() -> impl Strategy<Value = char> {
    prop_oneof![
        2 => any::<char>(),
        2 => prop::char::range(' ', '~'),
        1 => prop::char::range('\0', '\u{ff}'),
        1 => select(vec!['\0', '\n', '\r', '@', '.', '+', ',', '=', '!', '/', ':', '٣', '３', '\u{200b}']),
    ]
}
