//! The conversion guard: messages whose codes do not come back.

use std::time::Duration;

use tests::{ALICE, LOGIN, TestApp, destination, table::number};

const DAY: Duration = Duration::from_hours(24);

/// The n-th of many destinations of a channel.
fn nth(channel: &str, n: usize) -> String {
    match channel {
        "sms" => format!("+1415{n:07}"),
        _ => format!("person{n}@example.com"),
    }
}

async fn guarded(room: &str) -> TestApp {
    let settings = [
        ("CONVERSION_GUARD", room),
        ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
        ("SMS_PREFIXES", "+1,+44"),
    ];
    TestApp::with(&settings).await
}

async fn redeem(app: &TestApp, to: &str) {
    let code = app.newest_code(to);
    app.validate(to, None, &code).await.assert_ok();
}

#[tokio::test]
async fn the_guard_closes_when_no_code_comes_back_and_opens_when_one_does() {
    for channel in ["sms", "email"] {
        let app = guarded("3").await;
        for n in 0..3 {
            app.login(&nth(channel, n)).await.assert_ok();
        }
        for n in 3..6 {
            let refused = app.login(&nth(channel, n)).await;
            assert_eq!(refused.assert_too_many(), 5);
            assert_eq!(refused.json["limit"], "deployment");
            assert!(app.messages(&nth(channel, n)).is_empty());
        }
        // A code makes room for its own message and forgives another.
        redeem(&app, &nth(channel, 0)).await;
        for n in 3..5 {
            app.login(&nth(channel, n)).await.assert_ok();
        }
        app.login(&nth(channel, 5)).await.assert_too_many();
    }
}

#[tokio::test]
async fn each_prefix_and_email_have_guards_of_their_own() {
    let app = guarded("1").await;
    for to in ["+14155550123", "+447911123456", ALICE] {
        app.login(to).await.assert_ok();
    }
    for to in ["+14155550124", "+447911123457", "bob@example.com"] {
        app.login(to).await.assert_too_many();
    }
}

#[tokio::test]
async fn a_guard_of_zero_is_off() {
    let app = guarded("0").await;
    for n in 0..60 {
        app.login(&nth("email", n)).await.assert_ok();
    }
}

#[tokio::test]
async fn a_closed_guard_tells_when_it_has_room_again() {
    let app = guarded("4").await;
    for n in 0..4 {
        app.login(&nth("email", n)).await.assert_ok();
    }
    // No code has come back in the time that people need to type it.
    app.advance(Duration::from_mins(2));
    let wait = app.login(ALICE).await.assert_too_many();
    assert_eq!(wait, 6 * 3600 - 120);
    app.advance(Duration::from_secs(wait - 1));
    assert_eq!(app.login(ALICE).await.assert_too_many(), 1);
    app.advance(Duration::from_secs(1));
    app.login(ALICE).await.assert_ok();
    app.login("bob@example.com").await.assert_too_many();
    app.advance(DAY);
    for n in 10..14 {
        app.login(&nth("email", n)).await.assert_ok();
    }
    app.login("bob@example.com").await.assert_too_many();
}

#[tokio::test]
async fn the_room_grows_with_what_came_back_in_the_last_days() {
    let app = guarded("2").await;
    for n in 0..10 {
        app.log_in(&nth("email", n)).await;
    }
    app.advance(6 * DAY);
    let mut sent = 0;
    for n in 100..120 {
        sent += usize::from(app.login(&nth("email", n)).await.status.is_success());
    }
    assert_eq!(sent, 4 * 2, "the room, and three more for what came back");

    let app = guarded("2").await;
    for n in 0..10 {
        app.log_in(&nth("email", n)).await;
    }
    app.advance(8 * DAY);
    let mut sent = 0;
    for n in 100..120 {
        sent += usize::from(app.login(&nth("email", n)).await.status.is_success());
    }
    assert_eq!(sent, 2, "that was too long ago");
}

#[tokio::test]
async fn a_message_that_was_not_sent_leaves_no_trace_in_the_guard() {
    let app = guarded("1").await;
    app.stack.messages.set_refusing(true);
    for _ in 0..3 {
        app.login(ALICE)
            .await
            .assert_problem(502, "delivery-failed");
    }
    app.stack.messages.set_refusing(false);
    app.login(ALICE).await.assert_ok();
    app.login("bob@example.com").await.assert_too_many();
    let guard = app.partition("deployment#email#0").await.remove("messages");
    assert_eq!(number(&guard.unwrap(), "unproven"), Some(1));
}

#[tokio::test]
async fn a_guards_counter_forgets_the_counts_of_earlier_days() {
    for (channel, partition) in [("email", "deployment#email#0"), ("sms", "prefix#+1#0")] {
        let app = guarded("3").await;
        for n in 0..12 {
            app.log_in(&nth(channel, n)).await;
            app.advance(DAY);
        }
        let guard = app.partition(partition).await.remove("messages").unwrap();
        let days = guard.keys().filter(|name| name.contains("-day#"));
        assert_eq!(days.count(), 2, "today's, and yesterday's for late refunds");
    }
}

#[tokio::test]
async fn emails_have_a_daily_cap_that_text_messages_do_not_count_towards() {
    let app = TestApp::with(&[("EMAILS_PER_DAY", "3"), ("REQUESTS_PER_IP_PER_HOUR", "5")]).await;
    for n in 0..3 {
        app.login(&nth("email", n)).await.assert_ok();
    }
    // It is 00:10.
    let refused = app.login(ALICE).await;
    assert_eq!(refused.assert_too_many(), 24 * 3600 - 600);
    assert_eq!(refused.json["limit"], "deployment");
    app.login("+14155550123").await.assert_ok();
    app.advance(DAY);
    app.login(ALICE).await.assert_ok();
}

#[tokio::test]
async fn the_addresses_of_a_mailbox_share_its_limits_and_stay_different_users() {
    let settings = [
        ("SENDS_PER_HOUR", "3"),
        ("REQUESTS_PER_IP_PER_HOUR", "1000"),
    ];
    let app = TestApp::with(&settings).await;
    let mut users = Vec::new();
    for to in [
        "victim@example.com",
        "victim+1@example.com",
        "victim+2@example.com",
    ] {
        users.push(app.log_in(to).await["user_id"].clone());
    }
    users.dedup();
    assert_eq!(users.len(), 3);
    let refused = app.login("victim+3@example.com").await;
    refused.assert_too_many();
    assert_eq!(refused.json["limit"], "destination");
    // The dots of other providers distinguish people.
    app.login("vic.tim@example.com").await.assert_ok();

    for to in [
        "v.ictim@gmail.com",
        "vi.ctim@gmail.com",
        "victim@googlemail.com",
    ] {
        app.login(to).await.assert_ok();
    }
    app.login("victim+spam@gmail.com").await.assert_too_many();
}

#[tokio::test]
async fn a_refused_request_counts_against_its_client() {
    let app = TestApp::with(&[("REQUESTS_PER_IP_PER_HOUR", "4")]).await;
    app.login(ALICE).await.assert_ok();
    for _ in 0..3 {
        assert_eq!(app.login(ALICE).await.json["limit"], "cooldown");
    }
    let refused = app.login("bob@example.com").await;
    refused.assert_too_many();
    assert_eq!(refused.json["limit"], "client");
    let other = "203.0.113.77";
    let body = destination("bob@example.com");
    app.post_from(other, LOGIN, &[], &body).await.assert_ok();
}
