//! The challenges of a mailbox.

use std::time::Duration;

use tests::{ALICE, Call, Gate, TestApp, other_than, table::partition_key};

const ALIAS: &str = "alice+news@example.com";

const DAY: u64 = 86_400_000;

/// As many logins as a test likes, at any time.
const FREE: [(&str, &str); 4] = [
    ("REQUESTS_PER_IP_PER_HOUR", "1000"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("SENDS_PER_HOUR", "1000"),
    ("SENDS_PER_DAY", "1000"),
];

#[tokio::test]
async fn all_live_codes_of_a_mailbox_stay_valid_however_many_there_are() {
    let app = TestApp::with(&FREE).await;
    let mut codes = Vec::new();
    for _ in 0..13 {
        app.advance(Duration::from_millis(1));
        codes.push(app.receive_code(ALICE).await);
    }
    assert_eq!(app.challenges(ALICE).await.len(), 13);
    let (id, code) = &codes[0];
    app.validate(ALICE, Some(id), code).await.assert_ok();
    for (id, code) in &codes {
        let answer = app.validate(ALICE, Some(id), code).await;
        answer.assert_problem(400, "invalid-otp");
    }
}

#[tokio::test]
async fn a_code_outlives_midnight_with_its_attempts() {
    for named in [true, false] {
        let app = TestApp::start().await;
        app.advance(Duration::from_millis(DAY - 1000 - app.now() % DAY));
        let (id, code) = app.receive_code(ALICE).await;
        app.advance(Duration::from_secs(2));
        let wrong = other_than(&code);
        let name = named.then_some(id.as_str());
        for attempts in [1, 2] {
            let answer = app.validate(ALICE, name, &wrong).await;
            answer.assert_problem(400, "invalid-otp");
            assert_eq!(app.attempts_at(ALICE, &id).await, attempts);
        }
        app.validate(ALICE, name, &code).await.assert_ok();
    }
}

#[tokio::test]
async fn another_spelling_of_the_mailbox_spends_no_attempt_at_the_challenge() {
    let app = TestApp::with(&FREE).await;
    let (alias_id, alias_code) = app.receive_code(ALIAS).await;
    app.advance(Duration::from_millis(1));
    let (id, code) = app.receive_code(ALICE).await;
    for (to, id, code) in [(ALIAS, &id, &code), (ALICE, &alias_id, &alias_code)] {
        let answer = app.validate(to, Some(id), code).await;
        answer.assert_problem(400, "invalid-otp");
    }
    // Without an id, the newest of the spelling is meant.
    let wrong = other_than(&alias_code);
    app.validate(ALIAS, None, &wrong)
        .await
        .assert_problem(400, "invalid-otp");
    assert_eq!(app.attempts_at(ALICE, &id).await, 0);
    assert_eq!(app.attempts_at(ALIAS, &alias_id).await, 1);
    app.validate(ALIAS, None, &alias_code).await.assert_ok();
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn a_code_whose_challenge_is_withdrawn_before_its_login_starts_no_session() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    let gate = Gate::closed(Call::Redeem, &id);
    app.faults.hold(&gate);
    let (answer, ()) = tokio::join!(app.validate(ALICE, Some(&id), &code), async {
        gate.reached().await;
        let challenge = format!("challenge#{id}");
        app.delete(&partition_key(ALICE), &challenge).await;
        gate.open();
    });
    gate.assert_met();
    answer.assert_problem(400, "invalid-otp");
    assert_eq!(app.sessions().await, 0);
}
