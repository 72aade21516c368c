//! Unexpected JSON, and the places in an event for it.

use std::fs;

use otp_edge::route::Route;
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::{Value, json};

/// Marks the place for a raw piece of JSON.
const HERE: &str = "<here>";

/// Unexpected JSON. Not all of it fits a parsed value.
pub const ODD: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "1e999",
    "123456789012345678901234567890",
    r#""""#,
    r#"" ""#,
    r#""c4n4ry""#,
    r#""c4n4ry\r\nSet-Cookie: c4n4ry""#,
    r#""\u0000c4n4ry""#,
    r#""\ud800""#,
    r#""c4n4ry é 😀""#,
    r#""c4n4ry@example.com""#,
    r#""c4n4ry[@::""#,
    r#"":c4n4ry""#,
    r#""http://[""#,
    r#""//c4n4ry/%zz a?b#c""#,
    r#""/api/login-with-otp/ ""#,
    r#""G ET""#,
    r#""post""#,
    r#""OPTIONS""#,
    r#""HEAD""#,
    r#""CONNECT""#,
    r#""2.0""#,
    "[]",
    "{}",
    "[null]",
    r#"["c4n4ry", 1]"#,
    r#"{"c4n4ry": null}"#,
    r#"{"": ""}"#,
    r#"{"c4n4ry c4n4ry": "a"}"#,
    r#"{"x": "c4n4ry\n"}"#,
    r#"{"content-type": "application/json", "x": "é"}"#,
    r#"{"Content-Type": ["application/json", "c4n4ry"]}"#,
    r#"{"a": "b", "a": "c4n4ry"}"#,
];

/// The fields that the functions read, in each form of event.
pub const FIELDS: &[(&str, &[&str])] = &[
    (
        "login-email",
        &[
            "/httpMethod",
            "/resource",
            "/path",
            "/headers",
            "/headers/Host",
            "/headers/X-Forwarded-For",
            "/headers/X-Forwarded-Proto",
            "/headers/Content-Type",
            "/multiValueHeaders",
            "/multiValueHeaders/Host",
            "/multiValueHeaders/Host/0",
            "/queryStringParameters",
            "/multiValueQueryStringParameters",
            "/requestContext",
            "/requestContext/domainName",
            "/requestContext/path",
            "/requestContext/stage",
            "/requestContext/identity",
            "/requestContext/identity/sourceIp",
            "/requestContext/requestTimeEpoch",
            "/requestContext/httpMethod",
            "/body",
            "/isBase64Encoded",
        ],
    ),
    (
        "login-email-http-api",
        &[
            "/version",
            "/routeKey",
            "/rawPath",
            "/rawQueryString",
            "/headers",
            "/headers/host",
            "/headers/content-type",
            "/requestContext",
            "/requestContext/http",
            "/requestContext/http/method",
            "/requestContext/http/path",
            "/requestContext/http/sourceIp",
            "/requestContext/timeEpoch",
            "/body",
            "/isBase64Encoded",
        ],
    ),
    ("login-email-base64", &["/body", "/isBase64Encoded"]),
    ("validate-email", &["/body", "/path", "/headers"]),
    ("refresh", &["/body", "/path"]),
    ("logout", &["/body", "/path"]),
    ("oauth-token", &["/body", "/path"]),
    ("oauth-revoke", &["/body", "/path"]),
    ("me", &["/headers/Authorization", "/httpMethod"]),
];

/// An event of `events/`.
pub fn file(name: &str) -> Value {
    let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).expect("the event is there");
    serde_json::from_str(&text).expect("the event is JSON")
}

/// The function that the event is for, named by its first route.
pub fn function(name: &str) -> Route {
    if name.starts_with("login") {
        Route::Login
    } else {
        Route::Validate
    }
}

/// The event as text, with a raw piece of JSON in one place.
pub fn with(mut event: Value, pointer: &str, piece: &str) -> String {
    *event.pointer_mut(pointer).expect(pointer) = json!(HERE);
    event.to_string().replace(&json!(HERE).to_string(), piece)
}

/// The event as text, without one place.
pub fn without(mut event: Value, pointer: &str) -> String {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match event.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.remove(name)),
        Value::Array(values) => drop(values.remove(name.parse().unwrap())),
        _ => unreachable!("the parent of a place is an object or an array"),
    }
    event.to_string()
}

/// The JSON pointers of all places within a value.
pub fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    let mut visit = |name: &str, value: &Value| {
        let place = format!("{here}/{}", name.replace('~', "~0").replace('/', "~1"));
        found.push(place.clone());
        places(value, &place, found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| visit(name, value)),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .for_each(|(n, value)| visit(&n.to_string(), value)),
        _ => {}
    }
}

/// Runs the same cases each time, or as many random ones as `OTP_FUZZ_CASES` says.
#[expect(
    clippy::disallowed_methods,
    reason = "the variable is no setting of the service"
)]
pub fn runner(cases: u32) -> TestRunner {
    let asked = std::env::var("OTP_FUZZ_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    TestRunner::new(Config {
        cases: asked.unwrap_or(cases),
        rng_seed: if asked.is_some() {
            RngSeed::Random
        } else {
            RngSeed::Fixed(1)
        },
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    })
}

/// A raw piece of JSON.
pub fn piece() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        3 => select(ODD).prop_map(str::to_owned),
        1 => ".{0,30}".prop_map(|text| json!(text).to_string()),
        1 => "[a-z]{1,8}@example\\.com".prop_map(|text| json!(text).to_string()),
        1 => "\\+[0-9]{5,17}".prop_map(|text| json!(text).to_string()),
        1 => "[0-9]{1,12}".prop_map(|text| json!(text).to_string()),
    ]
}
