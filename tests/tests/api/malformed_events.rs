//! Events that no gateway makes, handed to the functions as Lambda does.
//!
//! The cases are the same in every run.
//! `OTP_FUZZ_CASES=100000 cargo test -p tests --test api malformed_events` tries as many others.

mod cases;
mod invoker;

use std::collections::BTreeMap;

use otp_edge::route::Route;
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use self::{
    cases::{FIELDS, ODD, file, function, piece, places, runner, with, without},
    invoker::{CANARY, Invoker},
};

#[test]
fn every_odd_value_in_every_field_gets_a_documented_answer() {
    let invoker = Invoker::start();
    for (name, pointers) in FIELDS {
        let is_v2 = *name == "login-email-http-api";
        for pointer in *pointers {
            let odd = ODD.iter().map(|piece| with(file(name), pointer, piece));
            for event in odd.chain([without(file(name), pointer)]) {
                let answer = invoker
                    .assert_documented(function(name), &event)
                    .expect("JSON");
                assert_eq!(
                    answer.is_v2, is_v2,
                    "the answer to {event} has the form of another gateway"
                );
            }
        }
    }
    invoker.assert_log_lacks_the_canary();
}

#[test]
fn nonsense_in_a_field_that_nothing_depends_on_changes_nothing() {
    let invoker = Invoker::start();
    for (name, pointers) in [
        (
            "login-email",
            &[
                "/headers/Host",
                "/headers/X-Forwarded-Proto",
                "/requestContext/domainName",
                "/requestContext/stage",
            ],
        ),
        (
            "login-email-http-api",
            &[
                "/headers/host",
                "/headers/x-forwarded-proto",
                "/rawQueryString",
                "/requestContext/domainName",
            ],
        ),
    ] {
        for pointer in pointers {
            for nonsense in ["", " ", "c4n4ry[@::", "http://[", "é a b", "//"] {
                let event = with(file(name), pointer, &json!(nonsense).to_string());
                let answer = invoker
                    .assert_documented(Route::Login, &event)
                    .expect("JSON");
                assert_eq!(
                    answer.status, 200,
                    "{pointer} {nonsense:?}: {}",
                    answer.body
                );
            }
        }
    }
    invoker.assert_log_lacks_the_canary();
}

