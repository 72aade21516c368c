//! The conversion guard: messages whose codes do not come back.

use std::time::Duration;

use tests::{ALICE, Call, CallFault, Gate, LOGIN, TestApp, destination, table::number};

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
    for channel in ["sms", "email"] {
        let app = guarded("4").await;
        for n in 0..4 {
            app.login(&nth(channel, n)).await.assert_ok();
        }
        // No code has come back in the time that people need to type it.
        app.advance(Duration::from_mins(2));
        let [one, other] = [nth(channel, 4), nth(channel, 5)];
        let wait = app.login(&one).await.assert_too_many();
        assert_eq!(wait, 6 * 3600 - 120);
        app.advance(Duration::from_secs(wait - 1));
        assert_eq!(app.login(&one).await.assert_too_many(), 1);
        app.advance(Duration::from_secs(1));
        app.login(&one).await.assert_ok();
        app.login(&other).await.assert_too_many();
        app.advance(DAY);
        for n in 10..14 {
            app.login(&nth(channel, n)).await.assert_ok();
        }
        app.login(&other).await.assert_too_many();
    }
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
    for (channel, partition) in [("email", "deployment#email#0"), ("sms", "prefix#+1#0")] {
        let app = guarded("1").await;
        app.stack.messages.set_refusing(true);
        for _ in 0..3 {
            let refused = app.login(&nth(channel, 0)).await;
            refused.assert_problem(502, "delivery-failed");
        }
        app.stack.messages.set_refusing(false);
        app.login(&nth(channel, 0)).await.assert_ok();
        app.login(&nth(channel, 1)).await.assert_too_many();
        let guard = app.partition(partition).await.remove("messages");
        assert_eq!(number(&guard.unwrap(), "unproven"), Some(1), "{channel}");
    }
}

/// How an admission that eases a guard is told from others.
const EASING: &str = "unproven = :";

/// Two logins that both find a full guard, and ease it, before either is counted: how many are
/// sent.
async fn ease_twice_at_once(app: &TestApp, channel: &str) -> usize {
    let gate = Gate::of(2, Call::Admit, EASING);
    app.faults.hold(&gate);
    let [one, other] = [nth(channel, 100), nth(channel, 101)];
    let (one, other) = tokio::join!(app.login(&one), app.login(&other));
    gate.assert_met();
    [one, other].iter().filter(|it| it.status == 200).count()
}

#[tokio::test]
async fn a_guard_that_is_eased_twice_at_once_has_room_for_one_message() {
    for channel in ["sms", "email"] {
        // A code that came back forgives one message.
        let app = guarded("3").await;
        for n in 0..3 {
            app.login(&nth(channel, n)).await.assert_ok();
        }
        redeem(&app, &nth(channel, 0)).await;
        app.login(&nth(channel, 3)).await.assert_ok();
        assert_eq!(ease_twice_at_once(&app, channel).await, 1);

        // So do six hours.
        let app = guarded("4").await;
        for n in 0..4 {
            app.login(&nth(channel, n)).await.assert_ok();
        }
        app.advance(Duration::from_hours(6));
        assert_eq!(ease_twice_at_once(&app, channel).await, 1);
    }
}

#[tokio::test]
async fn a_guard_in_which_a_withdrawal_made_room_meanwhile_is_not_eased() {
    for (channel, send) in [("sms", Call::SendSms), ("email", Call::SendEmail)] {
        let app = guarded("3").await;
        for n in 0..3 {
            app.login(&nth(channel, n)).await.assert_ok();
        }
        redeem(&app, &nth(channel, 0)).await;
        let sending = Gate::closed(send, "");
        let easing = Gate::closed(Call::Admit, EASING);
        app.faults.hold(&sending);
        app.faults.hold(&easing);
        let refusal = CallFault::Error(400, "MessageRejected");
        app.faults.inject(send, refusal, 1);
        let [refused, admitted] = [nth(channel, 100), nth(channel, 101)];
        let withdrawn = async {
            app.login(&refused)
                .await
                .assert_problem(502, "delivery-failed");
            easing.open();
        };
        let eased = async {
            sending.reached().await;
            app.login(&admitted).await.assert_ok();
        };
        let at_once = async {
            easing.reached().await;
            sending.open();
        };
        tokio::join!(withdrawn, eased, at_once);
        easing.assert_met();
        // What came back still forgives a message.
        app.login(&nth(channel, 102)).await.assert_ok();
        app.login(&nth(channel, 103)).await.assert_too_many();
    }
}

#[tokio::test]
async fn a_cap_that_is_smaller_than_its_number_of_counters_holds() {
    let room = ("REQUESTS_PER_IP_PER_HOUR", "1000");
    let app = TestApp::with(&[("EMAILS_PER_DAY", "1"), room]).await;
    for n in 0..20 {
        app.login(&nth("email", n)).await;
    }
    assert_eq!(app.stack.messages.messages(None).len(), 1);
}

#[tokio::test]
async fn a_guards_counter_forgets_the_counts_of_earlier_days() {
    for (mode, channel, partition, name, kept) in [
        ("sign-up", "email", "deployment#email#0", "emails-day#", 31),
        ("sign-up", "email", "deployment#email#0", "asked-day#", 31),
        (
            "conceal",
            "email",
            "deployment#email#0",
            "returned-day#",
            31,
        ),
        ("sign-up", "email", "deployment#email#0", "recent#", 1),
        // Today's, and yesterday's for late refunds.
        ("sign-up", "sms", "prefix#+1#0", "sms-prefix-day#", 2),
        ("conceal", "sms", "prefix#+1#0", "sms-prefix-day#", 2),
    ] {
        let settings = [
            ("CONVERSION_GUARD", "3"),
            ("SMS_PREFIXES", "+1"),
            ("UNKNOWN_USERS", mode),
        ];
        let app = TestApp::with(&settings).await;
        for n in 0..34 {
            app.add_user(&nth(channel, n), false).await;
            app.log_in(&nth(channel, n)).await;
            app.advance(DAY);
        }
        let guard = app.partition(partition).await.remove("messages").unwrap();
        let days = guard.keys().filter(|it| it.starts_with(name));
        assert_eq!(days.count(), kept, "{name}");
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
async fn a_refused_request_tells_its_clients_limit_once_it_is_full() {
    let app = TestApp::with(&[("REQUESTS_PER_IP_PER_HOUR", "2")]).await;
    app.login(ALICE).await.assert_ok();
    assert_eq!(app.login(ALICE).await.json["limit"], "cooldown");
    // The cooldown refuses too, but the hour lasts longer.
    let refused = app.login(ALICE).await;
    assert_eq!(refused.assert_too_many(), 3600 - 600);
    assert_eq!(refused.json["limit"], "client");
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
