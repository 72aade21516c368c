//! Refreshing a session: rotation of its token, reuse detection, and its end.

use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{ALICE, Answer, Call, CallFault, Gate, PHONE, REFRESH, TestApp};

use crate::tokens::claims;

const DAY: Duration = Duration::from_hours(24);

/// Checks that a refresh succeeded; returns the next refresh token.
#[track_caller]
pub fn next_token(answer: &Answer) -> Value {
    // The body holds tokens, so the message does not show it.
    assert_eq!(answer.status, 200, "the refresh failed");
    answer.json["refresh_token"].clone()
}

/// Checks that a refresh token is not valid any more.
#[track_caller]
pub fn assert_refused(answer: &Answer) {
    answer.assert_problem(400, "invalid-refresh-token");
}

#[tokio::test]
async fn a_refresh_token_gets_new_tokens_of_the_same_session() {
    let app = TestApp::start().await;
    for to in [ALICE, PHONE] {
        let login = app.log_in(to).await;
        app.advance(Duration::from_mins(50));
        let answer = app.refresh(&login["refresh_token"]).await;
        let renewed = answer.assert_ok();
        let names: HashSet<&str> = renewed
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            names,
            HashSet::from([
                "token",
                "token_type",
                "expires_in",
                "user_id",
                "refresh_token",
                "refresh_expires_in",
            ])
        );
        assert_eq!(renewed["user_id"], login["user_id"]);
        assert_eq!(
            (&renewed["token_type"], &renewed["expires_in"]),
            (&json!("Bearer"), &json!(3600))
        );
        assert_eq!(renewed["refresh_expires_in"], 604_800);
        assert!(
            renewed["refresh_token"] != login["refresh_token"],
            "the refresh token was not rotated"
        );

        let old = claims(&app, login["token"].as_str().unwrap()).await;
        let new = claims(&app, renewed["token"].as_str().unwrap()).await;
        for same in [
            "iss",
            "sub",
            "aud",
            "amr",
            "auth_time",
            "email",
            "phone_number",
        ] {
            assert_eq!(new[same], old[same], "{same}");
        }
        assert_eq!(new["iat"].as_u64(), old["iat"].as_u64().map(|at| at + 3000));
        assert!(new["jti"] != old["jti"]);
    }
}

#[tokio::test]
async fn a_refresh_can_be_repeated_within_the_grace_until_its_token_is_used() {
    let app = TestApp::start().await;
    let first = app.log_in(ALICE).await["refresh_token"].clone();
    let second = next_token(&app.refresh(&first).await);
    app.advance(Duration::from_secs(86_399));
    assert!(
        next_token(&app.refresh(&first).await) == second,
        "a repeated refresh got another token"
    );
    assert_eq!(app.sessions().await, 1);
    // Using the next token ends the grace of the first, whose reuse then ends the session.
    let third = next_token(&app.refresh(&second).await);
    assert_refused(&app.refresh(&first).await);
    assert_refused(&app.refresh(&third).await);
    assert_eq!(app.sessions().await, 0);
}

#[tokio::test]
async fn a_reused_token_ends_the_session_and_logs_one_line_about_it() {
    let app = TestApp::start().await;
    let to = "reused@session.example.net";
    let stolen = app.log_in(to).await["refresh_token"].clone();
    let mine = next_token(&app.refresh(&stolen).await);
    app.advance(DAY);
    assert_refused(&app.refresh(&stolen).await);
    assert_refused(&app.refresh(&mine).await);
    assert_eq!(app.sessions().await, 0);
    assert_one_reuse_in_the_log(&app, "r***@s***.net");
}

#[tokio::test]
async fn a_stolen_token_ends_the_session_once_its_successor_was_used() {
    let app = TestApp::start().await;
    let to = "stolen@parent.example.net";
    let stolen = app.log_in(to).await["refresh_token"].clone();
    let mine = next_token(&app.refresh(&stolen).await);
    app.advance(Duration::from_hours(1));
    let newer = next_token(&app.refresh(&mine).await);
    // Within the grace period of the stolen token, but its successor is used.
    assert_refused(&app.refresh(&stolen).await);
    for token in [&newer, &mine, &stolen] {
        assert_refused(&app.refresh(token).await);
    }
    assert_eq!(app.sessions().await, 0);
    assert_one_reuse_in_the_log(&app, "s***@p***.net");
}

/// Checks that one line of the log tells of a reused token of this destination.
#[track_caller]
fn assert_one_reuse_in_the_log(app: &TestApp, masked: &str) {
    let mut lines = app.log.lines_about(masked);
    lines.retain(|line| line["reason"] == otp_service::session::REUSED);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["event"], "refresh");
    assert_eq!(lines[0]["outcome"], "invalid-refresh-token");
}

#[tokio::test]
async fn a_phone_that_lost_an_answer_and_was_offline_for_an_hour_is_still_signed_in() {
    let app = TestApp::start().await;
    for call in [None, Some(Call::Rotate)] {
        app.advance(Duration::from_mins(1));
        let token = app.log_in(ALICE).await["refresh_token"].clone();
        // The answer is lost: on the way to the phone, or on the way from the table.
        if let Some(call) = call {
            let lost = CallFault::ReplyReplacedBy500;
            app.faults.inject(call, lost, usize::MAX);
        }
        let lost = app.refresh(&token).await;
        app.faults.stop();
        app.advance(Duration::from_hours(1));
        let next = next_token(&app.refresh(&token).await);
        assert!(lost.status != 200 || next == lost.json["refresh_token"]);
        let current = next_token(&app.refresh(&next).await);
        app.log_out(json!({ "refresh_token": current })).await;
    }
}

