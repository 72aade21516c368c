//! Which guesses count against the client's limit of validations.

use futures_util::future::join_all;
use serde_json::Value;
use tests::{ALICE, Answer, Call, Gate, TestApp, VALIDATE, other_than, table::number, validation};

/// Ten validations per client and hour.
const TEN: [(&str, &str); 2] = [
    ("REQUESTS_PER_IP_PER_HOUR", "1"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
];
const STRANGER: &str = "203.0.113.9";
const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

async fn guess_from(app: &TestApp, client: &str, id: &str, code: &str) -> Answer {
    let body: Value = validation(ALICE, Some(id), code);
    app.post_from(client, VALIDATE, &[], &body).await
}

/// How many validations are counted against all clients.
async fn counted(app: &TestApp) -> i64 {
    let items = app.items().await;
    let counters = items.iter().filter(|item| {
        let sort = item["sk"].as_s().unwrap();
        sort.starts_with("validations-hour#")
    });
    counters
        .filter_map(|item| number(item, item["sk"].as_s().unwrap()))
        .sum()
}

#[tokio::test]
async fn a_guess_by_the_client_that_requested_the_code_needs_no_count_of_its_own() {
    let app = TestApp::with(&TEN).await;
    let (id, code) = app.receive_code(ALICE).await;
    let wrong = app.validate(ALICE, Some(&id), &other_than(&code)).await;
    wrong.assert_problem(400, "invalid-otp");
    app.faults.stop();
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    let calls = app.faults.calls();
    assert_eq!(calls, [Call::SpendAttempt, Call::Sign, Call::Redeem]);
    assert_eq!(counted(&app).await, 0);
    let requester = app.challenges(ALICE).await[&id]["requester"].clone();
    assert_eq!(requester.as_b().unwrap().as_ref().len(), 16, "no address");
}

#[tokio::test]
async fn every_other_guess_is_counted() {
    let app = TestApp::with(&TEN).await;
    let (id, code) = app.receive_code(ALICE).await;
    let mut expected = 0;
    let mut count = async |what: &str, answer: Answer, status: u16| {
        assert_eq!(answer.status, status, "{what}");
        expected += 1;
        assert_eq!(counted(&app).await, expected, "{what}");
    };
    let wrong = other_than(&code);
    let answer = guess_from(&app, STRANGER, &id, &wrong).await;
    count("a wrong code, from another client", answer, 400).await;
    let answer = app.validate(ALICE, Some(&id), "12345").await;
    count("a short code", answer, 400).await;
    let unknown = "AAAAAAAAAAAAAAAAAAAAAA";
    let answer = app.validate(ALICE, Some(unknown), &code).await;
    count("an unknown challenge", answer, 400).await;
    let answer = app.validate("nobody@example.com", None, &code).await;
    count("no challenge", answer, 400).await;
    let answer = guess_from(&app, STRANGER, &id, &code).await;
    count("the code, from another client", answer, 200).await;
    let answer = guess_from(&app, STRANGER, &id, &code).await;
    count("a used code, from another client", answer, 400).await;
    let answer = app.validate(ALICE, Some(&id), &code).await;
    count("no attempts left", answer, 400).await;
}

#[tokio::test]
async fn a_repeat_is_counted_and_the_login_is_not() {
    let app = TestApp::with(&TEN).await;
    let (id, code) = app.receive_code(ALICE).await;
    for repeats in 0..11 {
        let answer = app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
        answer.assert_ok();
        assert_eq!(counted(&app).await, repeats);
    }
    app.validate_with_key(KEY, ALICE, Some(&id), &code)
        .await
        .assert_too_many();
}

#[tokio::test]
async fn no_more_verdicts_than_the_limit_are_told_at_once() {
    let app = TestApp::with(&TEN).await;
    let other = app.cold_start().await;
    let (id, code) = app.receive_code(ALICE).await;
    let guesses = (0..24).map(|n| {
        let app = if n % 2 == 0 { &app } else { &other };
        // The right code among wrong ones.
        let guess = if n == 7 {
            code.clone()
        } else {
            other_than(&code)
        };
        let id = id.clone();
        async move { guess_from(app, STRANGER, &id, &guess).await }
    });
    // More than the limit, at both instances.
    let gate = Gate::of(11, Call::CountValidation, "");
    app.faults.hold(&gate);
    other.faults.hold(&gate);
    let answers = join_all(guesses).await;
    gate.assert_met();
    let told = answers.iter().filter(|answer| answer.status != 429).count();
    assert_eq!(told, 10, "verdicts");
    assert_eq!(counted(&app).await, 10);
}

#[tokio::test]
async fn the_code_from_a_client_over_its_limit_starts_no_session() {
    let app = TestApp::with(&TEN).await;
    let (id, code) = app.receive_code(ALICE).await;
    for _ in 0..11 {
        let unknown = "AAAAAAAAAAAAAAAAAAAAAA";
        guess_from(&app, STRANGER, unknown, &code).await;
    }
    // The first instance knows, the second asks the table, after the attempt.
    let other = app.cold_start().await;
    for (instance, attempts) in [(&app, 0), (&other, 1), (&other, 1)] {
        let answer = guess_from(instance, STRANGER, &id, &code).await;
        answer.assert_too_many();
        assert_eq!(app.attempts_at(ALICE, &id).await, attempts);
    }
    assert_eq!(app.sessions_of(ALICE).await, 0);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}
