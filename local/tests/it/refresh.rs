//! A login that lasts, and ends.

use std::{collections::HashSet, time::Duration};

use axum::http::{StatusCode, header};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    faults::{Failure, failing},
    harness::{ALICE, Answer, LOGOUT, PHONE, REFRESH, TestApp},
    tokens::claims,
};

const DAY: Duration = Duration::from_hours(24);

/// How many families stand in the table.
async fn families(app: &TestApp) -> usize {
    let items = app.items().await;
    let families = items
        .iter()
        .filter(|item| item["sk"].as_s().unwrap().starts_with("family#"));
    families.count()
}

async fn log_out(app: &TestApp, body: Value) -> Answer {
    app.post(LOGOUT, body.to_string()).await
}

#[track_caller]
fn successor(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "not refreshed");
    answer.json["refresh_token"].clone()
}

#[track_caller]
fn assert_ended(answer: &Answer) {
    answer.assert_problem(400, "invalid-refresh-token");
}

#[tokio::test]
async fn a_refresh_token_is_good_for_new_tokens_of_the_same_login() {
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
            "not rotated"
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
async fn a_lost_answer_may_be_fetched_again_within_the_grace() {
    let app = TestApp::start().await;
    let first = app.log_in(ALICE).await["refresh_token"].clone();
    let second = successor(&app.refresh(&first).await);
    app.advance(Duration::from_secs(59));
    assert!(
        successor(&app.refresh(&first).await) == second,
        "another successor"
    );
    assert_eq!(families(&app).await, 1);
    // The successor is good, and once it is used, the grace is over.
    let third = successor(&app.refresh(&second).await);
    assert_ended(&app.refresh(&first).await);
    assert_ended(&app.refresh(&third).await);
    assert_eq!(families(&app).await, 0);
}

#[tokio::test]
async fn a_copied_token_ends_the_family_and_the_log_says_so_in_one_line() {
    let app = TestApp::start().await;
    let to = "copied@family.example.net";
    let stolen = app.log_in(to).await["refresh_token"].clone();
    let mine = successor(&app.refresh(&stolen).await);
    app.advance(Duration::from_mins(1));
    assert_ended(&app.refresh(&stolen).await);
    assert_ended(&app.refresh(&mine).await);
    assert_eq!(families(&app).await, 0);

    let lines = app.log.lines();
    let mut told = lines
        .iter()
        .filter(|line| line["destination"] == "c***@f***.net");
    let told = told
        .by_ref()
        .filter(|line| line["reason"] == "copied: family revoked");
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["event"], "refresh");
    assert_eq!(told[0]["outcome"], "invalid-refresh-token");
}

