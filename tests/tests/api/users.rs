//! `UNKNOWN_USERS`: users, disabled users and unknown users in each mode.

use std::time::Duration;

use otp_service::ambient::Stopwatch;
use tests::{ALICE, Answer, PHONE, TestApp};

const REVEAL: &[(&str, &str)] = &[("UNKNOWN_USERS", "reveal")];
const CONCEAL: &[(&str, &str)] = &[("UNKNOWN_USERS", "conceal")];

/// Everything that a client sees, without what is random.
fn seen(answer: &Answer) -> String {
    let mut json = answer.json.clone();
    if let Some(id) = json.get_mut("challenge_id") {
        *id = id.as_str().expect("an id").len().into();
    }
    let mut headers = answer.headers.clone();
    headers.remove("date");
    format!("{} {headers:?} {json}", answer.status)
}

#[tokio::test]
async fn reveal_refuses_an_unknown_user_in_the_tutorials_words() {
    let app = TestApp::with(REVEAL).await;
    for (to, sentence) in [
        (ALICE, "User with this email does not exist."),
        (PHONE, "User with this phone number does not exist."),
    ] {
        let answer = app.login(to).await;
        answer.assert_problem(404, "user-not-found");
        assert_eq!(answer.json["error"], sentence);
        assert!(app.messages(to).is_empty());
        // No message was sent, so only the client's limit counts the login.
        app.login(to).await.assert_problem(404, "user-not-found");
        app.add_user(to, false).await;
        let (id, code) = app.receive_code(to).await;
        let answer = app.validate(to, Some(&id), &code).await;
        assert_eq!(answer.assert_ok()["new_user"], false);
        app.advance(Duration::from_secs(30));
        app.add_user(to, true).await;
        app.login(to).await.assert_problem(404, "user-not-found");
    }
}

#[tokio::test]
async fn conceal_answers_everyone_alike_and_sends_to_users_only() {
    let app = TestApp::with(CONCEAL).await;
    let (user, disabled, stranger, failing) = (
        "user@example.com",
        "disabled@example.com",
        "stranger@example.com",
        "failing@example.com",
    );
    app.add_user(user, false).await;
    app.add_user(failing, false).await;
    app.add_user(disabled, true).await;

    let expected = app.login(user).await;
    expected.assert_ok();
    let expected = seen(&expected);
    for to in [disabled, stranger] {
        assert_eq!(seen(&app.login(to).await), expected);
        assert!(app.messages(to).is_empty());
    }
    app.stack.messages.set_refusing(true);
    assert_eq!(seen(&app.login(failing).await), expected);
    assert_eq!(app.messages(user).len(), 1);

    let expected = seen(&app.login(user).await);
    for to in [disabled, stranger, failing] {
        assert_eq!(
            seen(&app.login(to).await),
            expected,
            "a limit tells users apart"
        );
    }
    let lines = app.log.lines_about("f***@e***.com");
    let failed = lines
        .iter()
        .any(|line| line["outcome"] == "delivery-failed");
    assert!(failed, "the operator does not see that the delivery failed");
}

#[tokio::test]
async fn conceal_answers_no_login_before_two_seconds() {
    let app = TestApp::with(CONCEAL).await;
    app.add_user(ALICE, false).await;
    for to in [ALICE, "stranger@example.com"] {
        let started = Stopwatch::start();
        app.login(to).await.assert_ok();
        assert!(
            started.elapsed() >= Duration::from_secs(2),
            "the answer came early"
        );
    }
}

#[tokio::test]
async fn a_disabled_user_gets_no_code_and_no_token() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.add_user(ALICE, true).await;
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");

    app.advance(Duration::from_secs(30));
    app.login(ALICE).await.assert_ok();
    assert_eq!(
        app.messages(ALICE).len(),
        1,
        "a disabled user got a message"
    );
}

#[tokio::test]
async fn an_unknown_user_cannot_sign_up_under_reveal_or_conceal() {
    for mode in [REVEAL, CONCEAL] {
        let app = TestApp::with(mode).await;
        app.add_user(ALICE, false).await;
        let (id, code) = app.receive_code(ALICE).await;
        app.remove_user(ALICE).await;
        app.validate(ALICE, Some(&id), &code)
            .await
            .assert_problem(400, "invalid-otp");
    }
}
