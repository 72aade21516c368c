//! The OAuth surface: metadata, the token endpoint and the revocation endpoint.

mod metadata;

use std::time::Duration;

use axum::http::{Method, header};
use serde_json::{Value, json};
use tests::{ALICE, Answer, Call, CallFault, TestApp};

use crate::tokens::claims;

const TOKEN: &str = "/oauth2/token";
const REVOKE: &str = "/oauth2/revoke";
const METADATA: &str = "/.well-known/oauth-authorization-server";
const FORM: &str = "application/x-www-form-urlencoded";

async fn post_form(app: &TestApp, path: &str, body: &str) -> Answer {
    app.request(Method::POST, path, Some(FORM), body.to_owned())
        .await
}

async fn refresh(app: &TestApp, token: &Value) -> Answer {
    let token = token.as_str().expect("a refresh token");
    let body = format!("grant_type=refresh_token&refresh_token={token}");
    post_form(app, TOKEN, &body).await
}

async fn revoke(app: &TestApp, token: &Value) -> Answer {
    let token = token.as_str().expect("a token");
    post_form(app, REVOKE, &format!("token={token}")).await
}

/// RFC 6749 section 5.2.
#[track_caller]
fn assert_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.json["error"], error, "{}", answer.json);
    assert_eq!(answer.status.as_u16(), status, "{}", answer.json);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let members = answer.json.as_object().expect("an object");
    assert_eq!(members.len(), 2, "{}", answer.json);
    let words = answer.text("error_description");
    let allowed = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(!words.is_empty() && words.bytes().all(allowed), "{words}");
}

#[track_caller]
fn assert_revoked(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert!(answer.bytes.is_empty());
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn an_oauth_client_refreshes_the_session_of_a_login() {
    let app = TestApp::with(&[("REFRESH_GRACE_SECONDS", "60")]).await;
    let login = app.log_in(ALICE).await;
    app.advance(Duration::from_mins(50));
    let answer = refresh(&app, &login["refresh_token"]).await;
    let granted = answer.assert_ok();
    assert_eq!(granted.as_object().unwrap().len(), 4);
    assert_eq!(granted["token_type"], "Bearer");
    assert_eq!(granted["expires_in"], 3600);
    let spoken = claims(&app, granted["access_token"].as_str().unwrap()).await;
    assert_eq!(spoken["sub"], login["user_id"]);
    // The same use case: a repeat within the grace gets the same successor, on either route.
    let again = refresh(&app, &login["refresh_token"]).await;
    assert!(again.assert_ok()["refresh_token"] == granted["refresh_token"]);
    let other_route = app.refresh(&login["refresh_token"]).await;
    assert!(other_route.assert_ok()["refresh_token"] == granted["refresh_token"]);
    // Many libraries name the scopes that were granted again (RFC 6749 section 6).
    let token = login["refresh_token"].as_str().unwrap();
    let scoped =
        format!("grant_type=refresh_token&refresh_token={token}&scope=openid+offline_access");
    post_form(&app, TOKEN, &scoped).await.assert_ok();
    // A reused token ends the session.
    app.advance(Duration::from_mins(1));
    assert_error(
        &refresh(&app, &login["refresh_token"]).await,
        400,
        "invalid_grant",
    );
    assert_error(
        &refresh(&app, &granted["refresh_token"]).await,
        400,
        "invalid_grant",
    );
    assert_eq!(app.sessions().await, 0);
}

#[tokio::test]
async fn each_mistake_of_a_token_request_has_its_error() {
    let app = TestApp::start().await;
    let token = app.log_in(ALICE).await["refresh_token"].clone();
    let text = token.as_str().unwrap();
    let good = format!("grant_type=refresh_token&refresh_token={text}");
    for (body, error) in [
        (String::new(), "invalid_request"),
        (format!("refresh_token={text}"), "invalid_request"),
        (
            format!("grant_type=&refresh_token={text}"),
            "invalid_request",
        ),
        ("grant_type=refresh_token".into(), "invalid_request"),
        (
            "grant_type=refresh_token&refresh_token=".into(),
            "invalid_request",
        ),
        (
            format!("{good}&grant_type=refresh_token"),
            "invalid_request",
        ),
        (format!("{good}&refresh%5Ftoken={text}"), "invalid_request"),
        (format!("{good}&state=1&state=1"), "invalid_request"),
        (
            format!("{good}&pad={}", "x".repeat(4096)),
            "invalid_request",
        ),
        (
            "grant_type=password&username=a&password=b".into(),
            "unsupported_grant_type",
        ),
        (
            "grant_type=authorization_code&code=x".into(),
            "unsupported_grant_type",
        ),
        (
            "grant_type=client_credentials".into(),
            "unsupported_grant_type",
        ),
        (format!("{good}&client_id=somebody"), "invalid_client"),
        (format!("{good}&scope=admin"), "invalid_scope"),
        (format!("{good}&scope=openid+admin"), "invalid_scope"),
        (
            "grant_type=refresh_token&refresh_token=x".into(),
            "invalid_grant",
        ),
        (
            "grant_type=refresh_token&refresh_token=%FF%00".into(),
            "invalid_grant",
        ),
        (
            format!("grant_type=refresh_token&refresh_token={}", "A".repeat(86)),
            "invalid_grant",
        ),
    ] {
        assert_error(&post_form(&app, TOKEN, &body).await, 400, error);
    }
    // None of that used the token. Unknown parameters and an empty scope do not matter.
    let body = format!("{good}&client_id=example&scope=&resource=x");
    post_form(&app, TOKEN, &body).await.assert_ok();
}

#[tokio::test]
async fn another_media_type_method_or_credentials_are_oauth_errors_too() {
    let app = TestApp::start().await;
    let good = "token=x&grant_type=refresh_token&refresh_token=x";
    for media_type in [None, Some("application/json"), Some("text/plain")] {
        for path in [TOKEN, REVOKE] {
            let answer = app.request(Method::POST, path, media_type, good).await;
            assert_error(&answer, 400, "invalid_request");
        }
    }
    for path in [TOKEN, REVOKE] {
        let answer = app.get(path).await;
        assert_error(&answer, 405, "invalid_request");
        assert_eq!(answer.headers[header::ALLOW], "POST");
        let headers = [("content-type", FORM), ("authorization", "Basic YTpi")];
        let answer = app.client.request(Method::POST, path, &headers, good);
        let answer = answer.await;
        assert_error(&answer, 401, "invalid_client");
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Basic");
    }
}

#[tokio::test]
async fn a_revocation_ends_the_session_of_a_refresh_token() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let login = app.log_in(ALICE).await;
    app.advance(Duration::from_secs(1));
    app.log_in(ALICE).await;
    for text in ["x", &"A".repeat(86), "a.b.c", "%00"] {
        assert_revoked(&post_form(&app, REVOKE, &format!("token={text}")).await);
    }
    assert_eq!(app.sessions().await, 2);
    // The hint is only a hint.
    let text = login["refresh_token"].as_str().unwrap();
    let body = format!("token={text}&token_type_hint=access_token");
    assert_revoked(&post_form(&app, REVOKE, &body).await);
    assert_eq!(app.sessions().await, 1);
    assert_error(
        &refresh(&app, &login["refresh_token"]).await,
        400,
        "invalid_grant",
    );
    assert_revoked(&revoke(&app, &login["refresh_token"]).await);
    for body in ["", "token=", "token=a&token=b"] {
        assert_error(&post_form(&app, REVOKE, body).await, 400, "invalid_request");
    }
}

