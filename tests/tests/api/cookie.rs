//! The refresh token in a cookie: pages get it, scripts do not.

mod gateways;
mod mismatch;
mod page;

use std::time::Duration;

use serde_json::json;
use tests::{ALICE, Answer, Call, CallFault, LOGOUT, REFRESH, TestApp, VALIDATE, validation};

use self::page::{Page, assert_cookie_alone, set_cookie};

const PAGE: &str = "https://www.example.com";
const SETTINGS: &[(&str, &str)] = &[
    (
        "ALLOWED_ORIGINS",
        "https://www.example.com,https://app.example.com",
    ),
    ("REFRESH_COOKIE", "on"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
];
/// What a browser does not send from a page that may have the cookie.
const FOREIGN: &[Option<&str>] = &[
    None,
    Some("https://evil.example"),
    Some("https://evil.example.com"),
    Some("https://www.example.com:8443"),
    Some("http://www.example.com"),
    Some("null"),
    Some("*"),
    Some(""),
];

#[tokio::test]
async fn a_page_logs_in_refreshes_and_logs_out_by_the_cookie_alone() {
    let app = TestApp::with(SETTINGS).await;
    let mut page = Page::at(Some(PAGE));
    let answer = page.log_in(&app).await;
    assert_eq!(assert_cookie_alone(&answer), 7 * 24 * 60 * 60);
    for member in ["token", "token_type", "expires_in", "user_id", "new_user"] {
        assert!(!answer.json[member].is_null(), "{member}");
    }
    let mut tokens = vec![page.cookie.clone().unwrap()];
    for _ in 0..5 {
        app.advance(Duration::from_hours(24 * 5));
        let answer = page.post(&app, REFRESH, json!({})).await;
        assert_cookie_alone(&answer);
        tokens.push(page.cookie.clone().unwrap());
        app.me(&answer.text("token")).await.assert_ok();
    }
    // Thirty days end the session; five are left.
    let answer = page.post(&app, REFRESH, json!({})).await;
    assert_eq!(assert_cookie_alone(&answer), 5 * 24 * 60 * 60);
    tokens.push(page.cookie.clone().unwrap());

    let answer = page.post(&app, LOGOUT, json!({})).await;
    assert_eq!((answer.status.as_u16(), page.cookie), (204, None));
    assert_eq!(app.sessions().await, 0);
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 7, "a token was not rotated");
    for token in tokens {
        app.log.assert_lacks(&token);
    }
}

#[tokio::test]
async fn a_logout_by_the_cookie_can_end_all_sessions() {
    let app = TestApp::with(SETTINGS).await;
    let mut page = Page::at(Some(PAGE));
    page.log_in(&app).await;
    app.advance(Duration::from_secs(1));
    app.log_in(ALICE).await;
    page.post(&app, LOGOUT, json!({ "all": true })).await;
    assert_eq!((app.sessions().await, page.cookie), (0, None));
}

