//! Who may log in: users, strangers and disabled users, in each mode.

use std::time::Duration;

use otp::ambient::Stopwatch;

use crate::harness::{ALICE, Answer, PHONE, TestApp};

const REVEAL: &[(&str, &str)] = &[("UNKNOWN_USERS", "reveal")];
const CONCEAL: &[(&str, &str)] = &[("UNKNOWN_USERS", "conceal")];

/// All that a client sees, but for what is random.
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
async fn revealing_tells_who_is_no_user_in_the_tutorials_words() {
    let app = TestApp::with(REVEAL).await;
    for (to, sentence) in [
        (ALICE, "User with this email does not exist."),
        (PHONE, "User with this phone number does not exist."),
    ] {
        let answer = app.login(to).await;
        answer.assert_problem(404, "user-not-found");
        assert_eq!(answer.json["error"], sentence);
        assert!(app.messages(to).is_empty());
        // Nothing was sent, so nothing of it is counted but the client's request.
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
async fn concealing_tells_nobody_apart_and_sends_to_users_only() {
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
            "limits are the same for all"
        );
    }
    let failed =
        app.log.lines().into_iter().any(|line| {
            line["destination"] == "f***@e***.com" && line["outcome"] == "delivery-failed"
        });
    assert!(failed, "the operator learns what the client does not");
}

#[tokio::test]
async fn concealing_takes_everybody_the_same_time() {
    let app = TestApp::with(CONCEAL).await;
    app.add_user(ALICE, false).await;
    for to in [ALICE, "stranger@example.com"] {
        let started = Stopwatch::start();
        app.login(to).await.assert_ok();
        assert!(
            started.elapsed() >= Duration::from_secs(2),
            "answered before its time"
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
    assert_eq!(app.messages(ALICE).len(), 1, "no second message");
}

#[tokio::test]
async fn a_stranger_cannot_become_a_user_where_signing_up_is_off() {
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