#[tokio::test]
async fn without_a_grace_the_second_use_ends_the_family() {
    let app = TestApp::with(&[("REFRESH_GRACE_SECONDS", "0")]).await;
    let first = app.log_in(ALICE).await["refresh_token"].clone();
    let second = successor(&app.refresh(&first).await);
    assert_ended(&app.refresh(&first).await);
    assert_ended(&app.refresh(&second).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_refreshes_at_once_get_one_successor() {
    let app = TestApp::start().await;
    for _ in 0..3 {
        let first = app.log_in(ALICE).await["refresh_token"].clone();
        let answers = join_all((0..50).map(|_| app.refresh(&first))).await;
        let successors: HashSet<String> = answers
            .iter()
            .map(|answer| successor(answer).to_string())
            .collect();
        assert_eq!(successors.len(), 1, "two live tokens");
        assert_eq!(families(&app).await, 1);
        let second: Value = successors.iter().next().unwrap().parse().unwrap();
        let third = successor(&app.refresh(&second).await);
        log_out(&app, json!({ "refresh_token": third })).await;
        app.advance(Duration::from_mins(10));
    }
}

#[tokio::test]
async fn a_login_ends_when_it_idles_and_however_busy_it_is() {
    let app = TestApp::start().await;
    let mut token = app.log_in(ALICE).await["refresh_token"].clone();
    app.advance(Duration::from_secs(7 * 24 * 60 * 60 - 1));
    token = successor(&app.refresh(&token).await);
    app.advance(7 * DAY);
    assert_ended(&app.refresh(&token).await);

    token = app.log_in(ALICE).await["refresh_token"].clone();
    for _ in 0..4 {
        app.advance(6 * DAY);
        token = successor(&app.refresh(&token).await);
    }
    app.advance(5 * DAY);
    let answer = app.refresh(&token).await;
    assert_eq!(answer.assert_ok()["refresh_expires_in"], 24 * 60 * 60);
    token = successor(&answer);
    app.advance(DAY);
    assert_ended(&app.refresh(&token).await);
}

#[tokio::test]
async fn a_user_who_may_not_log_in_any_more_cannot_refresh() {
    let app = TestApp::start().await;
    let token = app.log_in(ALICE).await["refresh_token"].clone();
    app.disable_user(ALICE).await;
    assert_ended(&app.refresh(&token).await);
    assert_eq!(families(&app).await, 0, "it is over, not put off");

    let token = app.log_in(PHONE).await["refresh_token"].clone();
    app.remove_user(PHONE).await;
    assert_ended(&app.refresh(&token).await);
    // The number's next user is another one.
    app.advance(Duration::from_mins(1));
    let token = app.log_in(PHONE).await["refresh_token"].clone();
    app.remove_user(PHONE).await;
    app.advance(Duration::from_mins(1));
    app.log_in(PHONE).await;
    assert_ended(&app.refresh(&token).await);
}

#[tokio::test]
async fn whatever_is_no_live_token_gets_one_answer() {
    let app = TestApp::start().await;
    let token = app.log_in(ALICE).await["refresh_token"].clone();
    let mut other = token.as_str().unwrap().to_owned();
    other.replace_range(0..2, if other.starts_with("AA") { "BB" } else { "AA" });
    let unknown = app.refresh(&json!(other)).await;
    for text in ["", "x", &"A".repeat(86), &"A".repeat(3000), "\u{0}", "ключ"] {
        let answer = app.refresh(&json!(text)).await;
        assert_ended(&answer);
        assert_eq!(answer.bytes, unknown.bytes);
    }
    log_out(&app, json!({ "refresh_token": token })).await;
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
async fn logging_out_ends_one_login_or_all_and_never_says_whether_there_was_one() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0"), ("SENDS_PER_HOUR", "20")]).await;
    let mut tokens = Vec::new();
    for _ in 0..4 {
        tokens.push(app.log_in(ALICE).await["refresh_token"].clone());
        app.advance(Duration::from_secs(1));
    }
    let theirs = app.log_in(PHONE).await["refresh_token"].clone();
    let all_with = |token: &Value| json!({ "refresh_token": token, "all": true });

    let first = log_out(&app, json!({ "refresh_token": tokens[0] })).await;
    assert_eq!(first.status, 204);
    assert!(first.bytes.is_empty());
    assert_eq!(first.headers["cache-control"], "no-store");
    // Ended before, never there, not ours: no word about it, and nothing else ends.
    for body in [
        all_with(&tokens[0]),
        all_with(&json!("nothing")),
        json!({ "refresh_token": "", "all": false }),
    ] {
        let answer = log_out(&app, body).await;
        let told = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.remove(header::DATE);
            (answer.status, headers, answer.bytes.clone())
        };
        assert_eq!(told(&answer), told(&first));
    }
    assert_eq!(families(&app).await, 4);

    tokens[1] = successor(&app.refresh(&tokens[1]).await);
    assert_eq!(log_out(&app, all_with(&tokens[1])).await.status, 204);
    assert_eq!(families(&app).await, 1);
    for token in &tokens {
        assert_ended(&app.refresh(token).await);
    }
    app.refresh(&theirs).await.assert_ok();
    for body in [
        json!({}),
        json!({ "all": true }),
        json!({ "refresh_token": "x", "all": "yes" }),
    ] {
        log_out(&app, body)
            .await
            .assert_problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn logging_out_everywhere_can_be_repeated_until_it_is_done() {
    let lost = ("DeleteItem", Failure::AnswerLost);
    for failures in 1..4 {
        let (app, left) = failing(&[("RESEND_COOLDOWN_SECONDS", "0")], &[]).await;
        let mut token = Value::Null;
        for _ in 0..4 {
            token = app.log_in(ALICE).await["refresh_token"].clone();
            app.advance(Duration::from_secs(1));
        }
        let all = json!({ "refresh_token": token, "all": true });
        for _ in 0..failures {
            left.lock().unwrap().extend([lost; 3]);
            let failed = log_out(&app, all.clone()).await;
            failed.assert_problem(503, "unavailable");
            left.lock().unwrap().clear();
        }
        assert_eq!(log_out(&app, all).await.status, 204);
        assert_eq!(families(&app).await, 0);
    }
}

#[tokio::test]
async fn an_old_copy_logs_out_its_own_family_alone() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let stolen = app.log_in(ALICE).await["refresh_token"].clone();
    app.refresh(&stolen).await;
    app.advance(Duration::from_mins(2));
    app.log_in(ALICE).await;
    log_out(&app, json!({ "refresh_token": stolen, "all": true })).await;
    assert_eq!(families(&app).await, 1);
}

#[tokio::test]
async fn a_lost_answer_of_the_table_neither_ends_nor_forks_a_family() {
    let lost = ("refreshed_at = :now", Failure::AnswerLost);
    let (app, left) = failing(&[], &[]).await;
    let first = app.log_in(ALICE).await["refresh_token"].clone();
    left.lock().unwrap().extend([lost]);
    let second = successor(&app.refresh(&first).await);
    assert!(left.lock().unwrap().is_empty(), "the failure happened");
    assert_eq!(families(&app).await, 1);
    successor(&app.refresh(&second).await);
}

#[tokio::test]
async fn while_the_table_or_the_key_is_out_of_reach_no_login_is_lost() {
    let refused = Failure::Error(500, "InternalServerError");
    for operation in ["GetItem", "Sign", "refreshed_at = :now"] {
        let (app, left) = failing(&[], &[]).await;
        let token = app.log_in(ALICE).await["refresh_token"].clone();
        left.lock().unwrap().extend([(operation, refused); 3]);
        app.refresh(&token).await.assert_problem(503, "unavailable");
        left.lock().unwrap().clear();
        successor(&app.refresh(&token).await);
    }
}
