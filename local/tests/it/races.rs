//! Fifty at once, truly: each request in its own task, on a runtime with more
//! threads than this machine has cores.

use std::sync::Arc;

use axum::http::StatusCode;
use futures_util::future::join_all;

use crate::harness::{ALICE, Answer, TestApp, other_than};

const CROWD: usize = 50;

/// The whole crowd comes from one address.
const ONE_ADDRESS: (&str, &str) = ("REQUESTS_PER_IP_PER_HOUR", "1000");
const NO_COOLDOWN: (&str, &str) = ("RESEND_COOLDOWN_SECONDS", "0");

async fn crowd<F>(request: impl Fn(usize) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let tasks = (0..CROWD).map(|n| tokio::spawn(request(n)));
    join_all(tasks)
        .await
        .into_iter()
        .map(|answer| answer.expect("a task ends"))
        .collect()
}

fn successes(answers: &[Answer]) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_right_codes_at_once_give_one_token() {
    let app = Arc::new(TestApp::with(&[ONE_ADDRESS, ("OTP_MAX_ATTEMPTS", "10")]).await);
    let (id, code) = app.receive_code(ALICE).await;

    let answers = crowd(|_| {
        let (app, id, code) = (Arc::clone(&app), id.clone(), code.clone());
        async move { app.validate(ALICE, Some(&id), &code).await }
    })
    .await;

    assert_eq!(successes(&answers), 1);
    for answer in answers
        .iter()
        .filter(|answer| answer.status != StatusCode::OK)
    {
        answer.assert_problem(400, "invalid-otp");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_wrong_codes_at_once_use_up_the_attempts_and_no_more_are_compared() {
    let app = Arc::new(TestApp::with(&[ONE_ADDRESS]).await);
    let (id, code) = app.receive_code(ALICE).await;
    let before = app.log.lines().len();

    let answers = crowd(|_| {
        let (app, id, wrong) = (Arc::clone(&app), id.clone(), other_than(&code));
        async move { app.validate(ALICE, Some(&id), &wrong).await }
    })
    .await;

    assert_eq!(successes(&answers), 0);
    assert_eq!(app.spent(ALICE, &id).await, 3, "attempts on the books");
    assert!(
        app.log.lines().len() >= before + CROWD,
        "every request is in the log"
    );
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn among_fifty_different_guesses_at_once_the_right_one_wins_at_most_once() {
    let app = Arc::new(TestApp::with(&[ONE_ADDRESS]).await);
    for round in 0..10 {
        let to = format!("round{round}@example.com");
        let (id, code) = app.receive_code(&to).await;
        let answers = crowd(|n| {
            let (app, to, id) = (Arc::clone(&app), to.clone(), id.clone());
            let guess = if n % 2 == 0 {
                code.clone()
            } else {
                other_than(&code)
            };
            async move { app.validate(&to, Some(&id), &guess).await }
        })
        .await;
        assert!(successes(&answers) <= 1, "two tokens for one challenge");
        assert!(
            app.spent(&to, &id).await <= 3,
            "more comparisons than attempts"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_requests_at_once_send_one_message() {
    let app = Arc::new(TestApp::with(&[ONE_ADDRESS]).await);
    let answers = crowd(|_| {
        let app = Arc::clone(&app);
        async move { app.login(ALICE).await }
    })
    .await;

    assert_eq!(successes(&answers), 1);
    assert_eq!(app.messages(ALICE).len(), 1);
    for answer in answers
        .iter()
        .filter(|answer| answer.status != StatusCode::OK)
    {
        assert_eq!(answer.assert_too_many(), 30);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_requests_at_once_without_a_cooldown_send_what_the_hour_admits() {
    let app = Arc::new(TestApp::with(&[ONE_ADDRESS, NO_COOLDOWN]).await);
    let answers = crowd(|_| {
        let app = Arc::clone(&app);
        async move { app.login(ALICE).await }
    })
    .await;
    assert_eq!(successes(&answers), 5);
    assert_eq!(app.messages(ALICE).len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn two_codes_of_one_destination_at_once_log_in_once() {
    let app = Arc::new(TestApp::with(&[ONE_ADDRESS, NO_COOLDOWN]).await);
    for round in 0..10 {
        let to = format!("pair{round}@example.com");
        let codes = [app.receive_code(&to).await, app.receive_code(&to).await];
        let answers = crowd(|n| {
            let (app, to, (id, code)) = (Arc::clone(&app), to.clone(), codes[n % 2].clone());
            async move { app.validate(&to, Some(&id), &code).await }
        })
        .await;
        assert_eq!(successes(&answers), 1, "one redeemed code voids the other");
    }
}
