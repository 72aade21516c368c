//! Destinations that the provider refuses as such.

use std::time::Duration;

use tests::{ALICE, Answer, Call, CallFault, PHONE, TestApp};

/// The emulated SNS refuses it, as SNS does. In the log of all tests, nothing else is masked so.
const IMPOSSIBLE: &str = "+1000431";
const KEY: &str = "2f7c1a52-3b0e-4c6b-9f43-6f0f6f1f7d0a";

fn assert_refused(answer: &Answer) {
    answer.assert_problem(400, "destination-refused");
}

#[tokio::test]
async fn an_impossible_number_is_the_clients_mistake_and_is_counted() {
    let limits = [
        ("SMS_PREFIXES", "+1"),
        ("SENDS_PER_HOUR", "2"),
        ("SMS_PER_DAY", "2"),
    ];
    let app = TestApp::with(&limits).await;
    assert_refused(&app.login(IMPOSSIBLE).await);
    app.login(IMPOSSIBLE).await.assert_too_many();
    app.advance(Duration::from_secs(30));
    assert_refused(&app.login(IMPOSSIBLE).await);
    // Both messages of the day.
    app.login(PHONE).await.assert_too_many();
    assert!(app.stack.messages.messages(None).is_empty());

    let lines = app.log.lines_about("+1***31");
    // The log is of the whole process, and other numbers have the same mask.
    let mut refused = lines
        .iter()
        .filter(|line| line["outcome"] == "destination-refused")
        .peekable();
    assert!(refused.peek().is_some());
    assert!(refused.all(|line| line["level"] == "INFO"));
}

#[tokio::test]
async fn a_repeat_under_the_same_key_is_not_told_that_a_message_is_on_its_way() {
    let limits = [("SMS_PREFIXES", "+1"), ("RESEND_COOLDOWN_SECONDS", "0")];
    let app = TestApp::with(&limits).await;
    for _ in 0..2 {
        assert_refused(&app.login_with_key(KEY, IMPOSSIBLE).await);
    }
}

#[tokio::test]
async fn without_the_table_the_answer_is_the_same() {
    let app = TestApp::with(&[("SMS_PREFIXES", "+1")]).await;
    app.faults
        .inject(Call::WithdrawEnd, CallFault::Http500, 100);
    assert_refused(&app.login_with_key(KEY, IMPOSSIBLE).await);
    assert!(app.faults.pending() < 100, "the key was not to be freed");
}

#[tokio::test]
async fn conceal_answers_as_for_everybody() {
    let settings = [("SMS_PREFIXES", "+1"), ("UNKNOWN_USERS", "conceal")];
    let app = TestApp::with(&settings).await;
    let known = "+1000777";
    app.add_user(known, false).await;
    let (existing, unknown) = tokio::join!(app.login(known), app.login("+1000778"));
    for answer in [existing, unknown] {
        assert_eq!(answer.assert_ok()["delivery"], "unconfirmed");
    }
    let lines = app.log.lines_about("+1***77");
    assert!(
        lines
            .iter()
            .any(|line| line["outcome"] == "destination-refused")
    );
    assert!(lines.iter().all(|line| line["level"] == "INFO"));
}

#[tokio::test]
async fn an_error_that_is_not_about_the_destination_stays_a_failed_delivery() {
    let app = TestApp::start().await;
    for (to, call, code) in [
        (PHONE, Call::SendSms, "AuthorizationError"),
        (PHONE, Call::SendSms, "ParameterValueInvalid"),
        (ALICE, Call::SendEmail, "BadRequestException"),
        (ALICE, Call::SendEmail, "MessageRejected"),
    ] {
        app.faults.inject(call, CallFault::Error(400, code), 1);
        app.login(to).await.assert_problem(502, "delivery-failed");
    }
}
