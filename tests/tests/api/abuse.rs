//! Limits on what strangers can cost: per client address, for text messages, and by conversion.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use futures_util::future::join_all;
use otp_edge::route::Route;

use tests::{ALICE, Answer, Call, Gate, LOGIN, TestApp, VALIDATE, destination, validation};

async fn login_from(app: &TestApp, client: &str, to: &str) -> Answer {
    app.post_from(client, LOGIN, &[], &destination(to)).await
}

/// The n-th of many phone numbers with one prefix.
fn number(n: usize) -> String {
    format!("+1415{n:07}")
}

/// The n-th of many client addresses.
fn address(n: usize) -> String {
    format!("198.{}.{}.{}", 18 + n / 65536, n / 256 % 256, n % 256)
}

#[tokio::test]
async fn a_client_has_thirty_logins_an_hour_whatever_its_forwarding_headers_say() {
    let app = TestApp::start().await;
    for n in 0..31 {
        let (spoofed, forwarded) = (format!("203.0.113.{n}"), format!("for=203.0.113.{n}"));
        let headers = [
            ("x-forwarded-for", spoofed.as_str()),
            ("forwarded", &forwarded),
        ];
        let body = destination(&format!("reader{n}@example.com")).to_string();
        let answer = app.client.post(LOGIN, &headers, body).await;
        if n < 30 {
            answer.assert_ok();
        } else {
            // It is 00:10.
            assert_eq!(answer.assert_too_many(), 50 * 60);
        }
    }
    app.advance(Duration::from_mins(50));
    app.login(ALICE).await.assert_ok();
}

#[tokio::test]
async fn a_client_has_ten_times_as_many_validations_as_logins() {
    let app = TestApp::with(&[("REQUESTS_PER_IP_PER_HOUR", "1")]).await;
    let guess = || app.validate("nobody@example.com", None, "123456");
    for _ in 0..10 {
        guess().await.assert_problem(400, "invalid-otp");
    }
    guess().await.assert_too_many();
    app.advance(Duration::from_mins(50));
    guess().await.assert_problem(400, "invalid-otp");
}

