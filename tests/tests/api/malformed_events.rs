//! Events that no gateway makes, handed to the functions as Lambda does.
//!
//! The cases are the same in every run.
//! `OTP_FUZZ_CASES=100000 cargo test -p tests --test api malformed_events` tries as many others.

mod cases;
mod invoker;
mod random;

use std::collections::BTreeMap;

use otp_edge::route::Route;
use serde_json::json;

use self::{
    cases::{FIELDS, ODD, file, function, with, without},
    invoker::Invoker,
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
