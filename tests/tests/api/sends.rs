//! The challenges of a mailbox and a day, which share an item.

use std::time::Duration;

use tests::{
    ALICE, Call, Gate, TestApp, other_than,
    table::{Item, mailbox_key, number},
};

const ALIAS: &str = "alice+news@example.com";

const DAY: u64 = 86_400_000;

/// As many logins as a test likes, at any time.
const FREE: [(&str, &str); 4] = [
    ("REQUESTS_PER_IP_PER_HOUR", "1000"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("SENDS_PER_HOUR", "1000"),
    ("SENDS_PER_DAY", "1000"),
];

/// The item of Alice's mailbox on the day of the clock.
async fn sends(app: &TestApp) -> Item {
    let items = app.partition(&mailbox_key(ALICE)).await;
    let mut sends = items
        .into_iter()
        .filter(|(sort, _)| sort.starts_with("sends#"));
    sends.next().expect("the item of the day").1
}

#[tokio::test]
async fn all_live_codes_of_a_mailbox_stay_valid_however_many_there_are() {
    let app = TestApp::with(&FREE).await;
    let mut codes = Vec::new();
    for _ in 0..13 {
        app.advance(Duration::from_millis(1));
        codes.push(app.receive_code(ALICE).await);
    }
    assert_eq!(app.challenges(ALICE).await.len(), 13);
    assert_eq!(number(&sends(&app).await, "challenges"), Some(13));
    let (id, code) = &codes[0];
    app.validate(ALICE, Some(id), code).await.assert_ok();
    for (id, code) in &codes {
        let answer = app.validate(ALICE, Some(id), code).await;
        answer.assert_problem(400, "invalid-otp");
    }
}

#[tokio::test]
async fn the_fifth_login_drops_the_codes_that_have_expired_and_their_attempts() {
    let app = TestApp::with(&FREE).await;
    let mut live = Vec::new();
    for _ in 0..2 {
        let (id, code) = app.receive_code(ALICE).await;
        app.validate(ALICE, Some(&id), &other_than(&code)).await;
    }
    // By the clock of another instance, they may still live.
    app.advance(Duration::from_mins(6) - Duration::from_millis(1));
    for _ in 0..2 {
        live.push(app.receive_code(ALICE).await);
    }
    assert_eq!(app.challenges(ALICE).await.len(), 4);
    live.push(app.receive_code(ALICE).await);
    assert_eq!(app.challenges(ALICE).await.len(), 5);
    app.advance(Duration::from_millis(1));
    app.faults.stop();
    live.push(app.receive_code(ALICE).await);
    assert_eq!(
        app.faults
            .calls()
            .iter()
            .filter(|it| **it == Call::Admit)
            .count(),
        2
    );
    let left = app.challenges(ALICE).await;
    assert_eq!(left.len(), 4);
    assert!(live.iter().all(|(id, _)| left.contains_key(id)));
    let sends = sends(&app).await;
    assert_eq!(number(&sends, "challenges"), Some(4));
    assert!(sends.keys().all(|name| !name.starts_with("spent#")));
    let (id, code) = &live[0];
    app.validate(ALICE, Some(id), code).await.assert_ok();
}

#[tokio::test]
async fn two_logins_that_drop_codes_at_once_are_both_counted() {
    let app = TestApp::with(&FREE).await;
    for _ in 0..4 {
        app.receive_code(ALICE).await;
    }
    app.advance(Duration::from_mins(6));
    let gate = Gate::of(2, Call::Admit, "challenges = :");
    app.faults.hold(&gate);
    let (one, other) = tokio::join!(app.login(ALICE), app.login(ALICE));
    gate.assert_met();
    one.assert_ok();
    other.assert_ok();
    assert_eq!(app.challenges(ALICE).await.len(), 2);
    assert_eq!(number(&sends(&app).await, "challenges"), Some(2));
}

#[tokio::test]
async fn a_login_drops_no_more_codes_than_one_write_can_name() {
    let app = TestApp::with(&FREE).await;
    for _ in 0..40 {
        app.receive_code(ALICE).await;
    }
    app.advance(Duration::from_mins(6));
    for left in [16, 1, 2] {
        let (id, code) = app.receive_code(ALICE).await;
        assert_eq!(app.challenges(ALICE).await.len(), left);
        assert_eq!(
            number(&sends(&app).await, "challenges"),
            i64::try_from(left).ok()
        );
        if left == 16 {
            app.validate(ALICE, Some(&id), &code).await.assert_ok();
            app.advance(Duration::from_mins(6));
        }
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
