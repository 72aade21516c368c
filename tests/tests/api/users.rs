//! `UNKNOWN_USERS`: users, disabled users and unknown users in each mode.

use std::time::Duration;

use tests::{ALICE, Answer, Call, CallFault, LOGIN, PHONE, TestApp, destination};

const REVEAL: &[(&str, &str)] = &[("UNKNOWN_USERS", "reveal")];
const CONCEAL: &[(&str, &str)] = &[("UNKNOWN_USERS", "conceal")];

/// Everything that a client sees, without what is random.
pub fn seen(answer: &Answer) -> String {
    let mut json = answer.json.clone();
    if let Some(id) = json.get_mut("challenge_id") {
        *id = id.as_str().expect("an id").len().into();
    }
    if let Some(destination) = json.get_mut("destination") {
        *destination = "what the client sent".into();
    }
    let mut headers = answer.headers.clone();
    headers.remove("date");
    headers.remove("content-length");
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
async fn conceal_answers_before_it_looks_for_the_user() {
    let app = TestApp::with(CONCEAL).await;
    app.add_user(ALICE, false).await;
    for to in [ALICE, "stranger@example.com"] {
        app.faults.stop();
        app.faults.inject(Call::FindUser, CallFault::NoReply, 1);
        let body = destination(to).to_string();
        let client = app.client.hurried();
        client.post(LOGIN, &[], body).await.assert_ok();
        // An answer that waits for the user would come after the client has given up
        // its first attempt, which is when the second one ends.
        let calls = app.faults.calls();
        let found = calls.iter().filter(|call| **call == Call::FindUser);
        assert!(found.count() < 2, "the answer came after {calls:?}");
    }
    // Any request waits for what the answers before it left.
    app.login("stranger@example.com").await.assert_too_many();
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn conceal_makes_the_same_calls_for_everyone_until_the_answer() {
    let app = TestApp::with(CONCEAL).await;
    app.faults.read_whole_batches();
    app.add_user(ALICE, false).await;
    for to in [ALICE, "stranger@example.com"] {
        app.faults.stop();
        let login = app.login_with_key("8e03978e-40d5-43dd-bc93-6894a57f9324", to);
        login.await.assert_ok();
        let mut calls = app.faults.calls();
        // What is due to a user follows the answer.
        calls.retain(|call| !matches!(call, Call::SendEmail | Call::AdmitMessage));
        assert_eq!(calls, [Call::Admit, Call::FindUser, Call::Complete]);
    }
}

#[tokio::test]
async fn conceal_repeats_an_answer_without_looking_for_the_user() {
    let app = TestApp::with(CONCEAL).await;
    app.add_user(ALICE, false).await;
    for to in [ALICE, "stranger@example.com"] {
        let key = "8e03978e-40d5-43dd-bc93-6894a57f9324";
        let first = app.login_with_key(key, to).await;
        app.faults.stop();
        let again = app.login_with_key(key, to).await;
        assert_eq!(first.text("challenge_id"), again.text("challenge_id"));
        assert!(!app.faults.calls().contains(&Call::FindUser));
    }
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn conceal_gives_up_a_provider_that_never_answers_and_logs_it() {
    let to = "silent-provider@hidden.example.org";
    let app = TestApp::with(CONCEAL).await;
    app.add_user(to, false).await;
    app.faults.inject(Call::SendEmail, CallFault::NoReply, 9);
    app.login(to).await.assert_ok();
    let lines = app.log.lines_about("s***@h***.org");
    let [line] = lines.as_slice() else {
        panic!("not one line: {lines:?}");
    };
    assert_eq!(line["outcome"], "unconfirmed");
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["dependency"], "provider");
    assert!(line["user_id"].is_string());
    assert!(line["challenge_id"].is_string());
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
