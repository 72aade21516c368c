//! Mistakes of a client: each is named with what is expected instead, and never with a value.

use serde_json::{Value, json};
use tests::{ALICE, Answer, LOGIN, LOGOUT, PHONE, REFRESH, TestApp, VALIDATE, other_than};

const PAGE: &str = include_str!("../../../docs/evidence/mistakes.md");

/// The rows of the table of mistakes: name, path, body, answer.
fn documented() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    let rows = PAGE
        .lines()
        .skip_while(|line| *line != "| mistake | request | `detail` |")
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let (call, body) = cells[2].split_once(' ').expect("a call and a body");
        let path = match call {
            "login" => LOGIN,
            "validate" => VALIDATE,
            _ => LOGOUT,
        };
        let body = if body == "(nothing)" {
            ""
        } else {
            body.trim_matches('`')
        };
        (cells[1], path, body, cells[3])
    })
    .collect()
}

fn detail(answer: &Answer) -> String {
    answer.assert_problem(400, "invalid-request");
    answer.text("detail")
}

#[tokio::test]
async fn the_ten_mistakes_get_the_answers_of_the_page() {
    let app = TestApp::start().await;
    let rows = documented();
    assert_eq!(rows.len(), 10, "mistakes");
    for (name, path, body, expected) in rows {
        let answer = app.post(path, body).await;
        assert_eq!(detail(&answer), expected, "{name}");
    }
    assert!(app.stack.messages.messages(None).is_empty());
}

/// Path, body, answer.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        VALIDATE,
        r#"{"email": "a@example.com"}"#,
        "`otp` is missing; it must be a string of digits.",
    ),
    (
        VALIDATE,
        r#"{"email": "a@example.com", "otp": "12 345"}"#,
        "`otp` must be a string of digits.",
    ),
    (
        VALIDATE,
        r#"{"email": "a@example.com", "otp": "123456", "challenge_id": ""}"#,
        "`challenge_id` must be the `challenge_id` of a login: 22 letters, digits, `-` or `_`.",
    ),
    (
        VALIDATE,
        r#"{"email": "a@example.com", "otp": "123456", "challenge_id": "AAAAAAAAAAAAAAAAAAAAAAA"}"#,
        "`challenge_id` must be the `challenge_id` of a login: 22 letters, digits, `-` or `_`.",
    ),
    (
        VALIDATE,
        r#"{"email": "a@example.com", "otp": "123456", "challenge_id": "AAAAAAAAAAAAAAAAAAAA+/"}"#,
        "`challenge_id` must be the `challenge_id` of a login: 22 letters, digits, `-` or `_`.",
    ),
    (
        LOGIN,
        r#"{"email": "alice"}"#,
        "`email` must be a plain e-mail address in ASCII.",
    ),
    (
        LOGIN,
        r#"{"phone_number": 14155550123}"#,
        "`phone_number` must be a string of `+` and 7 to 15 digits, the country code first \
         (E.164), not a number.",
    ),
    (
        LOGIN,
        r#"{"email": "a@example.com", "phone_number": "+14155550123"}"#,
        "The body must hold exactly one of `email` and `phone_number`, not both.",
    ),
    (
        LOGIN,
        r#"["a@example.com"]"#,
        "The body must be a JSON object, not an array.",
    ),
    (
        REFRESH,
        r#"{"refreshToken": "x"}"#,
        "`refresh_token` is missing; it must be a string. The body has an unknown member \
         `refreshToken`; did you mean `refresh_token`?",
    ),
    (
        LOGOUT,
        r#"{"refresh_token": null}"#,
        "`refresh_token` must be a string, not null.",
    ),
];

#[tokio::test]
async fn each_call_names_its_members_and_what_they_must_be() {
    let app = TestApp::start().await;
    for (path, body, expected) in MISTAKES {
        let answer = app.post(path, *body).await;
        assert_eq!(detail(&answer), *expected, "{body}");
    }
}

#[tokio::test]
async fn several_mistakes_are_named_together() {
    let app = TestApp::start().await;
    let body = r#"{"phone_number": 1, "otp": null, "otp": "1", "challenge": {}}"#;
    assert_eq!(
        detail(&app.post(VALIDATE, body).await),
        "`phone_number` must be a string of `+` and 7 to 15 digits, the country code first (E.164), \
         not a number. The body has a duplicate member `otp`; send it once. \
         The body has an unknown member `challenge`; did you mean `challenge_id`?"
    );
}

