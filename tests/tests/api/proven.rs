//! What counts messages meets strangers: a destination from which codes come back is not in the
//! guard, and under conceal only messages that leave are in the guard and the caps.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use tests::{
    ALICE, LOGIN, TestApp, VALIDATE, destination,
    table::{number, partition_key},
    validation,
};

const OWN: &str = "198.51.100.7";
const STRANGER: &str = "203.0.113.9";
const FREE: [(&str, &str); 4] = [
    ("REQUESTS_PER_IP_PER_HOUR", "1000"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("SENDS_PER_HOUR", "1000"),
    ("SENDS_PER_DAY", "1000"),
];

async fn start(mode: &str) -> TestApp {
    let app = TestApp::with(&[&FREE[..], &[("UNKNOWN_USERS", mode)]].concat()).await;
    app.add_user(ALICE, false).await;
    app
}

/// How many messages are in the guards.
async fn guarded(app: &TestApp) -> i64 {
    let items = app.items().await;
    let guards = items
        .iter()
        .filter(|item| item["sk"].as_s().unwrap() == "messages");
    guards.filter_map(|item| number(item, "unproven")).sum()
}

/// Asks for a code. Whether the guard counts its message.
async fn is_counted(app: &TestApp, client: &str) -> bool {
    app.advance(Duration::from_secs(1));
    let before = guarded(app).await;
    let answer = app.post_from(client, LOGIN, &[], &destination(ALICE)).await;
    answer.assert_ok();
    guarded(app).await > before
}

async fn return_code(app: &TestApp, client: &str) {
    let guess = validation(ALICE, None, &app.newest_code(ALICE));
    app.post_from(client, VALIDATE, &[], &guess)
        .await
        .assert_ok();
}

#[tokio::test]
async fn the_guard_counts_a_proven_destination_once_two_codes_did_not_come_back() {
    for mode in ["sign-up", "conceal"] {
        let app = start(mode).await;
        assert!(is_counted(&app, OWN).await, "{mode}: nothing is proven");
        for _ in 0..2 {
            return_code(&app, OWN).await;
            for _ in 0..2 {
                assert!(!is_counted(&app, STRANGER).await, "{mode}");
            }
            assert!(is_counted(&app, STRANGER).await, "{mode}: anybody's count");
            for _ in 0..2 {
                assert!(!is_counted(&app, OWN).await, "{mode}: its own count");
            }
            assert!(is_counted(&app, OWN).await, "{mode}");
        }
    }
}

#[tokio::test]
async fn a_message_that_was_not_sent_ends_no_proof() {
    let app = start("sign-up").await;
    is_counted(&app, OWN).await;
    return_code(&app, OWN).await;
    // A client that returned a code has a count of its own.
    let alice = destination(ALICE);
    for client in [STRANGER, OWN] {
        app.stack.messages.set_refusing(true);
        for _ in 0..3 {
            app.advance(Duration::from_secs(1));
            let refused = app.post_from(client, LOGIN, &[], &alice);
            refused.await.assert_problem(502, "delivery-failed");
        }
        app.stack.messages.set_refusing(false);
        assert!(!is_counted(&app, client).await, "{client}");
    }
}

#[tokio::test]
async fn a_crowd_of_clients_that_returned_codes_is_forgotten_by_name() {
    let app = start("sign-up").await;
    is_counted(&app, OWN).await;
    return_code(&app, OWN).await;
    let mut history = app
        .partition(&partition_key(ALICE))
        .await
        .remove("history")
        .unwrap();
    for n in 0..60 {
        history.insert(format!("asked#{n:016}"), AttributeValue::N("0".to_owned()));
    }
    app.put(history).await;
    assert!(!is_counted(&app, STRANGER).await);
    let history = &app.partition(&partition_key(ALICE)).await["history"];
    assert!(!history.keys().any(|name| name.starts_with("asked#")));
}

#[tokio::test]
async fn under_conceal_a_request_that_sends_nothing_uses_up_no_cap_and_no_guard() {
    for (limit, channel) in [
        ("EMAILS_PER_DAY", "email"),
        ("CONVERSION_GUARD", "email"),
        ("SMS_PER_DAY", "sms"),
        ("SMS_PER_PREFIX_PER_DAY", "sms"),
    ] {
        let settings = [
            (limit, "2"),
            ("CONVERSION_GUARD", "0"),
            ("UNKNOWN_USERS", "conceal"),
            FREE[0],
        ];
        let app = TestApp::with(&settings).await;
        let nth = |n: usize| match channel {
            "sms" => format!("+1415{n:07}"),
            _ => format!("person{n}@example.com"),
        };
        for n in 0..5 {
            app.login(&nth(n)).await.assert_ok();
        }
        for n in 10..13 {
            app.add_user(&nth(n), false).await;
            app.login(&nth(n)).await.assert_ok();
        }
        let sent = || app.stack.messages.messages(None).len();
        assert_eq!(sent(), 2, "{limit}");
        app.advance(Duration::from_hours(24));
        app.login(&nth(12)).await.assert_ok();
        assert_eq!(sent(), 3, "{limit}: the next day");
    }
}