#[tokio::test]
async fn an_access_token_cannot_be_revoked_and_stays_valid() {
    let app = TestApp::start().await;
    let login = app.log_in(ALICE).await;
    let token = login["token"].as_str().unwrap();
    assert_error(
        &revoke(&app, &login["token"]).await,
        400,
        "unsupported_token_type",
    );
    app.me(token).await.assert_ok();
    // One that is not valid any more is revoked already.
    app.advance(Duration::from_hours(1));
    assert_revoked(&revoke(&app, &login["token"]).await);
    assert_eq!(app.sessions().await, 1);
}

#[tokio::test]
async fn an_outage_is_told_as_one_that_passes() {
    let app = TestApp::start().await;
    let login = app.log_in(ALICE).await;
    for path in [TOKEN, REVOKE] {
        app.faults.inject(Call::FindSession, CallFault::Http500, 3);
        let token = login["refresh_token"].as_str().unwrap();
        let body = format!("grant_type=refresh_token&refresh_token={token}&token={token}");
        let answer = post_form(&app, path, &body).await;
        app.faults.stop();
        assert_error(&answer, 503, "temporarily_unavailable");
        assert!(answer.headers.contains_key(header::RETRY_AFTER));
    }
    refresh(&app, &login["refresh_token"]).await.assert_ok();
}

#[tokio::test]
async fn the_log_names_the_routes_and_their_outcomes() {
    let app = TestApp::start().await;
    let to = "oauth@log.example.net";
    let login = app.log_in(to).await;
    let granted = refresh(&app, &login["refresh_token"]).await;
    revoke(&app, &granted.json["refresh_token"]).await;
    let lines = app.log.lines_about("o***@l***.net");
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line["event"].as_str(), line["outcome"].as_str()))
        .collect();
    assert!(told.contains(&(Some("token"), Some("refreshed"))));
    assert!(told.contains(&(Some("revoke"), Some("revoked"))));
    // As on the routes in JSON, they tell whose session it was.
    for line in lines.iter().filter(|line| line["event"] != "login") {
        assert_eq!(line["user_id"], login["user_id"], "{line}");
        assert_eq!(line["session_id"], lines[1]["session_id"], "{line}");
    }
    assert!(lines[1]["session_id"].is_string());
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_use_both_routes() {
    let page = "https://www.example.com";
    let app = TestApp::with(&[("ALLOWED_ORIGINS", page)]).await;
    for path in [TOKEN, REVOKE, METADATA] {
        let headers = [
            ("origin", page),
            ("access-control-request-method", "POST"),
            ("content-type", FORM),
        ];
        let preflight = app.client.request(Method::OPTIONS, path, &headers, "");
        let preflight = preflight.await;
        assert_eq!(preflight.status, 204);
        assert_eq!(preflight.headers["access-control-allow-origin"], page);
        let answer = app.client.request(Method::POST, path, &headers, "").await;
        assert_eq!(answer.headers["access-control-allow-origin"], page);
    }
}
