//! Users delete their account.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tests::{ALICE, Answer, Call, CallFault, LOGIN, ME, PHONE, SESSIONS, TestApp, destination};

use crate::refresh::assert_refused;

const QUICK: &[(&str, &str)] = &[("RESEND_COOLDOWN_SECONDS", "0"), ("SENDS_PER_HOUR", "20")];

async fn delete(app: &TestApp, login: &Value) -> Answer {
    app.with_token(Method::DELETE, ME, &login["token"]).await
}

async fn devices_of(app: &TestApp, to: &str) -> i64 {
    let items = app.partition(&tests::table::partition_key(to)).await;
    tests::table::number(&items["user"], "devices").unwrap_or_default()
}

#[tokio::test]
async fn a_deleted_user_is_gone_with_sessions_and_devices_and_no_other_user_is() {
    let app = TestApp::with(QUICK).await;
    let first = app.log_in(ALICE).await;
    app.advance(Duration::from_secs(1));
    let second = app.log_in(ALICE).await;
    let other = app.log_in(PHONE).await;
    assert!(app.set_claims(ALICE, r#"{"a":1}"#).await);
    assert_eq!(devices_of(&app, ALICE).await, 2);

    let answer = delete(&app, &second).await;
    assert_eq!(answer.status, 204);
    assert!(answer.bytes.is_empty());
    assert_eq!(answer.headers["cache-control"], "no-store");
    // After a lost answer, the client asks again.
    assert_eq!(delete(&app, &second).await.status, 204);
    for login in [&first, &second] {
        assert_refused(&app.refresh(&login["refresh_token"]).await);
        let token = login["token"].as_str().unwrap();
        app.me(token).await.assert_problem(401, "unauthorized");
        let list = app.with_token(Method::GET, SESSIONS, &login["token"]).await;
        list.assert_problem(401, "unauthorized");
    }
    assert_eq!(app.sessions().await, 1);
    assert_eq!(devices_of(&app, ALICE).await, 0);
    let items = app.items().await;
    let old = format!("user#{}", second["user_id"].as_str().unwrap());
    assert!(items.iter().all(|item| item["pk"].as_s().unwrap() != &old));
    app.refresh(&other["refresh_token"]).await.assert_ok();

    // The person comes back as another user, whom the old token does not touch.
    app.advance(Duration::from_secs(1));
    let again = app.log_in(ALICE).await;
    assert_eq!(again["new_user"], true);
    assert_ne!(again["user_id"], second["user_id"]);
    assert_eq!(delete(&app, &second).await.status, 204);
    let me = app.me(again["token"].as_str().unwrap()).await;
    assert!(me.assert_ok().get("claims").is_none());
    app.refresh(&again["refresh_token"]).await.assert_ok();
}

#[tokio::test]
async fn only_a_fresh_login_whose_session_stands_deletes_an_account() {
    let app = TestApp::with(QUICK).await;
    let ended = app.log_in(ALICE).await;
    app.log_out(json!({ "refresh_token": ended["refresh_token"] }))
        .await;
    delete(&app, &ended)
        .await
        .assert_problem(401, "unauthorized");
    app.advance(Duration::from_secs(1));
    let login = app.log_in(ALICE).await;
    assert_eq!(login["new_user"], false);
    app.advance(Duration::from_mins(10));
    let stale = delete(&app, &login).await;
    stale.assert_problem(401, "stale-login");
    assert_eq!(stale.json["max_age"], 600);
    app.me(login["token"].as_str().unwrap()).await.assert_ok();
    let answer = app.request(Method::DELETE, ME, None, "").await;
    answer.assert_problem(401, "unauthorized");
}

/// Who is kept out could come back as a new user.
#[tokio::test]
async fn a_disabled_user_deletes_nothing() {
    let app = TestApp::start().await;
    let login = app.log_in(ALICE).await;
    app.disable_user(ALICE).await;
    delete(&app, &login)
        .await
        .assert_problem(401, "unauthorized");
    assert_eq!(app.sessions().await, 1);
}

#[tokio::test]
async fn a_deletion_can_be_repeated_until_it_succeeds() {
    for call in [Call::ChangeUser, Call::ListSessions, Call::EndSession] {
        for fault in [CallFault::Http500, CallFault::ReplyReplacedBy500] {
            let app = TestApp::start().await;
            let login = app.log_in(ALICE).await;
            app.faults.inject(call, fault, usize::MAX);
            delete(&app, &login).await.assert_unavailable();
            app.faults.stop();
            assert_eq!(delete(&app, &login).await.status, 204);
            assert_eq!(app.sessions().await, 0);
            assert_refused(&app.refresh(&login["refresh_token"]).await);
        }
    }
}

#[tokio::test]
async fn a_page_with_the_refresh_cookie_deletes_by_its_access_token() {
    let page = [("origin", "https://www.example.com")];
    let app = TestApp::with(&[
        ("ALLOWED_ORIGINS", "https://www.example.com"),
        ("REFRESH_COOKIE", "on"),
    ])
    .await;
    let login = app
        .client
        .post(LOGIN, &page, destination(ALICE).to_string());
    let id = login.await.text("challenge_id");
    let mut body = tests::validation(ALICE, Some(&id), &app.newest_code(ALICE));
    body["cookie"] = json!(true);
    let validated = app.client.post(tests::VALIDATE, &page, body.to_string());
    let token = format!("Bearer {}", validated.await.text("token"));
    let headers = [page[0], ("authorization", token.as_str())];
    let deleted = app.client.request(Method::DELETE, ME, &headers, "").await;
    assert_eq!(deleted.status, 204);
    let allowed = &deleted.headers["access-control-allow-origin"];
    assert_eq!(allowed, "https://www.example.com");
    assert_eq!(app.sessions().await, 0);
}
