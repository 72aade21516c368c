//! A client that lost an answer asks again, under the same name.

use std::{sync::Arc, time::Duration};

use axum::http::{Method, Request};
use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{ALICE, Answer, LOGIN, TestApp, destination};

pub const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

pub async fn login_as(app: &TestApp, key: &str, to: &str) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("http://{}{LOGIN}", app.api()))
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(destination(to).to_string().into())
        .unwrap();
    app.send(request).await
}

#[tokio::test]
async fn a_repeated_request_gives_the_same_challenge_and_no_second_message() {
    let app = TestApp::start().await;
    let first = login_as(&app, KEY, ALICE).await;
    let again = login_as(&app, KEY, ALICE).await;
    assert_eq!(first.assert_ok(), again.assert_ok());
    app.advance(Duration::from_millis(20_500));
    let later = login_as(&app, KEY, ALICE).await;
    let mut expected = first.json.clone();
    // What is left of a life is rounded down, what is left to wait up.
    expected["expires_in"] = json!(279);
    expected["resend_in"] = json!(10);
    assert_eq!(*later.assert_ok(), expected);
    assert_eq!(app.messages(ALICE).len(), 1);

    let id = first.json["challenge_id"].as_str();
    app.validate(ALICE, id, &app.newest_code(ALICE))
        .await
        .assert_ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_repeated_requests_at_once_send_one_message() {
    let app = Arc::new(TestApp::start().await);
    let tasks = (0..50).map(|_| {
        let app = Arc::clone(&app);
        tokio::spawn(async move { login_as(&app, KEY, ALICE).await })
    });
    let answers = join_all(tasks).await;
    let answers: Vec<Answer> = answers.into_iter().map(|answer| answer.unwrap()).collect();
    for answer in &answers {
        assert_eq!(answer.assert_ok(), &answers[0].json);
    }
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_a_problem_and_sends_nothing() {
    let app = TestApp::start().await;
    login_as(&app, KEY, ALICE).await.assert_ok();
    let other = login_as(&app, KEY, "bob@example.com").await;
    other.assert_problem(422, "idempotency-key-reused");
    assert!(app.messages("bob@example.com").is_empty());
    login_as(&app, KEY, "Alice@Example.com").await.assert_ok();
}

#[tokio::test]
async fn a_key_is_forgotten_with_its_code() {
    let app = TestApp::start().await;
    let first = login_as(&app, KEY, ALICE).await;
    app.advance(Duration::from_mins(5));
    let second = login_as(&app, KEY, ALICE).await;
    assert_ne!(
        first.assert_ok()["challenge_id"],
        second.assert_ok()["challenge_id"]
    );
    assert_eq!(app.messages(ALICE).len(), 2);
}

#[tokio::test]
async fn a_request_whose_delivery_failed_may_be_repeated_under_its_key() {
    let app = TestApp::start().await;
    app.stack.messages.set_refusing(true);
    login_as(&app, KEY, ALICE)
        .await
        .assert_problem(502, "delivery-failed");
    app.stack.messages.set_refusing(false);
    login_as(&app, KEY, ALICE).await.assert_ok();
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn a_refused_request_takes_no_key() {
    let app = TestApp::start().await;
    app.login(ALICE).await.assert_ok();
    login_as(&app, KEY, ALICE).await.assert_too_many();
    login_as(&app, KEY, "bob@example.com").await.assert_ok();
}

#[tokio::test]
async fn a_key_that_is_none_is_an_invalid_request() {
    let app = TestApp::start().await;
    for key in ["", "short", "sixteen with a space"] {
        login_as(&app, key, ALICE)
            .await
            .assert_problem(400, "invalid-request");
    }
    assert!(app.messages(ALICE).is_empty());
}
