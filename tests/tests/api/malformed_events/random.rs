//! Events that are changed at random.

use otp_edge::route::Route;
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{
    KINDS,
    cases::{file, function, piece, places, runner, with, without},
    invoker::{CANARY, Invoker},
};

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
