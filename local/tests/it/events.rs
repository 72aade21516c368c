//! The events of `events/`, as the gateways make them, into the shipped
//! handlers.

use std::fs;

use axum::http::StatusCode;
use otp::ambient;
use serde_json::Value;

use crate::harness::{PHONE, TestApp};

const USER: &str = "user@example.com";

async fn invoke(
    app: &TestApp,
    name: &str,
    edit: impl FnOnce(&str) -> String,
) -> (StatusCode, Value) {
    let file = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let event = edit(&fs::read_to_string(file).expect("the event is there"));
    let request = otp::http::event::request(&event).expect("the event is one");
    let functions = &app.stack.functions;
    let Ok(response) = if name.starts_with("login") {
        login_with_otp::handle(&functions.login, request, ambient::now()).await
    } else {
        validate_otp::handle(&functions.validate, request, ambient::now()).await
    };
    let body = match response.body().as_ref() {
        [] => Value::Null,
        text => serde_json::from_slice(text).expect("the answer is JSON"),
    };
    (response.status(), body)
}

#[tokio::test]
async fn a_login_event_of_each_kind_of_gateway_sends_a_code() {
    for name in [
        "login-email",
        "login-email-base64",
        "login-email-http-api",
        "login-email-function-url",
    ] {
        let app = TestApp::start().await;
        let (status, body) = invoke(&app, name, str::to_owned).await;
        assert_eq!(status, StatusCode::OK, "{name}: {body}");
        assert_eq!(app.messages(USER).len(), 1, "{name}");
    }
}

#[tokio::test]
async fn each_refusal_among_the_events_is_given() {
    let app = TestApp::start().await;
    for (name, expected) in [
        ("login-invalid-request", "/problems/invalid-request"),
        ("login-sms-not-allowed", "/problems/destination-not-allowed"),
        (
            "login-unsupported-media-type",
            "/problems/unsupported-media-type",
        ),
        ("login-method-not-allowed", "/problems/method-not-allowed"),
        ("validate-invalid-request", "/problems/invalid-request"),
        ("validate-email", "/problems/invalid-otp"),
        ("validate-sms", "/problems/invalid-otp"),
        ("refresh", "/problems/invalid-refresh-token"),
        ("me", "/problems/unauthorized"),
    ] {
        let (_, body) = invoke(&app, name, str::to_owned).await;
        assert_eq!(body["type"], expected, "{name}");
    }
    assert!(app.stack.messages.messages(None).is_empty());
}

#[tokio::test]
async fn the_validation_events_log_in_with_the_code_that_came() {
    let app = TestApp::start().await;
    for (login, validate, to) in [
        ("login-email", "validate-email", USER),
        ("login-sms", "validate-sms", PHONE),
    ] {
        invoke(&app, login, str::to_owned).await;
        let code = app.newest_code(to);
        let (status, body) = invoke(&app, validate, |event| {
            event.replace(
                "\\\"otp\\\": \\\"123456\\\"",
                &format!("\\\"otp\\\": \\\"{code}\\\""),
            )
        })
        .await;
        assert_eq!(status, StatusCode::OK, "{validate}: {body}");
    }
}

#[tokio::test]
async fn the_events_that_need_no_code_are_answered() {
    let app = TestApp::start().await;
    for (name, expected) in [
        ("logout", StatusCode::NO_CONTENT),
        ("openid-configuration", StatusCode::OK),
        ("jwks", StatusCode::OK),
    ] {
        let (status, _) = invoke(&app, name, str::to_owned).await;
        assert_eq!(status, expected, "{name}");
    }
}
