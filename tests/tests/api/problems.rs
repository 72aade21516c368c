//! Bad input: each kind gets its problem, sends no message and uses no attempt.

use axum::http::{Method, header};
use serde_json::json;
use tests::{ALICE, KEYS, LOGIN, ME, PHONE, TestApp, VALIDATE};

/// Bodies that are not a login.
const BAD_LOGINS: &[&str] = &[
    "",
    " ",
    "null",
    "true",
    "42",
    "\"alice@example.com\"",
    "[]",
    "{}",
    "{",
    "}",
    "{]",
    "[\"alice@example.com\"]",
    "[\"alice@example.com\", null]",
    "[{\"email\":\"alice@example.com\"}]",
    "{\"email\":null}",
    "{\"email\":1}",
    "{\"email\":true}",
    "{\"email\":{}}",
    "{\"email\":[\"alice@example.com\"]}",
    "{\"email\":[\"a@example.com\",\"b@example.com\"]}",
    "{\"email\":\"\"}",
    "{\"email\":\"nobody\"}",
    "{\"Email\":\"alice@example.com\"}",
    "{\"email\":\"alice@example.com\",\"email\":\"alice@example.com\"}",
    "{\"email\":\"alice@example.com\",\"email\":\"bob@example.com\"}",
    "{\"email\":\"alice@example.com\",\"\\u0065mail\":\"bob@example.com\"}",
    "{\"email\":\"alice@example.com\",\"phone_number\":\"+14155550123\"}",
    "{\"email\":\"alice@example.com\",\"phone_number\":null}",
    "{\"email\":null,\"phone_number\":\"+14155550123\"}",
    "{\"email\":\"alice@example.com\",\"otp\":\"123456\"}",
    "{\"email\":\"alice@example.com\",\"admin\":true}",
    "{\"email\":\"alice@example.com\"} x",
    "{\"email\":\"alice@example.com\"}{}",
    "{'email':'alice@example.com'}",
    "{email:\"alice@example.com\"}",
    "{\"email\":\"alice@example.com\",}",
    "\u{FEFF}{\"email\":\"alice@example.com\"}",
    "{\"email\":\"alice@example.com\\u0000\"}",
    "{\"email\":\"\\ud800@example.com\"}",
    "{\"email\":\"alice@example.com\\r\\nBcc: bob@example.com\"}",
    "{\"email\":\"\\u212Aelvin@example.com\"}",
    "{\"email\":\"\u{131}@example.com\"}",
    "{\"email\":\"alice@ex\u{e4}mple.com\"}",
    "{\"email\":\"Alice <alice@example.com>\"}",
    "{\"email\":\"alice@example.com,bob@example.com\"}",
    "{\"email\":\"alice@[127.0.0.1]\"}",
    "{\"phone_number\":14155550123}",
    "{\"phone_number\":\"4155550123\"}",
    "{\"phone_number\":\"00 1 415 555 0123\"}",
    "{\"phone_number\":\"+1\\u00a0415 555 0123\"}",
    "{\"phone_number\":\"+44 (0)20 7946 0123\"}",
    "{\"phone_number\":\"+14155550123\\n\"}",
    "{\"email\":\"alice@example.com\\t\"}",
    "{\"phone_number\":\"+0123456789\"}",
    "{\"phone_number\":\"+\u{661}\u{664}\u{661}\u{665}\u{665}\u{665}\u{665}\u{660}\"}",
    "{\"phone_number\":\"+14155550123,+14155550124\"}",
    "email=alice%40example.com",
];

fn bad_logins() -> Vec<Vec<u8>> {
    let deep = format!("{{\"email\":{}{}}}", "[".repeat(2000), "]".repeat(2000));
    let deep_unknown = format!("{}{}", "{\"a\":".repeat(800), "}".repeat(800));
    let huge = format!("{{\"email\":\"{}@example.com\"}}", "a".repeat(5000));
    let padded = format!("{{\"email\":\"{ALICE}\"}}{}", " ".repeat(4096));
    let mut bodies: Vec<Vec<u8>> = BAD_LOGINS
        .iter()
        .copied()
        .chain([deep.as_str(), &deep_unknown, &huge, &padded])
        .map(|body| body.as_bytes().to_vec())
        .collect();
    bodies.push(b"{\"email\":\"alice\xff@example.com\"}".to_vec());
    bodies.push(b"\xff\xfe{\0}\0".to_vec());
    bodies.push(vec![b'['; 10_000]);
    bodies.push(vec![b'{'; 4096]);
    bodies.push(vec![b' '; 8 * 1024 * 1024]);
    bodies
}

#[tokio::test]
async fn a_malformed_login_is_refused_and_sends_nothing() {
    let app = TestApp::start().await;
    for body in bad_logins() {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let answer = app.post(LOGIN, body).await;
        assert_eq!(
            answer.json["type"], "/problems/invalid-request",
            "for {shown}"
        );
        answer.assert_problem(400, "invalid-request");
    }
    assert!(app.stack.messages.messages(None).is_empty());
    app.login(ALICE).await.assert_ok();
    app.login(PHONE).await.assert_ok();
}

