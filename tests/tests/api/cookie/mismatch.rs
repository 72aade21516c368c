//! A refresh and a logout name the session that they mean.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{ALICE, LOGOUT, REFRESH, TestApp};

use super::{PAGE, SETTINGS, page::Page};
use crate::tokens::claims;

async fn session_of(app: &TestApp, login: &Value) -> Value {
    claims(app, login["token"].as_str().unwrap()).await["sid"].clone()
}

#[tokio::test]
async fn a_request_that_means_another_session_changes_nothing() {
    let app = TestApp::start().await;
    let login = app.log_in(ALICE).await;
    let own = session_of(&app, &login).await;
    let body = |session: &Value| {
        json!({ "refresh_token": login["refresh_token"], "session_id": session }).to_string()
    };
    let other = json!("another");
    let refused = app.post(REFRESH, body(&other)).await;
    refused.assert_problem(409, "session-mismatch");
    assert_eq!(app.post(LOGOUT, body(&other)).await.status, 204);
    assert_eq!(app.sessions().await, 1);
    let refreshed = app.post(REFRESH, body(&own)).await;
    let token = refreshed.assert_ok()["refresh_token"].clone();
    let body = json!({ "refresh_token": token, "session_id": own }).to_string();
    assert_eq!(app.post(LOGOUT, body).await.status, 204);
    assert_eq!(app.sessions().await, 0);
}

#[tokio::test]
async fn a_late_refresh_and_a_repeated_logout_leave_the_cookie_of_a_later_login() {
    let app = TestApp::with(SETTINGS).await;
    let mut page = Page::at(Some(PAGE));
    let first = page.log_in(&app).await;
    let first = session_of(&app, &first.json).await;
    app.advance(Duration::from_secs(1));
    let second = page.log_in(&app).await;
    let second = session_of(&app, &second.json).await;
    let meaning = |session: &Value| json!({ "session_id": session });
    let late = page.post(&app, REFRESH, meaning(&first)).await;
    late.assert_problem(409, "session-mismatch");
    let body = json!({ "session_id": first, "all": true, "forget": true });
    let repeated = page.post(&app, LOGOUT, body).await;
    assert_eq!(repeated.status, 204);
    for answer in [late, repeated] {
        assert!(answer.headers.get("set-cookie").is_none());
    }
    assert_eq!(app.sessions().await, 2);
    page.post(&app, REFRESH, meaning(&second)).await.assert_ok();
}
