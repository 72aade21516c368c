//! A client that got no answer repeats its login under the same idempotency key.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use tests::{ALICE, Answer, Call, CallFault, Gate, TestApp};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

#[tokio::test]
async fn a_repeated_login_gets_the_same_challenge_and_no_second_message() {
    let app = TestApp::start().await;
    let first = app.login_with_key(KEY, ALICE).await;
    let again = app.login_with_key(KEY, ALICE).await;
    assert_eq!(first.assert_ok(), again.assert_ok());
    app.advance(Duration::from_millis(20_500));
    let later = app.login_with_key(KEY, ALICE).await;
    let mut expected = first.json.clone();
    // The rest of a code's life is rounded down, the rest of a wait up.
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
async fn fifty_logins_with_one_key_at_once_send_one_message() {
    let app = Arc::new(TestApp::start().await);
    let tasks = (0..50).map(|_| {
        let app = Arc::clone(&app);
        tokio::spawn(async move { app.login_with_key(KEY, ALICE).await })
    });
    let gate = Gate::of(2, Call::Admit, ALICE);
    app.faults.hold(&gate);
    let answers = join_all(tasks).await;
    gate.assert_met();
    let answers: Vec<Answer> = answers.into_iter().map(|answer| answer.unwrap()).collect();
    for answer in &answers {
        assert_eq!(answer.assert_ok(), &answers[0].json);
    }
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn the_same_key_with_another_destination_is_another_request() {
    let app = TestApp::start().await;
    let alices = app.login_with_key(KEY, ALICE).await;
    let bobs = app.login_with_key(KEY, "bob@example.com").await;
    assert_ne!(
        alices.assert_ok()["challenge_id"],
        bobs.assert_ok()["challenge_id"]
    );
    assert_eq!(app.messages("bob@example.com").len(), 1);
    for (to, first) in [("Alice@Example.com", &alices), ("bob@example.com", &bobs)] {
        let again = app.login_with_key(KEY, to).await;
        assert_eq!(*again.assert_ok(), first.json);
    }
    assert_eq!(app.messages(ALICE).len(), 1);
    assert_eq!(app.messages("bob@example.com").len(), 1);
}

#[tokio::test]
async fn a_key_is_free_again_when_its_code_has_expired() {
    let app = TestApp::start().await;
    let first = app.login_with_key(KEY, ALICE).await;
    app.advance(Duration::from_mins(5));
    let second = app.login_with_key(KEY, ALICE).await;
    assert_ne!(
        first.assert_ok()["challenge_id"],
        second.assert_ok()["challenge_id"]
    );
    assert_eq!(app.messages(ALICE).len(), 2);
}

#[tokio::test]
async fn a_login_can_be_repeated_until_its_code_expires() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let first = app.login_with_key(KEY, ALICE).await;
    app.advance(Duration::from_mins(5) - Duration::from_secs(1));
    let again = app.login_with_key(KEY, ALICE).await;
    assert_eq!(
        again.assert_ok()["challenge_id"],
        first.json["challenge_id"]
    );
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn a_login_whose_delivery_failed_can_be_repeated_under_its_key() {
    let app = TestApp::start().await;
    app.stack.messages.set_refusing(true);
    app.login_with_key(KEY, ALICE)
        .await
        .assert_problem(502, "delivery-failed");
    app.stack.messages.set_refusing(false);
    app.login_with_key(KEY, ALICE).await.assert_ok();
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn a_login_repeated_while_its_first_request_is_sending_gets_the_same_answer() {
    for (refusing, status) in [(false, 200), (true, 502)] {
        let app = TestApp::start().await;
        app.stack.messages.set_refusing(refusing);
        // The message is sent once the repeat has looked for its end in vain.
        let sending = Gate::closed(Call::SendEmail, ALICE);
        let looking = Gate::closed(Call::FindLogin, ALICE);
        app.faults.hold(&sending);
        app.faults.hold(&looking);
        let (first, repeat, ()) = tokio::join!(
            app.login_with_key(KEY, ALICE),
            async {
                sending.reached().await;
                app.login_with_key(KEY, ALICE).await
            },
            async {
                looking.reached().await;
                sending.open();
                looking.open();
            }
        );
        sending.assert_met();
        assert_eq!(first.status, status);
        assert_eq!(first.json, repeat.json);
        assert_eq!(app.messages(ALICE).len(), usize::from(!refusing));
    }
}

#[tokio::test]
async fn a_login_that_ends_too_late_says_nothing_about_the_next_one_under_its_key() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    // Nobody knows whether the first message was sent.
    let lost = CallFault::ReplyReplacedBy500;
    app.faults.inject(Call::SendEmail, lost, 1);
    let gate = Gate::closed(Call::Complete, "unconfirmed");
    app.faults.hold(&gate);
    let (_, second) = tokio::join!(app.login_with_key(KEY, ALICE), async {
        gate.reached().await;
        app.advance(Duration::from_secs(25));
        let second = app.login_with_key(KEY, ALICE).await;
        gate.open();
        second
    });
    gate.assert_met();
    let again = app.login_with_key(KEY, ALICE).await;
    assert_eq!(again.assert_ok(), second.assert_ok());
}

#[tokio::test]
async fn a_refused_login_does_not_take_the_key() {
    let app = TestApp::start().await;
    app.login(ALICE).await.assert_ok();
    app.login_with_key(KEY, ALICE).await.assert_too_many();
    app.login_with_key(KEY, "bob@example.com").await.assert_ok();
}

#[tokio::test]
async fn a_malformed_key_is_an_invalid_request() {
    let app = TestApp::start().await;
    for key in ["", "short", "sixteen with a space"] {
        app.login_with_key(key, ALICE)
            .await
            .assert_problem(400, "invalid-request");
    }
    assert!(app.messages(ALICE).is_empty());
}
