//! A validation under an idempotency key fails on the way, and its client repeats it until it
//! gets an answer. The client then holds the one session that there is.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::json;
use tests::{Call, CallFault, TestApp};

const ALWAYS: usize = usize::MAX;

/// Every call of a validation that a cold start does not make.
const CALLS: [Call; 4] = [
    Call::FindChallenge,
    Call::SpendAttempt,
    Call::Sign,
    Call::Redeem,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_gets_lost_a_repeated_validation_ends_with_one_working_session() {
    let settings = [
        ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
        ("RESEND_COOLDOWN_SECONDS", "0"),
        // A repeat must not need a second attempt.
        ("OTP_MAX_ATTEMPTS", "1"),
    ];
    let app = TestApp::with(&settings).await;
    let lanes = stream::iter(CALLS).map(|call| lose(&app, call));
    let lanes: Vec<()> = lanes.buffer_unordered(CALLS.len()).collect().await;
    assert_eq!(lanes.len(), CALLS.len());
}

/// Fails a call in every way, for a new user and for an existing one.
async fn lose(app: &TestApp, call: Call) {
    let app = app.cold_start().await;
    app.warm_up().await;
    let refused = CallFault::NOTHING_DONE.map(|fault| (fault, ALWAYS));
    let lost = CallFault::REPLY_LOST.map(|fault| (fault, ALWAYS));
    let lost_once = CallFault::REPLY_LOST.map(|fault| (fault, 1));
    let faults = [&refused[..], &lost, &lost_once].concat();
    for (cell, (fault, times)) in faults.into_iter().enumerate() {
        let to = format!("{call:?}-{cell}@example.com").to_lowercase();
        for expected_new in [true, false] {
            let name = format!("{call:?} {fault:?}, a new user: {expected_new}");
            let key = format!("idempotency-key-{expected_new}");
            // A code must be issued after the last login.
            app.advance(Duration::from_millis(1));
            let (id, code) = app.receive_code(&to).await;
            let id = (call != Call::FindChallenge).then_some(id.as_str());
            app.faults.inject(call, fault, times);
            // Its answer is lost, whatever it says.
            app.validate_with_key(&key, &to, id, &code).await;
            assert!(app.faults.injected() > 0, "{name}: the call was not made");
            app.faults.stop();
            let answer = app.validate_with_key(&key, &to, id, &code).await;
            let again = app.validate_with_key(&key, &to, id, &code).await;
            for answer in [&answer, &again] {
                assert_eq!(answer.status, 200, "{name}");
                assert_eq!(answer.json["new_user"], expected_new, "{name}");
            }
            let token = &answer.json["refresh_token"];
            let same = *token == again.json["refresh_token"];
            assert!(same, "{name}: two sessions");
            assert_eq!(app.sessions_of(&to).await, 1, "{name}");
            let refreshed = app.refresh(token).await;
            assert_eq!(refreshed.status, 200, "{name}");
            let end = json!({ "refresh_token": refreshed.json["refresh_token"] });
            assert_eq!(app.log_out(end).await.status, 204, "{name}");
        }
    }
}
