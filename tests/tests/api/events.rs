//! The events of `events/`, as the gateways make them.

use std::fs;

use otp_edge::route::Route;
use serde_json::Value;
use tests::{PHONE, TestApp};

const USER: &str = "user@example.com";

async fn invoke(app: &TestApp, name: &str, edit: impl FnOnce(&str) -> String) -> (u64, Value) {
    let file = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let event = edit(&fs::read_to_string(file).expect("the event is there"));
    let function = if name.starts_with("login") {
        Route::Login
    } else {
        Route::Validate
    };
    let answer = app.invoke(function, &event).await;
    let answer: Value = answer.expect("the event is JSON").parse().unwrap();
    let status = answer["statusCode"].as_u64().expect("a status");
    let body = match answer["body"].as_str().unwrap_or_default() {
        "" => Value::Null,
        text => text.parse().expect("the body is JSON"),
    };
    (status, body)
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
        assert_eq!(status, 200, "{name}: {body}");
        assert_eq!(app.messages(USER).len(), 1, "{name}");
    }
}

#[tokio::test]
async fn the_events_that_cannot_succeed_get_their_problems() {
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
    let (status, body) = invoke(&app, "oauth-token", str::to_owned).await;
    assert_eq!((status, &body["error"]), (400, &"invalid_grant".into()));
    assert!(app.stack.messages.messages(None).is_empty());
}

#[tokio::test]
async fn the_validation_events_log_in_with_the_code_that_was_sent() {
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
        assert_eq!(status, 200, "{validate}: {body}");
    }
}

#[tokio::test]
async fn the_events_that_need_no_code_succeed() {
    let app = TestApp::start().await;
    for (name, expected) in [
        ("logout", 204),
        ("oauth-revoke", 200),
        ("openid-configuration", 200),
        ("oauth-authorization-server", 200),
        ("jwks", 200),
    ] {
        let (status, _) = invoke(&app, name, str::to_owned).await;
        assert_eq!(status, expected, "{name}");
    }
}

/// The answer's status if a login event has these values.
async fn status_of(app: &TestApp, name: &str, values: &[(&str, &str)]) -> u64 {
    let edit = |event: &str| {
        let mut event: Value = event.parse().expect("JSON");
        for (pointer, value) in values {
            *event.pointer_mut(pointer).expect(pointer) = (*value).into();
        }
        event.to_string()
    };
    invoke(app, name, edit).await.0
}

#[tokio::test]
async fn no_prefix_but_the_stage_or_the_base_path_of_the_event_reaches_a_route() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let (rest, http, url) = (
        "login-email",
        "login-email-http-api",
        "login-email-function-url",
    );
    for path in [
        "/foo/bar/api/login-with-otp",
        "//api/login-with-otp/",
        "/v2/api/login-with-otp",
    ] {
        for (name, pointers) in [
            (rest, &["/path"][..]),
            (rest, &["/path", "/requestContext/path"]),
            (http, &["/rawPath", "/requestContext/http/path"]),
            (url, &["/rawPath", "/requestContext/http/path"]),
        ] {
            let values: Vec<_> = pointers.iter().map(|pointer| (*pointer, path)).collect();
            assert_eq!(status_of(&app, name, &values).await, 404, "{name}: {path}");
        }
    }
    let mapped = "/auth/api/login-with-otp/";
    let own = ("/requestContext/domainName", "login.example.com");
    for (name, values) in [
        (rest, [("/path", mapped), ("/requestContext/path", mapped)]),
        (
            http,
            [("/rawPath", mapped), ("/requestContext/http/path", mapped)],
        ),
    ] {
        let values = [&values[..], &[own]].concat();
        assert_eq!(status_of(&app, name, &values).await, 200, "{name}");
    }
}

#[tokio::test]
async fn an_emulators_event_of_an_http_api_may_also_have_a_field_of_a_rest_api() {
    let app = TestApp::start().await;
    // As `cargo lambda watch` sends it.
    let edit = |event: &str| {
        let mut event: Value = event.parse().expect("JSON");
        event["httpMethod"] = "GET".into();
        event["resource"] = Value::Null;
        event.to_string()
    };
    let (status, body) = invoke(&app, "login-email-function-url", edit).await;
    assert_eq!(status, 200, "{body}");
}