#[tokio::test]
async fn a_malformed_validation_is_refused_and_uses_no_attempt() {
    let app = TestApp::with(&[("OTP_MAX_ATTEMPTS", "1")]).await;
    let (id, code) = app.receive_code(ALICE).await;
    let bad_otps = [
        json!(null),
        json!(123_456),
        json!(["123456"]),
        json!({ "$ne": "" }),
        json!(true),
        json!(""),
        json!("abcdef"),
        json!(" 12345"),
        json!("+12345"),
        json!("12345\u{0}"),
        json!("１２３４５６"),
        json!("\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}"),
        json!("1 2 3"),
        json!("0x1234"),
    ];
    for otp in bad_otps {
        let body = json!({ "email": ALICE, "challenge_id": id, "otp": otp });
        app.post(VALIDATE, body.to_string())
            .await
            .assert_problem(400, "invalid-request");
    }
    let other_bodies = [
        json!({ "email": ALICE, "challenge_id": id }),
        json!({ "challenge_id": id, "otp": code }),
        json!({ "email": ALICE, "phone_number": PHONE, "challenge_id": id, "otp": code }),
        json!({ "email": ALICE, "challenge_id": null, "otp": code }),
        json!({ "email": ALICE, "challenge_id": [id], "otp": code }),
        json!({ "email": ALICE, "challenge_id": id, "otp": code, "code": code }),
        json!([ALICE, null, code, id]),
    ];
    for body in other_bodies {
        app.post(VALIDATE, body.to_string())
            .await
            .assert_problem(400, "invalid-request");
    }
    // A code of another length is wrong, and is not compared.
    for otp in ["1", "12345", "1234567", &"1".repeat(3000)] {
        app.validate(ALICE, Some(&id), otp)
            .await
            .assert_problem(400, "invalid-otp");
    }
    for media_type in [None, Some("text/plain")] {
        let body = json!({ "email": ALICE, "challenge_id": id, "otp": code }).to_string();
        app.request(Method::POST, VALIDATE, media_type, body)
            .await
            .assert_problem(415, "unsupported-media-type");
    }
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn only_json_is_accepted_in_any_spelling_of_its_media_type() {
    let app = TestApp::start().await;
    let body = |n: usize| json!({ "email": format!("reader{n}@example.com") }).to_string();
    let good = [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        "application/json ;charset=\"utf-8\"",
        "application/json; charset = utf8",
        "application/json; profile=x",
        "application/json;",
    ];
    for (n, media_type) in good.into_iter().enumerate() {
        app.request(Method::POST, LOGIN, Some(media_type), body(n))
            .await
            .assert_ok();
    }
    let sent = app.stack.messages.messages(None).len();
    let bad = [
        None,
        Some(""),
        Some("text/plain"),
        Some("text/json"),
        Some("application/jsonp"),
        Some("application/problem+json"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=json"),
        Some("text/plain; application/json"),
        Some("application/json, text/plain"),
        Some("application/json; charset=iso-8859-1"),
        Some("application/json; charset=utf-16"),
        Some("application/json; charset=\"UTF-16\""),
        Some("application/json; Charset=latin1; charset=utf-8"),
        Some("application/json; charset="),
    ];
    for (n, media_type) in bad.into_iter().enumerate() {
        app.request(Method::POST, LOGIN, media_type, body(100 + n))
            .await
            .assert_problem(415, "unsupported-media-type");
    }
    assert_eq!(app.stack.messages.messages(None).len(), sent);
}

#[tokio::test]
async fn another_method_is_refused_with_the_allowed_one() {
    let app = TestApp::start().await;
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        for path in [LOGIN, VALIDATE] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = app.request(method, path, None, "").await;
            answer.assert_problem(405, "method-not-allowed");
            assert_eq!(answer.headers[header::ALLOW], "POST");
        }
    }
}

#[tokio::test]
async fn every_other_path_is_not_found() {
    let app = TestApp::start().await;
    let body = json!({ "email": ALICE }).to_string();
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/login-with-otp//",
        "/api/login",
        "/API/login-with-otp/",
        "/api/login-with-otp/x",
        "/api/validate-otp/..",
        "/api/login-with-otp%2F",
        "/foo/bar/api/login-with-otp",
        "//api/login-with-otp/",
    ] {
        app.post(path, body.clone())
            .await
            .assert_problem(404, "not-found");
    }
    assert!(app.stack.messages.messages(None).is_empty());
}

#[tokio::test]
async fn a_body_of_exactly_4_kb_is_read() {
    let app = TestApp::start().await;
    let body = json!({ "email": ALICE }).to_string();
    app.post(LOGIN, format!("{body:4096}")).await.assert_ok();
}

#[tokio::test]
async fn head_gets_the_headers_of_get_and_no_content() {
    let app = TestApp::start().await;
    let head = async |path: &str| app.request(Method::HEAD, path, None, "").await;
    for path in [KEYS, "/.well-known/openid-configuration"] {
        let (head, get) = (head(path).await, app.get(path).await);
        assert_eq!(head.status, get.status);
        for name in [header::CONTENT_TYPE, header::CACHE_CONTROL] {
            assert_eq!(head.headers[&name], get.headers[&name]);
        }
        assert!(head.bytes.is_empty());
    }
    assert_eq!(head(ME).await.status, 401);
    assert_eq!(head(LOGIN).await.status, 405);
}
