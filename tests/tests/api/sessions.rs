//! A user's own sessions, and the fresh login that ending them needs.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tests::{ALICE, Answer, PHONE, SESSIONS, TestApp, VALIDATE, validation};

use crate::refresh::assert_refused;

const QUICK: &[(&str, &str)] = &[("RESEND_COOLDOWN_SECONDS", "0")];

async fn log_in_on(app: &TestApp, to: &str, device: &str) -> Value {
    let (id, code) = app.receive_code(to).await;
    let mut body = validation(to, Some(&id), &code);
    body["device"] = json!(device);
    let answer = app.post(VALIDATE, body.to_string()).await;
    answer.assert_ok().clone()
}

async fn list(app: &TestApp, login: &Value) -> Vec<Value> {
    let answer = app.with_token(Method::GET, SESSIONS, &login["token"]).await;
    answer.assert_ok()["sessions"].as_array().unwrap().clone()
}

async fn end(app: &TestApp, login: &Value, id: &Value) -> Answer {
    let path = format!("{SESSIONS}{}", id.as_str().unwrap());
    app.with_token(Method::DELETE, &path, &login["token"]).await
}

async fn end_others(app: &TestApp, login: &Value) -> Answer {
    app.with_token(Method::DELETE, SESSIONS, &login["token"])
        .await
}

fn assert_done(answer: &Answer) {
    assert_eq!(answer.status, 204);
    assert!(answer.bytes.is_empty());
    assert_eq!(answer.headers["cache-control"], "no-store");
}

fn assert_stale(answer: &Answer, max_age: u64) {
    answer.assert_problem(401, "stale-login");
    assert_eq!(answer.json["max_age"], max_age);
    let challenge =
        format!("Bearer error=\"insufficient_user_authentication\", max_age=\"{max_age}\"");
    assert_eq!(answer.headers["www-authenticate"], challenge);
}

#[tokio::test]
async fn users_see_their_own_sessions_with_devices_and_the_current_one() {
    let app = TestApp::with(QUICK).await;
    let old = log_in_on(&app, ALICE, "Alice's phone").await;
    app.advance(Duration::from_mins(1));
    let new = app.log_in(ALICE).await;
    app.log_in(PHONE).await;
    app.advance(Duration::from_mins(1));
    app.refresh(&old["refresh_token"]).await.assert_ok();

    let listed = list(&app, &new).await;
    let seen: Vec<_> = listed
        .iter()
        .map(|session| {
            let mut session = session.clone();
            assert_eq!(session["id"].take().as_str().unwrap().len(), 43);
            session
        })
        .collect();
    assert_eq!(
        seen,
        [
            json!({
                "id": null, "channel": "email", "device": "Alice's phone", "current": false,
                "created_at": "2026-01-01T00:10:00Z", "refreshed_at": "2026-01-01T00:12:00Z",
            }),
            json!({
                "id": null, "channel": "email", "device": null, "current": true,
                "created_at": "2026-01-01T00:11:00Z", "refreshed_at": "2026-01-01T00:11:00Z",
            }),
        ]
    );
    // An expired session is none.
    app.advance(Duration::from_hours(7 * 24 - 1));
    let newest = app.log_in(ALICE).await;
    app.advance(Duration::from_mins(59));
    assert_eq!(list(&app, &newest).await.len(), 2);
}

