//! What a destination is spared, and what a client is told about it.

use std::time::Duration;

use serde_json::json;

use crate::harness::{ALICE, LOGIN, PHONE, TestApp, other_than};

#[tokio::test]
async fn a_second_send_waits_for_the_cooldown() {
    let app = TestApp::start().await;
    app.login(ALICE).await.assert_ok();
    assert_eq!(app.login(ALICE).await.assert_too_many(), 30);
    app.advance(Duration::from_millis(29_001));
    assert_eq!(app.login(ALICE).await.assert_too_many(), 1);
    assert_eq!(app.messages(ALICE).len(), 1);

    app.advance(Duration::from_secs(1));
    app.login(ALICE).await.assert_ok();
    assert_eq!(app.messages(ALICE).len(), 2);
}

#[tokio::test]
async fn an_hour_admits_its_sends_and_then_says_when_the_next_begins() {
    let app = TestApp::start().await;
    for _ in 0..5 {
        app.login(ALICE).await.assert_ok();
        app.advance(Duration::from_secs(30));
    }
    // It is 00:12:30.
    let wait = app.login(ALICE).await.assert_too_many();
    assert_eq!(wait, 47 * 60 + 30);
    app.advance(Duration::from_secs(wait - 1));
    assert_eq!(app.login(ALICE).await.assert_too_many(), 1);
    app.advance(Duration::from_secs(1));
    app.login(ALICE).await.assert_ok();
}

#[tokio::test]
async fn a_day_admits_its_sends_whatever_the_hours_do() {
    let app = TestApp::start().await;
    for _ in 0..10 {
        app.login(ALICE).await.assert_ok();
        app.advance(Duration::from_mins(20));
    }
    // It is 03:30.
    let wait = app.login(ALICE).await.assert_too_many();
    assert_eq!(wait, 20 * 3600 + 30 * 60);
    app.advance(Duration::from_secs(wait));
    app.login(ALICE).await.assert_ok();
}

#[tokio::test]
async fn the_longest_of_the_waits_is_told() {
    let app = TestApp::with(&[("SENDS_PER_HOUR", "1"), ("SENDS_PER_DAY", "1")]).await;
    app.login(ALICE).await.assert_ok();
    assert_eq!(
        app.login(ALICE).await.assert_too_many(),
        23 * 3600 + 50 * 60
    );
}

#[tokio::test]
async fn each_destination_has_limits_of_its_own() {
    let app = TestApp::with(&[("SENDS_PER_DAY", "1")]).await;
    for to in [ALICE, "bob@example.com", PHONE, "+14155550124"] {
        app.login(to).await.assert_ok();
        app.login(to).await.assert_too_many();
    }
}

#[tokio::test]
async fn spelling_a_destination_otherwise_gains_nothing() {
    let app = TestApp::start().await;
    app.login(ALICE).await.assert_ok();
    app.login("ALICE@EXAMPLE.COM").await.assert_too_many();
}

#[tokio::test]
async fn without_a_cooldown_only_the_windows_count() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    for _ in 0..5 {
        assert_eq!(app.login(ALICE).await.assert_ok()["resend_in"], 0);
    }
    app.login(ALICE).await.assert_too_many();
}

#[tokio::test]
async fn a_new_code_does_not_enlarge_the_days_guesses() {
    let app = TestApp::start().await;
    let mut compared = 0;
    for _ in 0..12 {
        let answer = app.login(ALICE).await;
        if answer.status.is_success() {
            let id = answer.json["challenge_id"].as_str().unwrap();
            let code = app.newest_code(ALICE);
            for _ in 0..3 {
                app.validate(ALICE, Some(id), &other_than(&code)).await;
                compared += 1;
            }
            app.validate(ALICE, Some(id), &code)
                .await
                .assert_problem(400, "invalid-otp");
        }
        app.advance(Duration::from_mins(20));
    }
    assert_eq!(compared, 10 * 3, "sends of the day times attempts");
}

#[tokio::test]
async fn a_number_that_is_not_sent_to_is_refused_before_anything_happens() {
    let app = TestApp::with(&[("SMS_PREFIXES", "+1,!+1900")]).await;
    for number in ["+447911123456", "+19005550123"] {
        let body = json!({ "phone_number": number });
        app.post(LOGIN, body.to_string())
            .await
            .assert_problem(403, "destination-not-allowed");
        assert!(app.messages(number).is_empty());
    }
    app.login(PHONE).await.assert_ok();
}

#[tokio::test]
async fn a_channel_that_is_switched_off_is_refused() {
    let app = TestApp::with(&[("EMAIL_FROM", ""), ("SMS_PREFIXES", "")]).await;
    for to in [ALICE, PHONE] {
        app.login(to)
            .await
            .assert_problem(403, "destination-not-allowed");
    }
}
