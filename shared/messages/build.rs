//! Turns `languages/*.toml` into the table of languages. A mistake in a file stops
//! the build and names the file and the sentence.

#![expect(clippy::expect_used, reason = "Cargo stops at a build script's panic")]

#[path = "build/language_file.rs"]
mod language_file;
#[path = "src/placeholder.rs"]
mod placeholder;

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

use language_file::{Direction, LanguageFile, Plurals};

fn main() {
    println!("cargo::rerun-if-changed=languages");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut languages = BTreeMap::new();
    let mut mistakes = Vec::new();
    for entry in fs::read_dir(root.join("languages")).expect("a directory") {
        let path = entry.expect("an entry").path();
        let tag = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("UTF-8");
        let text = fs::read_to_string(&path).expect("a file of text");
        match language_file::read(tag, &text) {
            Ok(language) => drop(languages.insert(tag.to_owned(), language)),
            Err(found) => mistakes.extend(found.iter().map(|it| format!("{tag}.toml: {it}"))),
        }
    }
    let mut served: BTreeMap<String, &str> = BTreeMap::new();
    for (tag, (file, _)) in &languages {
        for alias in &file.serves {
            if let Some(other) = served.insert(alias.to_ascii_lowercase(), tag) {
                mistakes.push(format!("{tag}.toml: {other}.toml serves {alias}, too"));
            }
        }
    }
    assert!(mistakes.is_empty(), "\n{}\n", mistakes.join("\n"));
    let out = env::var_os("OUT_DIR").expect("Cargo sets it");
    fs::write(Path::new(&out).join("languages.rs"), table(&languages)).expect("written");
}

fn table(languages: &BTreeMap<String, (LanguageFile, Plurals)>) -> String {
    let mut table = format!(
        "pub(crate) static LANGUAGES: [Words; {}] = [\n",
        languages.len()
    );
    for (tag, (file, plurals)) in languages {
        let rtl = file.direction == Direction::Rtl;
        let LanguageFile {
            name,
            serves,
            sms,
            email,
            adding,
            notice,
            ..
        } = file;
        let Plurals {
            form,
            minutes,
            seconds,
        } = plurals;
        let _ = writeln!(
            table,
            "Words {{ tag: {tag:?}, name: {name:?}, serves: &{serves:?}, rtl: {rtl}, \
             form: &{form:?}, minutes: &{minutes:?}, seconds: &{seconds:?}, \
             sms_whole: {:?}, sms_short: {:?}, subject: {:?}, subject_with_code: {:?}, \
             intro: {:?}, life: {:?}, warning: {:?}, unasked: {:?}, link: {:?}, \
             requested_at: {:?}, requested_from: {:?}, adding_sms: {:?}, \
             adding_subject: {:?}, adding_intro: {:?}, notice_subject: {:?}, \
             notice_changed: {:?}, notice_removed: {:?}, notice_undo: {:?} }},",
            sms.whole,
            sms.short,
            email.subject,
            email.subject_with_code,
            email.intro,
            email.life,
            email.warning,
            email.unasked,
            email.link,
            email.requested_at,
            email.requested_from,
            adding.sms,
            adding.subject,
            adding.intro,
            notice.subject,
            notice.changed,
            notice.removed,
            notice.undo,
        );
    }
    table + "];\n"
}