#[tokio::test]
async fn a_device_has_1_to_64_characters_and_no_control_character() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0"), ("SENDS_PER_HOUR", "20")]).await;
    let long = "\u{e9}".repeat(64);
    for device in ["x", &long] {
        let login = log_in_on(&app, ALICE, device).await;
        assert_eq!(list(&app, &login).await[0]["device"], device);
        app.advance(Duration::from_secs(1));
    }
    let (id, code) = app.receive_code(ALICE).await;
    for device in [
        json!(""),
        json!("a\nb"),
        json!(format!("{long}x")),
        json!(1),
    ] {
        let mut body = validation(ALICE, Some(&id), &code);
        body["device"] = device;
        let answer = app.post(VALIDATE, body.to_string()).await;
        answer.assert_problem(400, "invalid-request");
        assert!(answer.text("detail").starts_with("`device` must be"));
    }
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn a_user_ends_one_session_or_all_others_and_never_anothers() {
    let app = TestApp::with(QUICK).await;
    let mut logins = Vec::new();
    for _ in 0..4 {
        logins.push(app.log_in(ALICE).await);
        app.advance(Duration::from_secs(1));
    }
    let other = app.log_in(PHONE).await;
    let [_, _, second, first] = &list(&app, &logins[3]).await[..] else {
        panic!("four sessions");
    };
    let others = &list(&app, &other).await[0]["id"];

    for id in [&first["id"], &first["id"], others, &json!("nothing")] {
        assert_done(&end(&app, &logins[3], id).await);
    }
    assert_eq!(list(&app, &logins[3]).await.len(), 3);
    assert_refused(&app.refresh(&logins[0]["refresh_token"]).await);
    app.refresh(&other["refresh_token"]).await.assert_ok();

    assert_done(&end_others(&app, &logins[3]).await);
    assert_done(&end_others(&app, &logins[3]).await);
    for login in &logins[1..3] {
        assert_refused(&app.refresh(&login["refresh_token"]).await);
    }
    let left = list(&app, &logins[3]).await;
    assert_eq!(left.len(), 1);
    app.refresh(&logins[3]["refresh_token"]).await.assert_ok();
    app.refresh(&other["refresh_token"]).await.assert_ok();

    // The token of a session that has ended sees and ends nothing.
    let ended = app.with_token(Method::GET, SESSIONS, &logins[1]["token"]);
    ended.await.assert_problem(401, "unauthorized");
    let ended = end(&app, &logins[1], &second["id"]).await;
    ended.assert_problem(401, "unauthorized");
    let ended = end_others(&app, &logins[1]).await;
    ended.assert_problem(401, "unauthorized");
    assert_done(&end(&app, &logins[3], &left[0]["id"]).await);
    assert_refused(&app.refresh(&logins[3]["refresh_token"]).await);
}

#[tokio::test]
async fn only_a_login_of_the_last_ten_minutes_ends_a_session() {
    let app = TestApp::with(&[]).await;
    let login = app.log_in(ALICE).await;
    let id = list(&app, &login).await[0]["id"].clone();
    let aged = |seconds: u64| app.advance(Duration::from_secs(seconds));
    aged(599);
    assert_done(&end_others(&app, &login).await);
    aged(1);
    // A refresh is no login.
    let refreshed = app.refresh(&login["refresh_token"]).await;
    for token in [&login["token"], &refreshed.json["token"]] {
        let stale = json!({ "token": token });
        assert_stale(&end_others(&app, &stale).await, 600);
        assert_stale(&end(&app, &stale, &id).await, 600);
        assert_eq!(list(&app, &stale).await.len(), 1);
    }
    assert_done(&end(&app, &app.log_in(ALICE).await, &id).await);
}

#[tokio::test]
async fn an_operator_sets_how_old_a_login_may_be() {
    let app = TestApp::with(&[("FRESH_LOGIN_SECONDS", "5")]).await;
    let login = app.log_in(ALICE).await;
    app.advance(Duration::from_secs(4));
    assert_done(&end_others(&app, &login).await);
    app.advance(Duration::from_secs(1));
    assert_stale(&end_others(&app, &login).await, 5);
}

#[tokio::test]
async fn sessions_need_a_token_of_an_active_user() {
    let app = TestApp::start().await;
    let login = app.log_in(ALICE).await;
    let path = format!("{SESSIONS}{}", "x".repeat(43));
    let routes = [
        (Method::GET, SESSIONS),
        (Method::DELETE, SESSIONS),
        (Method::DELETE, &path),
    ];
    for (method, path) in &routes {
        let answer = app.request(method.clone(), path, None, "").await;
        answer.assert_problem(401, "unauthorized");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        let answer = app.with_token(method.clone(), path, &json!("x")).await;
        answer.assert_problem(401, "unauthorized");
    }
    app.disable_user(ALICE).await;
    for (method, path) in &routes {
        let answer = app.with_token(method.clone(), path, &login["token"]).await;
        answer.assert_problem(401, "unauthorized");
    }
    let answer = app.request(Method::PUT, SESSIONS, None, "").await;
    answer.assert_problem(405, "method-not-allowed");
    assert_eq!(answer.headers["allow"], "DELETE, GET");
    let answer = app.request(Method::GET, &path, None, "").await;
    assert_eq!(answer.headers["allow"], "DELETE");
}
