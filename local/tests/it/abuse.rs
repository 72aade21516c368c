//! Strangers, and what they can spend of other people's money and patience.

use std::{sync::Arc, time::Duration};

use axum::http::{Method, StatusCode};
use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{ALICE, Answer, LOGIN, TestApp, VALIDATE, destination};

async fn login_from(app: &TestApp, client: &str, to: &str) -> Answer {
    app.post_from(client, LOGIN, &destination(to)).await
}

/// The n-th of many numbers of one prefix.
fn number(n: usize) -> String {
    format!("+1415{n:07}")
}

/// The n-th of many addresses.
fn address(n: usize) -> String {
    format!("198.{}.{}.{}", 18 + n / 65536, n / 256 % 256, n % 256)
}

#[tokio::test]
async fn an_address_has_thirty_logins_an_hour_whatever_its_headers_say() {
    let app = TestApp::start().await;
    for n in 0..31 {
        let body = json!({ "email": format!("reader{n}@example.com") });
        let request = axum::http::Request::builder()
            .method(Method::POST)
            .uri(format!("http://{}{LOGIN}", app.stack.api))
            .header("content-type", "application/json")
            .header("x-forwarded-for", format!("203.0.113.{n}"))
            .header("forwarded", format!("for=203.0.113.{n}"))
            .body(body.to_string().into())
            .unwrap();
        let answer = app.send(request).await;
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
async fn an_address_has_ten_times_as_many_validations() {
    let app = TestApp::with(&[("REQUESTS_PER_IP_PER_HOUR", "1")]).await;
    let (id, code) = app.receive_code(ALICE).await;
    for _ in 0..9 {
        app.validate("nobody@example.com", None, &code)
            .await
            .assert_problem(400, "invalid-otp");
    }
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_too_many();
    app.advance(Duration::from_mins(50));
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
}

#[tokio::test]
async fn a_right_code_beyond_the_addresss_limit_is_no_login() {
    let app = TestApp::with(&[("REQUESTS_PER_IP_PER_HOUR", "1")]).await;
    let (id, code) = app.receive_code(ALICE).await;
    for _ in 0..10 {
        app.validate("nobody@example.com", None, "123456").await;
    }
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_too_many();
    let body = json!({ "email": ALICE, "challenge_id": id, "otp": code });
    app.post_from("203.0.113.9", VALIDATE, &body)
        .await
        .assert_ok();
}

#[tokio::test]
async fn an_ipv6_subscriber_is_one_client_and_its_neighbour_another() {
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
async fn a_failed_delivery_gives_the_address_nothing_back() {
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
async fn a_day_has_its_text_messages_and_its_emails_are_not_counted() {
    let app = TestApp::with(&[("SMS_PER_DAY", "3")]).await;
    for n in 0..3 {
        app.login(&number(n)).await.assert_ok();
    }
    let one_more = "+14155550777";
    // It is 00:10.
    assert_eq!(app.login(one_more).await.assert_too_many(), 24 * 3600 - 600);
    assert!(app.messages(one_more).is_empty());
    let lines = app.log.lines().into_iter();
    let alarms =
        lines.filter(|line| line["reason"] == "sms-day" && line["destination"] == "+1***77");
    assert_eq!(alarms.count(), 1, "one event for the alarm to count");
    app.login(ALICE).await.assert_ok();
    app.advance(Duration::from_hours(24));
    app.login(one_more).await.assert_ok();
}

#[tokio::test]
async fn each_prefix_has_text_messages_of_its_own() {
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
async fn a_withdrawn_text_message_is_not_counted_against_any_cap() {
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
async fn fifty_at_once_for_the_last_unit_of_a_cap_get_one_message() {
    // A cap of 250 is spread over ten counters.
    let caps = [("SMS_PER_DAY", "250"), ("SMS_PER_PREFIX_PER_DAY", "100000")];
    let app = Arc::new(TestApp::with(&caps).await);
    let mut sent = 0;
    for n in 0..249 {
        // Each code comes back, or the conversion guard would stop them first.
        let to = number(n);
        let answer = login_from(&app, &address(n), &to).await;
        sent += usize::from(answer.status == StatusCode::OK);
        let mut body = destination(&to);
        body["otp"] = json!(app.newest_code(&to));
        app.post_from(&address(n), VALIDATE, &body)
            .await
            .assert_ok();
    }
    assert_eq!(sent, 249);

    let tasks = (0..50).map(|n| {
        let app = Arc::clone(&app);
        tokio::spawn(async move { login_from(&app, &address(1000 + n), &number(1000 + n)).await })
    });
    let answers: Vec<Answer> = join_all(tasks)
        .await
        .into_iter()
        .map(|answer| answer.expect("a task ends"))
        .collect();
    let successes = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .count();
    assert_eq!(successes, 1);
    assert_eq!(app.stack.messages.messages(None).len(), 250);
}

#[tokio::test]
async fn a_pumping_run_is_stopped_after_fifty_messages() {
    let app = TestApp::start().await;
    for n in 0..500 {
        login_from(&app, &address(n), &number(n)).await;
    }
    assert_eq!(app.stack.messages.messages(None).len(), 50);
    // It is 00:10, and the hour's end lifts it; e-mail never stopped.
    assert_eq!(
        login_from(&app, &address(501), &number(501))
            .await
            .assert_too_many(),
        50 * 60
    );
    login_from(&app, &address(502), ALICE).await.assert_ok();
}

#[tokio::test]
async fn an_honest_crowd_is_not_stopped_though_half_of_it_never_comes_back() {
    let app = TestApp::with(&[("SMS_PER_PREFIX_PER_DAY", "1000")]).await;
    for n in 0..300 {
        let to = number(n);
        login_from(&app, &address(n), &to).await.assert_ok();
        if n % 2 == 0 {
            let mut body = destination(&to);
            body["otp"] = json!(app.newest_code(&to));
            app.post_from(&address(n), VALIDATE, &body)
                .await
                .assert_ok();
        }
    }
}