#[tokio::test]
async fn a_request_without_an_allowed_origin_gets_no_cookie_and_cannot_use_one() {
    let app = TestApp::with(SETTINGS).await;
    let mut page = Page::at(Some(PAGE));
    page.log_in(&app).await;
    app.advance(Duration::from_secs(1));
    let (id, code) = app.receive_code(ALICE).await;
    for origin in FOREIGN {
        let mut foreign = Page {
            origin: *origin,
            cookie: page.cookie.clone(),
        };
        let mut guess = validation(ALICE, Some(&id), &code);
        guess["cookie"] = json!(true);
        for (path, body) in [
            (VALIDATE, guess),
            (REFRESH, json!({})),
            (LOGOUT, json!({})),
            (LOGOUT, json!({ "all": true })),
        ] {
            let answer = foreign.post(&app, path, body).await;
            answer.assert_problem(403, "origin-not-allowed");
            assert!(!answer.headers.contains_key("set-cookie"));
            assert!(
                !answer
                    .headers
                    .contains_key("access-control-allow-credentials")
            );
        }
    }
    assert_eq!(app.sessions().await, 1);
    // Neither the code nor the token is spent.
    assert_cookie_alone(&page.post(&app, REFRESH, json!({})).await);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn a_session_without_the_cookie_stays_in_the_body() {
    let app = TestApp::with(SETTINGS).await;
    let mut page = Page::at(Some(PAGE));
    for member in [None, Some(false)] {
        let (id, code) = app.receive_code(ALICE).await;
        let mut body = validation(ALICE, Some(&id), &code);
        if let Some(member) = member {
            body["cookie"] = json!(member);
        }
        let answer = page.post(&app, VALIDATE, body).await;
        let token = answer.assert_ok()["refresh_token"].clone();
        let answer = page
            .post(&app, REFRESH, json!({ "refresh_token": token }))
            .await;
        let token = answer.assert_ok()["refresh_token"].clone();
        let answer = page
            .post(&app, LOGOUT, json!({ "refresh_token": token }))
            .await;
        assert_eq!(answer.status, 204);
        assert_eq!(page.cookie, None);
        app.advance(Duration::from_secs(1));
    }
    assert_eq!(app.sessions().await, 0);
}

#[tokio::test]
async fn a_token_in_the_body_leaves_the_cookie_alone() {
    let app = TestApp::with(SETTINGS).await;
    let mut page = Page::at(Some(PAGE));
    page.log_in(&app).await;
    let cookie = page.cookie.clone();
    app.advance(Duration::from_secs(1));
    let other = app.log_in(ALICE).await["refresh_token"].clone();
    let answer = page
        .post(&app, REFRESH, json!({ "refresh_token": other }))
        .await;
    let other = answer.assert_ok()["refresh_token"].clone();
    for body in [
        json!({ "refresh_token": other }),
        json!({ "refresh_token": "" }),
    ] {
        assert_eq!(page.post(&app, LOGOUT, body).await.status, 204);
    }
    page.post(&app, REFRESH, json!({ "refresh_token": "" }))
        .await
        .assert_problem(400, "invalid-refresh-token");
    assert!(page.cookie == cookie, "the cookie was changed");
    assert_cookie_alone(&page.post(&app, REFRESH, json!({})).await);
}

#[tokio::test]
async fn an_invalid_cookie_is_removed_and_a_fault_leaves_it() {
    let app = TestApp::with(SETTINGS).await;
    let mut page = Page::at(Some(PAGE));
    // No cookie: no session, and nothing to remove.
    let answer = page.post(&app, REFRESH, json!({})).await;
    answer.assert_problem(400, "invalid-refresh-token");
    assert!(!answer.headers.contains_key("set-cookie"));
    assert_eq!(page.post(&app, LOGOUT, json!({})).await.status, 204);

    page.log_in(&app).await;
    app.faults.inject(Call::Rotate, CallFault::Http500, 10);
    page.post(&app, REFRESH, json!({}))
        .await
        .assert_unavailable();
    app.faults.stop();
    assert!(page.cookie.is_some(), "a fault removed the cookie");
    assert_cookie_alone(&page.post(&app, REFRESH, json!({})).await);

    app.advance(Duration::from_hours(24 * 8));
    let answer = page.post(&app, REFRESH, json!({})).await;
    answer.assert_problem(400, "invalid-refresh-token");
    assert_eq!(answer.headers["access-control-allow-credentials"], "true");
    assert_eq!(page.cookie, None);
    page.cookie = Some("no token".to_owned());
    page.post(&app, REFRESH, json!({}))
        .await
        .assert_problem(400, "invalid-refresh-token");
    assert_eq!(page.cookie, None);
}

#[tokio::test]
async fn a_lost_answer_is_repeated_by_the_cookie_that_the_browser_still_has() {
    let app = TestApp::with(SETTINGS).await;
    let mut page = Page::at(Some(PAGE));
    page.log_in(&app).await;
    let before = page.cookie.clone();
    page.post(&app, REFRESH, json!({})).await;
    let first = std::mem::replace(&mut page.cookie, before);
    app.advance(Duration::from_secs(30));
    assert_cookie_alone(&page.post(&app, REFRESH, json!({})).await);
    assert!(page.cookie == first, "the repeat got another token");
    assert_eq!(app.sessions().await, 1);
}

#[tokio::test]
async fn a_repeated_validation_gets_the_same_cookie() {
    let app = TestApp::with(SETTINGS).await;
    let (id, code) = app.receive_code(ALICE).await;
    let mut body = validation(ALICE, Some(&id), &code);
    body["cookie"] = json!(true);
    let headers = [
        ("origin", PAGE),
        ("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
    ];
    let first = app.client.post(VALIDATE, &headers, body.to_string()).await;
    app.advance(Duration::from_secs(20));
    let again = app.client.post(VALIDATE, &headers, body.to_string()).await;
    let (first_age, age) = (assert_cookie_alone(&first), assert_cookie_alone(&again));
    assert_eq!(first_age, age + 20);
    let token = |answer: &Answer| set_cookie(&answer.headers).map(|(value, _)| value);
    assert!(
        token(&first) == token(&again),
        "the repeat got another token"
    );
    assert_eq!(app.sessions().await, 1);
}

#[tokio::test]
async fn without_the_setting_nothing_takes_or_sets_a_cookie() {
    let app = TestApp::with(&[SETTINGS[0]]).await;
    let mut page = Page::at(Some(PAGE));
    let (id, code) = app.receive_code(ALICE).await;
    let mut body = validation(ALICE, Some(&id), &code);
    body["cookie"] = json!(true);
    let answer = page.post(&app, VALIDATE, body.clone()).await;
    answer.assert_problem(400, "invalid-request");
    assert!(answer.text("detail").contains("`cookie`"));
    body["cookie"] = json!(false);
    let answer = page.post(&app, VALIDATE, body).await;
    page.cookie = Some(answer.assert_ok()["refresh_token"].as_str().unwrap().into());
    for path in [REFRESH, LOGOUT] {
        let answer = page.post(&app, path, json!({})).await;
        answer.assert_problem(400, "invalid-request");
        assert!(answer.text("detail").contains("`refresh_token`"));
        assert!(!answer.headers.contains_key("set-cookie"));
        assert!(
            !answer
                .headers
                .contains_key("access-control-allow-credentials")
        );
    }
    assert_eq!(app.sessions().await, 1);
}

#[tokio::test]
async fn only_json_reaches_the_cookie_and_its_members_have_types() {
    let app = TestApp::with(SETTINGS).await;
    let mut page = Page::at(Some(PAGE));
    page.log_in(&app).await;
    let cookie = format!("__Host-refresh_token={}", page.cookie.as_ref().unwrap());
    for media_type in ["text/plain", "application/x-www-form-urlencoded"] {
        let headers = [
            ("origin", PAGE),
            ("cookie", cookie.as_str()),
            ("content-type", media_type),
        ];
        let post = axum::http::Method::POST;
        let answer = app.client.request(post, LOGOUT, &headers, "{}").await;
        answer.assert_problem(415, "unsupported-media-type");
    }
    for body in [json!({ "refresh_token": null }), json!([]), json!(null)] {
        for path in [REFRESH, LOGOUT] {
            page.post(&app, path, body.clone())
                .await
                .assert_problem(400, "invalid-request");
        }
    }
    for cookie in [json!("true"), json!(1), json!(null)] {
        let mut body = validation(ALICE, None, "123456");
        body["cookie"] = cookie;
        page.post(&app, VALIDATE, body)
            .await
            .assert_problem(400, "invalid-request");
    }
    assert_cookie_alone(&page.post(&app, REFRESH, json!({})).await);
}
