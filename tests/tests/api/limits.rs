//! Limits of each destination, and how long a refused client is told to wait.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tests::{
    ALICE, Call, PHONE, TestApp, other_than,
    table::{Item, partition_key},
};

#[tokio::test]
async fn a_second_login_waits_for_the_cooldown() {
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
async fn the_hours_limit_refuses_until_the_next_hour_begins() {
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

/// The time in which one of ten sends a day comes back.
const REFILL: u64 = 24 * 3600 / 10;

#[tokio::test]
async fn the_days_sends_come_back_one_by_one_and_not_at_midnight() {
    let app = TestApp::with(&[("SENDS_PER_HOUR", "100")]).await;
    app.advance(BEFORE_MIDNIGHT);
    for _ in 0..10 {
        app.login(ALICE).await.assert_ok();
        app.advance(Duration::from_secs(30));
    }
    // It is 00:04:50, and the first was sent at 23:59:50.
    let wait = app.login(ALICE).await.assert_too_many();
    assert_eq!(wait, REFILL - 300);
    app.advance(Duration::from_secs(wait - 1));
    assert_eq!(app.login(ALICE).await.assert_too_many(), 1);
    for _ in 0..3 {
        app.advance(Duration::from_secs(1));
        app.login(ALICE).await.assert_ok();
        app.advance(Duration::from_secs(30));
        assert_eq!(app.login(ALICE).await.text("limit"), "destination");
        app.advance(Duration::from_secs(REFILL - 31));
    }
}

#[tokio::test]
async fn sends_that_were_not_used_do_not_add_up() {
    let settings = [("SENDS_PER_HOUR", "100"), ("RESEND_COOLDOWN_SECONDS", "0")];
    let app = TestApp::with(&settings).await;
    app.login(ALICE).await.assert_ok();
    app.advance(Duration::from_hours(30 * 24));
    for _ in 0..10 {
        app.login(ALICE).await.assert_ok();
    }
    app.login(ALICE).await.assert_too_many();
}

#[tokio::test]
async fn a_client_is_told_the_longest_of_all_waits() {
    let app = TestApp::with(&[("SENDS_PER_HOUR", "1"), ("SENDS_PER_DAY", "1")]).await;
    app.login(ALICE).await.assert_ok();
    assert_eq!(
        app.login(ALICE).await.assert_too_many(),
        24 * 3600,
        "the day's one send comes back a day after it"
    );
}

#[tokio::test]
async fn each_destination_has_its_own_limits() {
    let app = TestApp::with(&[("SENDS_PER_DAY", "1")]).await;
    for to in [ALICE, "bob@example.com", PHONE, "+14155550124"] {
        app.login(to).await.assert_ok();
        app.login(to).await.assert_too_many();
    }
}

#[tokio::test]
async fn another_spelling_of_a_destination_has_the_same_limits() {
    let app = TestApp::start().await;
    app.login(ALICE).await.assert_ok();
    for spelling in [
        "ALICE@EXAMPLE.COM",
        " alice@example.com",
        "Alice@example.com  ",
    ] {
        app.login(spelling).await.assert_too_many();
    }
    app.login(PHONE).await.assert_ok();
    for spelling in ["+1 (415) 555-0123", "+1-415-555-0123", "+1.415.555.0123 "] {
        app.login(spelling).await.assert_too_many();
    }
}

#[tokio::test]
async fn without_a_cooldown_only_the_hour_and_the_day_limit_logins() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    for _ in 0..5 {
        assert_eq!(app.login(ALICE).await.assert_ok()["resend_in"], 0);
    }
    app.login(ALICE).await.assert_too_many();
}

#[tokio::test]
async fn new_codes_allow_no_more_guesses_than_the_days_limit_times_the_attempts() {
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
    // After two hours and 24 minutes, one of the ten is back.
    assert_eq!(
        compared,
        11 * 3,
        "sends in four hours times attempts at each"
    );
}

#[tokio::test]
async fn a_phone_number_outside_the_allowed_prefixes_is_refused_and_gets_no_message() {
    let app = TestApp::with(&[("SMS_PREFIXES", "+1,!+1900")]).await;
    for (number, country) in [
        ("+447400123456", json!("GB")),
        ("+88312345678", json!(null)),
    ] {
        app.login(number)
            .await
            .assert_problem(403, "destination-not-allowed");
        assert!(app.messages(number).is_empty());
        let line = app.log.lines().pop().unwrap();
        assert_eq!(
            (&line["country"], &line["channel"]),
            (&country, &json!("sms"))
        );
    }
    app.login("+19005550123")
        .await
        .assert_problem(403, "destination-not-allowed");
    app.login(PHONE).await.assert_ok();
    assert_eq!(app.log.lines().pop().unwrap()["country"], "US");
}

#[tokio::test]
async fn the_local_stack_sends_to_two_countries_and_to_the_numbers_of_documents() {
    let app = TestApp::start().await;
    for number in [
        "+14155552671",
        "+12025550123",
        "+14165550123",
        "+1234567890",
        "+15005550006",
        "+15555550100",
    ] {
        app.login(number).await.assert_ok();
    }
    for number in [
        "+19005550100",
        "+19765550100",
        "+18765550100",
        "+1900555",
        "+1415555012",
        "+447700900123",
    ] {
        app.login(number)
            .await
            .assert_problem(403, "destination-not-allowed");
        assert!(app.messages(number).is_empty());
    }
}

#[tokio::test]
async fn the_numbers_of_each_country_have_a_cap_of_their_own() {
    let app = TestApp::with(&[("SMS_PREFIXES", "US,CA"), ("SMS_PER_PREFIX_PER_DAY", "1")]).await;
    app.login("+14155550123").await.assert_ok();
    app.login("+12025550123")
        .await
        .assert_problem(429, "too-many-requests");
    app.login("+14165550123").await.assert_ok();
}

#[tokio::test]
async fn a_channel_that_is_off_is_refused() {
    let app = TestApp::with(&[("EMAIL_FROM", ""), ("SMS_PREFIXES", "")]).await;
    for to in [ALICE, PHONE] {
        app.login(to)
            .await
            .assert_problem(403, "destination-not-allowed");
    }
}

#[tokio::test]
async fn a_refused_client_learns_which_kind_of_limit_refuses() {
    let per_client = ("REQUESTS_PER_IP_PER_HOUR", "4");
    let app = TestApp::with(&[per_client, ("SMS_PER_DAY", "1")]).await;
    let kind = async |app: &TestApp, to: &str| {
        let answer = app.login(to).await;
        answer.assert_too_many();
        answer.text("limit")
    };
    app.login(PHONE).await.assert_ok();
    assert_eq!(kind(&app, PHONE).await, "deployment");
    assert_eq!(kind(&app, "+14155550124").await, "deployment");
    app.login(ALICE).await.assert_ok();
    assert_eq!(kind(&app, "bob@example.com").await, "client");

    let app = TestApp::with(&[("SENDS_PER_HOUR", "1")]).await;
    app.login(ALICE).await.assert_ok();
    assert_eq!(kind(&app, ALICE).await, "destination");

    let app = TestApp::start().await;
    app.login(ALICE).await.assert_ok();
    assert_eq!(kind(&app, ALICE).await, "cooldown");
}

#[tokio::test]
async fn what_an_instance_knows_to_refuse_is_refused_before_anything_is_read() {
    for mode in ["sign-up", "reveal", "conceal"] {
        let app = TestApp::with(&[("UNKNOWN_USERS", mode), ("SENDS_PER_HOUR", "1")]).await;
        app.add_user(ALICE, false).await;
        app.login(ALICE).await.assert_ok();
        app.login(ALICE).await.assert_too_many();
        for _ in 0..2 {
            let before = app.faults.calls().len();
            assert_eq!(app.login(ALICE).await.text("limit"), "destination");
            assert_eq!(app.faults.calls()[before..], [Call::CountRequest], "{mode}");
            // The cooldown is over, and the hour's limit is known.
            app.advance(Duration::from_secs(31));
            app.login(ALICE).await.assert_too_many();
        }
    }
}

/// Ten seconds before the midnight after the start.
const BEFORE_MIDNIGHT: Duration = Duration::from_secs(24 * 3600 - 600 - 10);

#[tokio::test]
async fn a_cooldown_goes_on_over_midnight() {
    let app = TestApp::start().await;
    app.advance(BEFORE_MIDNIGHT);
    app.login(ALICE).await.assert_ok();
    app.advance(Duration::from_secs(11));
    let refused = app.login(ALICE).await;
    assert_eq!(refused.text("limit"), "cooldown");
    assert_eq!(refused.assert_too_many(), 19);
    app.login("bob@example.com").await.assert_ok();
    app.advance(Duration::from_secs(19));
    app.login(ALICE).await.assert_ok();
}

#[tokio::test]
async fn a_cooldown_that_another_clock_started_after_midnight_counts_before_it() {
    let app = TestApp::start().await;
    app.advance(BEFORE_MIDNIGHT);
    let midnight = app.now() + 10_000;
    let text = |text: String| AttributeValue::S(text);
    app.put(Item::from([
        ("pk".to_owned(), text(partition_key(ALICE))),
        ("sk".to_owned(), text("guesses".to_owned())),
        (
            "cooling_until".to_owned(),
            AttributeValue::N((midnight + 30_000).to_string()),
        ),
    ]))
    .await;
    assert_eq!(app.login(ALICE).await.assert_too_many(), 40);
}

#[tokio::test]
async fn the_kind_of_a_limit_does_not_tell_who_has_an_account() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "30")]).await;
    app.log_in(ALICE).await;
    app.advance(Duration::from_mins(1));
    let concealed = app
        .deploy(|settings| {
            settings.login.as_mut().unwrap().policy.unknown_users =
                otp_domain::UnknownUsers::Conceal;
            settings.sessions.policy.unknown_users = otp_domain::UnknownUsers::Conceal;
        })
        .await;
    let mut kinds = Vec::new();
    for to in [ALICE, "nobody@example.com"] {
        concealed.login(to).await.assert_ok();
        kinds.push(concealed.login(to).await.text("limit"));
    }
    assert_eq!(kinds, ["cooldown", "cooldown"]);
}
