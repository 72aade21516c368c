//! The build refuses every mistake in a language's file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../build/language_file.rs"]
#[expect(dead_code, reason = "the build script reads the rest")]
mod language_file;
#[path = "../src/placeholder.rs"]
mod placeholder;

use std::{fs, path::Path};

/// Every file of `languages/`: its tag and its text.
fn files() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("languages");
    let files = fs::read_dir(directory).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let tag = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (tag, fs::read_to_string(path).unwrap())
    });
    files.collect()
}

fn mistakes(tag: &str, text: &str) -> Vec<String> {
    language_file::read(tag, text).err().unwrap_or_default()
}

#[test]
fn every_file_is_accepted_as_it_is() {
    for (tag, text) in files() {
        assert_eq!(mistakes(&tag, &text), Vec::<String>::new(), "{tag}");
    }
    assert_eq!(files().len(), 17);
}

#[test]
fn a_sentence_that_loses_a_placeholder_is_refused_in_every_language() {
    for (tag, text) in files() {
        for line in text.lines().filter(|line| line.contains('{')) {
            let key = line.split(' ').next().unwrap();
            let unit = ["one", "two", "few", "many", "other"].contains(&key);
            for (at, _) in line.match_indices('{') {
                let end = at + line[at..].find('}').unwrap() + 1;
                let optional = &line[at..end] == "{life}" && key == "whole";
                // An Arabic dual may leave the number out.
                if optional || unit && tag == "ar" {
                    continue;
                }
                let without = format!("{}x{}", &line[..at], &line[end..]);
                let found = mistakes(&tag, &text.replacen(line, &without, 1));
                // Polish and others have a word of one number, such as "1 minute".
                let allowed = unit && key == "one" && found.is_empty();
                assert!(allowed || found.len() == 1, "{tag}: {without}: {found:?}");
            }
        }
    }
}

/// What stands in the English file, what replaces it, and the mistake.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "{life} and can",
        "{lief} and can",
        "email.life has an unknown placeholder",
    ),
    (
        "intro = \"Your {brand}",
        "intro = \"Your {brand",
        "email.intro has a brace",
    ),
    ("short = \"", "short = \" ", "sms.short must be one line"),
    (
        "subject = \"Your",
        "subject = \"\\nYour",
        "email.subject must be one line",
    ),
    (
        "subject = \"Your",
        "subject = \"{code} Your",
        "email.subject has an unknown placeholder",
    ),
    (
        "one = \"{n} minute\"\n",
        "",
        "minutes must have the forms one, other",
    ),
    (
        "[seconds]",
        "[seconds]\nfew = \"{n} secs\"",
        "seconds must have the forms one, other",
    ),
    (
        "other = \"{n} seconds\"",
        "other = \"seconds\"",
        "seconds.other lacks {n}",
    ),
    (
        "serves = [\"en\"]",
        "serves = [\"de\"]",
        "`serves` must begin with the file's name",
    ),
    (
        "serves = [\"en\"]",
        "serves = [\"en\", \"e n\"]",
        "no language tag",
    ),
    ("unasked", "unaskd", "unknown field"),
    (
        "direction = \"ltr\"",
        "direction = \"up\"",
        "unknown variant",
    ),
];

#[test]
fn a_mistake_is_named_with_its_sentence() {
    let (_, english) = files().into_iter().find(|(tag, _)| tag == "en").unwrap();
    for (old, new, expected) in MISTAKES {
        assert!(english.contains(old), "{old}");
        let found = mistakes("en", &english.replacen(old, new, 1));
        assert!(
            found.iter().any(|it| it.contains(expected)),
            "{new}: {found:?}"
        );
    }
}