#[test]
fn a_malformed_event_is_an_invalid_request_in_the_form_of_its_gateway() {
    let invoker = Invoker::start();
    for (name, pointer, piece, status) in [
        ("login-email-base64", "/body", r#""***""#, 400),
        ("login-email", "/requestContext", "null", 400),
        ("login-email", "/path", "null", 404),
        (
            "login-email",
            "/headers",
            r#"{"Content-Type": "application/json"}"#,
            200,
        ),
        (
            "login-email",
            "/multiValueHeaders",
            r#"{"Content-Type": ["text/plain"]}"#,
            415,
        ),
        ("login-email", "/multiValueHeaders/Host", r#"["a\nb"]"#, 400),
        ("login-email-http-api", "/headers/host", r#""a\nb""#, 400),
        ("login-email", "/httpMethod", r#""""#, 400),
        ("login-email", "/httpMethod", r#""G ET""#, 400),
        ("login-email", "/httpMethod", r#""post""#, 405),
        ("login-email-http-api", "/rawPath", "null", 404),
        ("login-email-http-api", "/headers", "null", 415),
        ("login-email-http-api", "/requestContext", "[]", 400),
        (
            "login-email-http-api",
            "/requestContext/http/method",
            r#""HEAD""#,
            405,
        ),
    ] {
        let answer = invoker
            .assert_documented(Route::Login, &with(file(name), pointer, piece))
            .expect("JSON");
        assert_eq!(
            answer.status, status,
            "{name} {pointer} {piece}: {}",
            answer.body
        );
        assert_eq!(answer.is_v2, name.ends_with("http-api"));
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for event in [
        "null",
        "[]",
        "{}",
        "1e999",
        r#""c4n4ry""#,
        r#""\ud800""#,
        &deep,
    ] {
        let answer = invoker
            .assert_documented(Route::Validate, event)
            .expect("JSON");
        assert_eq!(answer.body["type"], "/problems/invalid-request");
    }
    invoker.assert_log_lacks_the_canary();
}

#[test]
fn an_event_with_more_headers_than_a_request_can_hold_is_refused() {
    let invoker = Invoker::start();
    let many: BTreeMap<_, _> = (0..40_000)
        .map(|n| (format!("x-{n}"), vec!["a"; 2]))
        .collect();
    let event = with(
        file("login-email"),
        "/multiValueHeaders",
        &json!(many).to_string(),
    );
    let answer = invoker
        .assert_documented(Route::Login, &event)
        .expect("JSON");
    assert_eq!(answer.status, 400);
}

/// Each kind of event.
const KINDS: &[&str] = &[
    "login-email",
    "login-email-base64",
    "login-email-http-api",
    "login-email-function-url",
    "login-sms",
    "login-method-not-allowed",
    "validate-email",
    "validate-sms",
    "refresh",
    "logout",
    "me",
    "oauth-token",
    "oauth-revoke",
    "openid-configuration",
    "oauth-authorization-server",
    "jwks",
];

#[test]
fn events_with_random_changes_get_documented_answers() {
    let invoker = Invoker::start();
    let changes =
        prop::collection::vec((any::<prop::sample::Index>(), piece(), any::<bool>()), 1..4);
    let case = (select(KINDS), changes);
    runner(150)
        .run(&case, |(name, changes)| {
            let mut event = file(name);
            for (at, piece, remove) in changes {
                let mut found = Vec::new();
                places(&event, "", &mut found);
                let pointer = &found[at.index(found.len())];
                let text = if remove {
                    without(event.clone(), pointer)
                } else {
                    with(event.clone(), pointer, &piece)
                };
                invoker.assert_documented(function(name), &text);
                // Some JSON does not fit a parsed value. Then no more changes are made.
                let Ok(next) = serde_json::from_str::<Value>(&text) else {
                    break;
                };
                if !next.is_object() || next.as_object().is_some_and(serde_json::Map::is_empty) {
                    break;
                }
                event = next;
            }
            Ok(())
        })
        .unwrap();
    invoker.assert_log_lacks_the_canary();
}

#[test]
fn random_bodies_get_documented_answers() {
    let invoker = Invoker::start();
    let members = prop::collection::btree_map(
        select(&[
            "email",
            "phone_number",
            "otp",
            "challenge_id",
            "Email",
            CANARY,
        ]),
        piece(),
        0..5,
    );
    let object = members.prop_map(|members| {
        let members: Vec<_> = members
            .iter()
            .map(|(name, value)| format!("\"{name}\": {value}"))
            .collect();
        format!("{{{}}}", members.join(", "))
    });
    let body = prop_oneof![object, piece(), ".{0,60}", Just("[".repeat(4000))];
    let case = (
        select(&["login-email", "login-email-http-api", "validate-email"]),
        body,
        any::<bool>(),
    );
    runner(500)
        .run(&case, |(name, body, is_base64)| {
            let mut event = file(name);
            event["body"] = json!(body);
            event["isBase64Encoded"] = json!(is_base64);
            invoker.assert_documented(function(name), &event.to_string());
            Ok(())
        })
        .unwrap();
    invoker.assert_log_lacks_the_canary();
}

#[test]
fn events_with_damaged_text_are_not_json_or_get_documented_answers() {
    let invoker = Invoker::start();
    let damage = (
        any::<prop::sample::Index>(),
        0usize..3,
        select(b"\"{[,:0\\ e"),
    );
    let case = (
        select(&[
            "login-email",
            "login-email-base64",
            "login-email-http-api",
            "validate-sms",
        ]),
        prop::collection::vec(damage, 1..4),
    );
    runner(500)
        .run(&case, |(name, damages)| {
            let mut text = file(name).to_string().into_bytes();
            for (at, cut, byte) in damages {
                let at = at.index(text.len() - 4);
                text.splice(at..at + cut, [byte]);
            }
            if let Ok(text) = String::from_utf8(text) {
                invoker.assert_documented(function(name), &text);
            }
            Ok(())
        })
        .unwrap();
    invoker.assert_log_lacks_the_canary();
}

#[test]
fn any_json_gets_a_documented_answer() {
    let invoker = Invoker::start();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    let names = prop_oneof![
        select(&[
            "httpMethod",
            "path",
            "rawPath",
            "headers",
            "requestContext",
            "http",
            "method",
            "body"
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ];
    let tree = leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..6)
                .prop_map(|members| json!(members)),
        ]
    });
    runner(500)
        .run(&tree, |event| {
            for function in [Route::Login, Route::Validate] {
                invoker
                    .assert_documented(function, &event.to_string())
                    .expect("JSON");
            }
            Ok(())
        })
        .unwrap();
    invoker.assert_log_lacks_the_canary();
}
