//! Logging out of one session or of all.

use std::time::Duration;

use axum::http::header;
use serde_json::{Value, json};
use tests::{ALICE, Answer, Call, CallFault, PHONE, TestApp};

use crate::refresh::{assert_refused, next_token};

#[tokio::test]
async fn a_logout_ends_one_session_or_all_and_never_says_whether_there_was_one() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0"), ("SENDS_PER_HOUR", "20")]).await;
    let mut tokens = Vec::new();
    for _ in 0..4 {
        tokens.push(app.log_in(ALICE).await["refresh_token"].clone());
        app.advance(Duration::from_secs(1));
    }
    let other_users = app.log_in(PHONE).await["refresh_token"].clone();
    let all_with = |token: &Value| json!({ "refresh_token": token, "all": true });

    let first = app.log_out(json!({ "refresh_token": tokens[0] })).await;
    assert_eq!(first.status, 204);
    assert!(first.bytes.is_empty());
    assert_eq!(first.headers["cache-control"], "no-store");
    // A session that has ended, a token that never was, an empty token: the same answer, and
    // no other session ends.
    for body in [
        all_with(&tokens[0]),
        all_with(&json!("nothing")),
        json!({ "refresh_token": "", "all": false }),
    ] {
        let answer = app.log_out(body).await;
        let seen = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.remove(header::DATE);
            (answer.status, headers, answer.bytes.clone())
        };
        assert_eq!(seen(&answer), seen(&first));
    }
    assert_eq!(app.sessions().await, 4);

    tokens[1] = next_token(&app.refresh(&tokens[1]).await);
    assert_eq!(app.log_out(all_with(&tokens[1])).await.status, 204);
    assert_eq!(app.sessions().await, 1);
    for token in &tokens {
        assert_refused(&app.refresh(token).await);
    }
    app.refresh(&other_users).await.assert_ok();
    for body in [
        json!({}),
        json!({ "all": true }),
        json!({ "refresh_token": "x", "all": "yes" }),
    ] {
        app.log_out(body)
            .await
            .assert_problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn a_logout_of_all_sessions_can_be_repeated_until_it_succeeds() {
    for failures in 1..4 {
        let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
        let mut token = Value::Null;
        for _ in 0..4 {
            token = app.log_in(ALICE).await["refresh_token"].clone();
            app.advance(Duration::from_secs(1));
        }
        let all = json!({ "refresh_token": token, "all": true });
        for _ in 0..failures {
            let lost = CallFault::ReplyReplacedBy500;
            app.faults.inject(Call::EndSession, lost, 3);
            app.log_out(all.clone()).await.assert_unavailable();
            app.faults.stop();
        }
        assert_eq!(app.log_out(all).await.status, 204);
        assert_eq!(app.sessions().await, 0);
    }
}

#[tokio::test]
async fn a_logout_of_all_with_a_reused_token_ends_its_own_session_alone() {
    let settings = [
        ("RESEND_COOLDOWN_SECONDS", "0"),
        ("REFRESH_GRACE_SECONDS", "60"),
    ];
    let app = TestApp::with(&settings).await;
    let stolen = app.log_in(ALICE).await["refresh_token"].clone();
    app.refresh(&stolen).await;
    app.advance(Duration::from_mins(2));
    app.log_in(ALICE).await;
    app.log_out(json!({ "refresh_token": stolen, "all": true }))
        .await;
    assert_eq!(app.sessions().await, 1);
}