#[tokio::test]
async fn a_right_code_beyond_the_clients_limit_does_not_log_in() {
    let app = TestApp::with(&[("REQUESTS_PER_IP_PER_HOUR", "1")]).await;
    let (id, code) = app.receive_code(ALICE).await;
    let body = validation(ALICE, Some(&id), &code);
    let wrong = validation("nobody@example.com", None, "123456");
    for _ in 0..10 {
        app.post_from("203.0.113.9", VALIDATE, &[], &wrong).await;
    }
    app.post_from("203.0.113.9", VALIDATE, &[], &body)
        .await
        .assert_too_many();
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn an_ipv6_64_is_one_client_and_the_next_64_another() {
    let app = TestApp::with(&[("REQUESTS_PER_IP_PER_HOUR", "1")]).await;
    login_from(&app, "2001:db8:0:1::1", "a@example.com")
        .await
        .assert_ok();
    login_from(&app, "2001:db8:0:1:ffff::2", "b@example.com")
        .await
        .assert_too_many();
    login_from(&app, "2001:db8:0:2::1", "b@example.com")
        .await
        .assert_ok();
    login_from(&app, "::ffff:203.0.113.7", "c@example.com")
        .await
        .assert_ok();
    login_from(&app, "203.0.113.7", "d@example.com")
        .await
        .assert_too_many();
}

#[tokio::test]
async fn a_failed_delivery_is_not_refunded_to_the_client() {
    let app = TestApp::with(&[("REQUESTS_PER_IP_PER_HOUR", "2")]).await;
    app.stack.messages.set_refusing(true);
    for _ in 0..2 {
        app.login(ALICE)
            .await
            .assert_problem(502, "delivery-failed");
    }
    app.login(ALICE).await.assert_too_many();
}

#[tokio::test]
async fn text_messages_have_a_daily_cap_that_emails_do_not_count_towards() {
    let app = TestApp::with(&[("SMS_PER_DAY", "3")]).await;
    for n in 0..3 {
        app.login(&number(n)).await.assert_ok();
    }
    let one_more = "+14155550777";
    // It is 00:10.
    assert_eq!(app.login(one_more).await.assert_too_many(), 24 * 3600 - 600);
    assert!(app.messages(one_more).is_empty());
    let lines = app.log.lines_about("+1***77").into_iter();
    let refusals = lines.filter(|line| line["reason"] == "sms-day");
    assert_eq!(refusals.count(), 1, "the alarm counts one log line");
    app.login(ALICE).await.assert_ok();
    app.advance(Duration::from_hours(24));
    app.login(one_more).await.assert_ok();
}

#[tokio::test]
async fn each_prefix_has_its_own_cap_on_text_messages() {
    let app = TestApp::with(&[
        ("SMS_PREFIXES", "+1,+1415,+44"),
        ("SMS_PER_PREFIX_PER_DAY", "1"),
    ])
    .await;
    for to in ["+14155550123", "+12125550123", "+447911123456"] {
        app.login(to).await.assert_ok();
    }
    for to in ["+14155550124", "+12125550124", "+447911123457"] {
        app.login(to).await.assert_too_many();
    }
}

#[tokio::test]
async fn a_text_message_that_was_not_delivered_is_refunded_to_every_cap() {
    let app = TestApp::with(&[("SMS_PER_DAY", "1"), ("SMS_PER_PREFIX_PER_DAY", "1")]).await;
    app.stack.messages.set_refusing(true);
    app.login(&number(1))
        .await
        .assert_problem(502, "delivery-failed");
    app.stack.messages.set_refusing(false);
    app.login(&number(2)).await.assert_ok();
    app.login(&number(3)).await.assert_too_many();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_logins_at_once_for_the_last_message_of_a_cap_send_one() {
    // Three counters share a cap of 250. Strangers have 200 of it.
    let caps = [("SMS_PER_DAY", "250"), ("SMS_PER_PREFIX_PER_DAY", "100000")];
    let app = Arc::new(TestApp::with(&caps).await);
    let mut sent = 0;
    for n in 0..199 {
        // Each code is used, otherwise the conversion guard would refuse first.
        let to = number(n);
        let answer = login_from(&app, &address(n), &to).await;
        sent += usize::from(answer.status == StatusCode::OK);
        let body = validation(&to, None, &app.newest_code(&to));
        app.post_from(&address(n), VALIDATE, &[], &body)
            .await
            .assert_ok();
    }
    assert_eq!(sent, 199);

    let tasks = (0..50).map(|n| {
        let app = Arc::clone(&app);
        tokio::spawn(
            async move { login_from(&app, &address(256 * (10 + n)), &number(1000 + n)).await },
        )
    });
    let gate = Gate::of(2, Call::Admit, "");
    app.faults.hold(&gate);
    let answers: Vec<Answer> = join_all(tasks)
        .await
        .into_iter()
        .map(|answer| answer.expect("the task does not panic"))
        .collect();
    gate.assert_met();
    let successes = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .count();
    let told: Vec<_> = answers.iter().map(|it| (it.status, &it.json)).collect();
    assert_eq!(successes, 1, "{told:?}");
    assert_eq!(app.stack.messages.messages(None).len(), 200);
}

#[tokio::test]
async fn sms_pumping_is_stopped_after_fifty_messages_however_many_networks_it_has() {
    let app = TestApp::start().await;
    for n in 0..500 {
        // Each from a network of its own.
        login_from(&app, &address(256 * n), &number(n)).await;
    }
    assert_eq!(app.stack.messages.messages(None).len(), 50);
    // Codes may still be coming back. E-mail is not affected.
    assert_eq!(
        login_from(&app, "203.0.113.1", &number(501))
            .await
            .assert_too_many(),
        5
    );
    login_from(&app, &address(502), ALICE).await.assert_ok();
}

#[tokio::test]
async fn networks_whose_codes_do_not_come_back_leave_room_to_others() {
    let app = TestApp::start().await;
    let mut sent = Vec::new();
    for networks in [1, 10] {
        for n in 0..40 * networks {
            let client = address(256 * (n % networks) + n / networks % 256);
            login_from(&app, &client, &number(1000 * networks + n)).await;
        }
        sent.push(app.stack.messages.messages(None).len());
        login_from(&app, &format!("203.0.{networks}.1"), &number(networks))
            .await
            .assert_ok();
    }
    assert!((10..=11).contains(&sent[0]), "{sent:?}");
    assert!(sent[1] < 50, "{sent:?}");
}

#[tokio::test]
async fn the_64s_of_one_48_count_together() {
    let app = TestApp::start().await;
    for n in 0..300 {
        let client = format!("2001:db8:1:{n:x}::1");
        login_from(&app, &client, &number(n)).await;
    }
    assert!(app.stack.messages.messages(None).len() < 50);
    login_from(&app, "2001:db8:2::1", &number(999))
        .await
        .assert_ok();
}

#[tokio::test]
async fn clients_of_an_allowed_network_have_its_allowance_under_way() {
    let allowed = ("CLIENT_ALLOWANCES", "198.18.0.0/24=120");
    let app = TestApp::with(&[allowed]).await;
    for n in 0..60 {
        login_from(&app, &address(256 * (n + 1)), &number(n)).await;
    }
    // Strangers have filled the guard.
    for n in 0..70 {
        login_from(&app, &address(n), &number(100 + n))
            .await
            .assert_ok();
    }
}

#[tokio::test]
async fn fifty_logins_at_once_of_one_network_count_one_by_one() {
    let app = TestApp::start().await;
    let logins: Vec<_> = (0..50).map(|n| (address(n), number(n))).collect();
    let logins = logins
        .iter()
        .map(|(client, to)| login_from(&app, client, to));
    join_all(logins).await;
    assert!(app.stack.messages.messages(None).len() <= 10);
}

#[tokio::test]
async fn lost_emails_close_the_room_for_strangers_and_for_nobody_else() {
    let mailbox = |n: usize| format!("person{n}@example.com");
    let app = TestApp::start().await;
    app.log_in(ALICE).await;
    // Twenty in thirty days, and none of the last minutes.
    let mut sent = 0;
    for n in 0..60 {
        let answer = login_from(&app, &address(256 * n), &mailbox(n)).await;
        sent += usize::from(answer.status == StatusCode::OK);
    }
    assert_eq!(sent, 51, "under way, and one that a code forgave");
    app.advance(Duration::from_mins(20));
    // All that came back before was one code, of 51.
    let refused = login_from(&app, "203.0.113.1", &mailbox(99)).await;
    refused.assert_too_many();
    assert_eq!(refused.json["limit"], "deployment");
    app.login(ALICE).await.assert_ok();
    app.advance(Duration::from_hours(24));
    login_from(&app, "203.0.113.1", &mailbox(99))
        .await
        .assert_too_many();
    app.advance(Duration::from_hours(30 * 24));
    login_from(&app, "203.0.113.1", &mailbox(99))
        .await
        .assert_ok();
}

#[tokio::test]
async fn emails_that_bounce_close_the_room_and_others_do_not_where_bounces_are_reported() {
    for (set, lost) in [("CONFIGURATION_SET", 20), ("BRAND", 0)] {
        let settings = [
            (set, "codes"),
            ("CONVERSION_GUARD", "200"),
            ("SENDS_PER_HOUR", "1000"),
            ("SENDS_PER_DAY", "1000"),
        ];
        let app = TestApp::with(&settings).await;
        for n in 0..40 {
            login_from(&app, &address(256 * n), &format!("person{n}@example.com"))
                .await
                .assert_ok();
        }
        // These codes do not come back.
        app.advance(Duration::from_mins(20));
        let mut bounced = 0;
        for n in 0..40 {
            let to = format!("bounce+{n}@simulator.amazonses.com");
            let answer = login_from(&app, &address(256 * (100 + n)), &to).await;
            bounced += usize::from(answer.status == StatusCode::OK);
            let reports = app.deliver_reports().await;
            // One that comes twice counts once.
            for report in &reports {
                app.invoke(Route::Login, report).await;
            }
        }
        assert_eq!(bounced, lost, "{set}");
        let refused = login_from(&app, "203.0.113.1", "new@example.com").await;
        assert_eq!(
            refused.assert_too_many(),
            24 * 3600 - 30 * 60,
            "until midnight"
        );
    }
}

#[tokio::test]
async fn many_logins_are_not_stopped_when_half_of_their_codes_are_used() {
    let app = TestApp::with(&[("SMS_PER_PREFIX_PER_DAY", "1000")]).await;
    for n in 0..300 {
        let to = number(n);
        login_from(&app, &address(n), &to).await.assert_ok();
        if n % 2 == 0 {
            let body = validation(&to, None, &app.newest_code(&to));
            app.post_from(&address(n), VALIDATE, &[], &body)
                .await
                .assert_ok();
        }
    }
}