#[tokio::test]
async fn the_grace_lasts_as_long_as_a_session_without_refreshes_at_most() {
    // The default, a day, is more than these sessions live.
    let app = TestApp::with(&[("REFRESH_IDLE_SECONDS", "3600")]).await;
    let first = app.log_in(ALICE).await["refresh_token"].clone();
    let second = next_token(&app.refresh(&first).await);
    app.advance(Duration::from_secs(3599));
    assert!(next_token(&app.refresh(&first).await) == second);
    app.advance(Duration::from_secs(1));
    assert_refused(&app.refresh(&first).await);
    assert_eq!(app.sessions().await, 1, "an expired session is no reuse");
}

#[tokio::test]
async fn without_a_grace_the_second_use_of_a_token_ends_the_session() {
    let app = TestApp::with(&[("REFRESH_GRACE_SECONDS", "0")]).await;
    let first = app.log_in(ALICE).await["refresh_token"].clone();
    let second = next_token(&app.refresh(&first).await);
    assert_refused(&app.refresh(&first).await);
    assert_refused(&app.refresh(&second).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_refreshes_of_one_token_at_once_get_the_same_next_token() {
    let app = TestApp::start().await;
    for _ in 0..3 {
        let first = app.log_in(ALICE).await["refresh_token"].clone();
        let gate = Gate::of(2, Call::Rotate, "");
        app.faults.hold(&gate);
        let answers = join_all((0..50).map(|_| app.refresh(&first))).await;
        gate.assert_met();
        let answers = answers.iter().map(|answer| next_token(answer).to_string());
        let next: HashSet<String> = answers.collect();
        assert_eq!(next.len(), 1, "a session has two live tokens");
        assert_eq!(app.sessions().await, 1);
        let second: Value = next.iter().next().unwrap().parse().unwrap();
        let third = next_token(&app.refresh(&second).await);
        app.log_out(json!({ "refresh_token": third })).await;
        app.advance(Duration::from_mins(10));
    }
}

#[tokio::test]
async fn a_session_ends_after_its_idle_time_and_after_its_lifetime() {
    let app = TestApp::start().await;
    let mut token = app.log_in(ALICE).await["refresh_token"].clone();
    app.advance(Duration::from_secs(7 * 24 * 60 * 60 - 1));
    token = next_token(&app.refresh(&token).await);
    app.advance(7 * DAY);
    assert_refused(&app.refresh(&token).await);

    token = app.log_in(ALICE).await["refresh_token"].clone();
    for _ in 0..4 {
        app.advance(6 * DAY);
        token = next_token(&app.refresh(&token).await);
    }
    app.advance(5 * DAY);
    let answer = app.refresh(&token).await;
    assert_eq!(answer.assert_ok()["refresh_expires_in"], 24 * 60 * 60);
    token = next_token(&answer);
    app.advance(DAY);
    assert_refused(&app.refresh(&token).await);
}

#[tokio::test]
async fn a_disabled_or_removed_user_cannot_refresh() {
    let app = TestApp::start().await;
    let token = app.log_in(ALICE).await["refresh_token"].clone();
    app.disable_user(ALICE).await;
    assert_refused(&app.refresh(&token).await);
    assert_eq!(
        app.sessions().await,
        0,
        "the session of a disabled user stays"
    );

    let token = app.log_in(PHONE).await["refresh_token"].clone();
    app.remove_user(PHONE).await;
    assert_refused(&app.refresh(&token).await);
    // The next user of the number is another one.
    app.advance(Duration::from_mins(1));
    let token = app.log_in(PHONE).await["refresh_token"].clone();
    app.remove_user(PHONE).await;
    app.advance(Duration::from_mins(1));
    app.log_in(PHONE).await;
    assert_refused(&app.refresh(&token).await);
}

#[tokio::test]
async fn every_token_that_is_not_live_gets_the_same_answer() {
    let app = TestApp::start().await;
    let token = app.log_in(ALICE).await["refresh_token"].clone();
    let mut other = token.as_str().unwrap().to_owned();
    other.replace_range(0..2, if other.starts_with("AA") { "BB" } else { "AA" });
    let unknown = app.refresh(&json!(other)).await;
    for text in ["", "x", &"A".repeat(86), &"A".repeat(3000), "\u{0}", "ключ"] {
        let answer = app.refresh(&json!(text)).await;
        assert_refused(&answer);
        assert_eq!(answer.bytes, unknown.bytes);
    }
    app.log_out(json!({ "refresh_token": token })).await;
    assert_eq!(app.refresh(&token).await.bytes, unknown.bytes);
    for body in [
        "",
        "{}",
        "[]",
        r#"{"refresh_token":1}"#,
        r#"{"refresh_token":"x","all":true}"#,
    ] {
        app.post(REFRESH, body)
            .await
            .assert_problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn a_lost_reply_of_the_table_neither_ends_nor_forks_a_session() {
    let app = TestApp::start().await;
    let first = app.log_in(ALICE).await["refresh_token"].clone();
    let lost = CallFault::ReplyReplacedBy500;
    app.faults.inject(Call::Rotate, lost, 1);
    let second = next_token(&app.refresh(&first).await);
    assert_eq!(app.faults.pending(), 0, "the call was not made");
    assert_eq!(app.sessions().await, 1);
    next_token(&app.refresh(&second).await);
}

#[tokio::test]
async fn an_outage_of_the_table_or_of_the_signing_key_ends_no_session() {
    for call in [Call::FindSession, Call::FindUser, Call::Sign, Call::Rotate] {
        let app = TestApp::start().await;
        let token = app.log_in(ALICE).await["refresh_token"].clone();
        app.faults.inject(call, CallFault::Http500, 3);
        app.refresh(&token).await.assert_unavailable();
        app.faults.stop();
        next_token(&app.refresh(&token).await);
    }
}