#[tokio::test]
async fn a_clients_name_is_repeated_short_and_plain() {
    let app = TestApp::start().await;
    let named = |name: &str| json!({ "email": ALICE, name: 1 }).to_string();
    let shown = [
        ("<script>", "`*script*`"),
        ("a\r\nb", "`a**b`"),
        ("+14155550123", "`************`"),
        (&"a".repeat(3000), &format!("`{}...`", "a".repeat(32))),
    ];
    for (name, expected) in shown {
        let detail = detail(&app.post(LOGIN, named(name)).await);
        assert!(detail.contains(&format!(" {expected}; ")), "{detail}");
    }
    let many: Value = (0..100).map(|n| (format!("m{n}"), json!(1))).collect();
    let detail = detail(&app.post(LOGIN, many.to_string()).await);
    assert!(detail.ends_with("There are more mistakes."), "{detail}");
    assert!(detail.len() < 1000, "{} bytes", detail.len());
}

#[tokio::test]
async fn the_log_says_what_the_client_did_wrong_without_its_words() {
    let app = TestApp::start().await;
    let wrong = [
        (
            json!({ "phone": PHONE }).to_string(),
            "did you mean `phone_number`?",
        ),
        (
            json!({ "email": ALICE, "alice@sent.example.com": 1 }).to_string(),
            "an unknown member; this call takes `email`, `phone_number`, `country`, \
             `via`, `challenge_id`, `device_token`, `locale` and `app`.",
        ),
        (
            format!("{{\"email\": \"{ALICE}\" \"x\"}}"),
            "The body is not JSON: expected `,` or `}` at line 1 column 31.",
        ),
    ];
    for (body, reason) in wrong {
        let answer = app.post(LOGIN, body).await;
        answer.assert_problem(400, "invalid-request");
        let logged = app.log.lines().into_iter().any(|line| {
            let found = line["reason"].as_str();
            line["outcome"] == "invalid-request" && found.is_some_and(|text| text.contains(reason))
        });
        assert!(logged, "the log lacks: {reason}");
    }
    for secret in [ALICE, PHONE, "sent.example.com", "sent*example"] {
        app.log.assert_lacks(secret);
    }
}

/// The log's newest reason about a destination, by its masked form.
fn newest_reason(app: &TestApp, masked: &str) -> String {
    let line = app.log.lines_about(masked).pop().expect("a line");
    line["reason"].as_str().expect("a reason").to_owned()
}

#[tokio::test]
async fn the_log_tells_why_a_code_is_refused_and_the_answer_does_not() {
    let app = TestApp::with(&[("SENDS_PER_HOUR", "100"), ("SENDS_PER_DAY", "100")]).await;
    let to = "why@refused.example.net";
    let masked = "w***@r***.net";
    let refused = async |id: Option<&str>, otp: &str, expected: &str| {
        let answer = app.validate(to, id, otp).await;
        answer.assert_problem(400, "invalid-otp");
        assert_eq!(answer.json["detail"], "Invalid OTP.");
        assert_eq!(newest_reason(&app, masked), expected);
    };
    refused(None, "123456", "no live challenge").await;
    let (id, code) = app.receive_code(to).await;
    let wrong = other_than(&code);
    refused(Some("AAAAAAAAAAAAAAAAAAAAAA"), &code, "unknown challenge").await;
    refused(Some(&id), "1", "wrong number of digits").await;
    for _ in 0..3 {
        refused(Some(&id), &wrong, "wrong code").await;
    }
    refused(Some(&id), &code, "no attempts left").await;

    app.advance(std::time::Duration::from_mins(1));
    let (used, code) = app.receive_code(to).await;
    app.validate(to, Some(&used), &code).await.assert_ok();
    refused(Some(&used), &code, "used, or void since a later login").await;
    app.advance(std::time::Duration::from_mins(5));
    refused(Some(&used), &code, "expired challenge").await;
}

#[tokio::test]
async fn the_log_has_a_reason_for_every_rejection() {
    let app = TestApp::with(&[("SMS_PREFIXES", "+1")]).await;
    app.login("+447911123456")
        .await
        .assert_problem(403, "destination-not-allowed");
    app.get(LOGIN)
        .await
        .assert_problem(405, "method-not-allowed");
    app.request(axum::http::Method::POST, LOGIN, Some("text/plain"), "")
        .await
        .assert_problem(415, "unsupported-media-type");
    for (outcome, reason) in [
        (
            "destination-not-allowed",
            "This service does not send codes to this destination.",
        ),
        ("method-not-allowed", "This address takes POST only."),
        (
            "unsupported-media-type",
            "The body must be application/json in UTF-8.",
        ),
    ] {
        let lines = app.log.lines();
        let mut lines = lines.iter();
        assert!(
            lines.any(|line| line["outcome"] == outcome && line["reason"] == reason),
            "{outcome}"
        );
    }
}
