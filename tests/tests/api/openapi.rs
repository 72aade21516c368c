//! docs/openapi.yaml agrees with what the functions serve.

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use fancy_regex::Regex;

use otp_domain::{DestinationKind, DestinationsRefusal, LimitKind, Mark, Refusal, Unauthorized};
use otp_edge::{failure::Failure, problem::Problem, rejection::Rejection};
use otp_service::{
    Error,
    fault::{Dependency, Fault},
};
use proptest::prelude::*;
use saphyr::{LoadableYamlNode, Yaml};

const DOCUMENT: &str = include_str!("../../../docs/openapi.yaml");

/// A failure of each kind.
fn failures() -> Vec<Failure> {
    let rejections = [
        Rejection::NotFound,
        Rejection::MethodNotAllowed(vec!["POST"]),
        Rejection::OriginNotAllowed,
        Rejection::SessionMismatch,
        Rejection::UnsupportedMediaType,
        Rejection::InvalidRequest("".into()),
    ];
    let refusals = [
        Refusal::InvalidOtp(""),
        Refusal::InvalidRefreshToken(""),
        Refusal::Unauthorized(Unauthorized::NoToken),
        Refusal::StaleLogin(Duration::from_mins(10)),
        Refusal::Destinations(DestinationsRefusal::Taken),
        Refusal::Destinations(DestinationsRefusal::TooMany),
        Refusal::Destinations(DestinationsRefusal::Last),
        Refusal::Destinations(DestinationsRefusal::TooNew),
        Refusal::Destinations(DestinationsRefusal::InvalidUndo),
        Refusal::DestinationNotAllowed,
        Refusal::DestinationRefused,
        Refusal::DestinationUndeliverable(DestinationKind::Email, Mark::Bounced),
        Refusal::UserNotFound(DestinationKind::Email),
        Refusal::TooManyRequests {
            wait: Duration::ZERO,
            limit: "",
            kind: LimitKind::Cooldown,
        },
    ];
    let dependencies = [
        Dependency::Table,
        Dependency::Keys,
        Dependency::Provider,
        Dependency::Settings,
    ];
    let faults = dependencies.map(|dependency| Fault::new(dependency, "", ""));
    rejections
        .into_iter()
        .map(Failure::from)
        .chain(refusals.into_iter().map(Failure::from))
        .chain(faults.into_iter().map(|fault| Error::from(fault).into()))
        .collect()
}

#[test]
fn the_document_lists_exactly_the_problems_of_the_functions() {
    let given: BTreeSet<_> = failures()
        .iter()
        .map(|failure| Problem::of(failure).name())
        .collect();
    let described: BTreeSet<_> = DOCUMENT
        .split("/problems/")
        .skip(1)
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-');
            &rest[..end.unwrap_or(rest.len())]
        })
        // The prefix of all names, alone, is the pattern.
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(described, given);
}

#[test]
fn the_documents_examples_have_the_status_and_the_sentences_of_the_functions() {
    for failure in failures() {
        let answer = Problem::of(&failure).response();
        let body: serde_json::Value = serde_json::from_slice(answer.body()).expect("JSON");
        let name = body["type"].as_str().expect("a type");
        let at = DOCUMENT.find(&format!("  type: {name}\n"));
        let example = &DOCUMENT[at.unwrap_or_else(|| panic!("no example of {name}"))..];
        let example: Vec<_> = example.lines().take(5).map(str::trim).collect();
        assert!(
            example.contains(&format!("status: {}", body["status"]).as_str()),
            "{name}"
        );
        let title = format!("title: {}", body["title"].as_str().expect("a title"));
        assert!(example.contains(&title.as_str()), "{name}: {title}");
        let detail = body["detail"].as_str().expect("a sentence");
        // An invalid request has one of several sentences.
        if !detail.is_empty() {
            assert!(
                example.contains(&format!("detail: {detail}").as_str()),
                "{name}: {detail}"
            );
        }
    }
}

/// The pattern of a schema.
fn pattern(schema: &str) -> Regex {
    let document = &Yaml::load_from_str(DOCUMENT).expect("YAML")[0];
    let pattern = document["components"]["schemas"][schema]["pattern"].as_str();
    Regex::new(pattern.expect("a pattern")).expect("a regular expression")
}

proptest! {
    #[test]
    fn the_document_allows_every_language_tag_that_a_login_takes_and_no_other(
        subtags in prop::collection::vec(
            prop::sample::select(vec![
                "de", "DE", "zh", "cmn", "yue", "hak", "Hans", "419", "1994", "rozaj", "Rozaj12",
                "sgn", "be", "FR", "nl", "ch", "en", "gb", "OED", "i", "I", "Klingon", "tao", "min",
                "a", "u", "0", "x", "X", "co", "phonebk", "abcdefgh", "abcdefghi", "12345678", "1a",
                "", "\u{e4}", "_", " ",
            ]),
            1..7,
        ),
    ) {
        static LOCALE: LazyLock<Regex> = LazyLock::new(|| pattern("Locale"));
        let tag = subtags.join("-");
        let taken = otp_messages::LanguageChoice::by_locale(&tag).is_ok();
        prop_assert_eq!(LOCALE.is_match(&tag).unwrap(), taken, "{:?}", tag);
    }
}
