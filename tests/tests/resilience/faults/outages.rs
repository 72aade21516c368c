//! One dependency fails in a chosen way: what the client gets, and what it can do next.

use std::time::Duration;

use tests::{
    ALICE, Call, CallFault, TestApp, VALIDATE, other_than, table::partition_key, validation,
};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

#[tokio::test]
async fn a_write_whose_reply_is_lost_is_repeated_and_counts_once() {
    let limits = [("OTP_MAX_ATTEMPTS", "1"), ("SENDS_PER_HOUR", "2")];
    let app = TestApp::with(&limits).await;
    // The first validation creates the user and the second updates it: two different writes.
    for expected_new in [true, false] {
        for write in [
            Call::Admit,
            Call::CountValidation,
            Call::SpendAttempt,
            Call::Redeem,
        ] {
            app.faults.inject(write, CallFault::ReplyReplacedBy500, 1);
        }
        let (id, code) = app.receive_code(ALICE).await;
        // A validation by the client that requested the code is not counted.
        let body = validation(ALICE, Some(&id), &code);
        let answer = app.post_from("203.0.113.9", VALIDATE, &[], &body).await;
        assert_eq!(answer.assert_ok()["new_user"], expected_new);
        assert_eq!(app.attempts_at(ALICE, &id).await, 1);
        assert_eq!(app.faults.pending(), 0, "a call was not made");
        app.advance(Duration::from_secs(30));
    }
    assert_eq!(app.messages(ALICE).len(), 2);
    app.login(ALICE).await.assert_too_many();
}

#[tokio::test]
async fn writes_that_conflict_are_repeated() {
    let app = TestApp::start().await;
    let exception = CallFault::Error(400, "TransactionConflictException");
    for (call, conflict, times) in [
        (Call::Admit, CallFault::TransactionConflict, 2),
        (Call::SpendAttempt, exception, 1),
        (Call::Redeem, exception, 1),
        (Call::Redeem, CallFault::TransactionConflict, 1),
    ] {
        app.faults.inject(call, conflict, times);
    }
    let (id, code) = app.receive_code(ALICE).await;
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    assert_eq!(app.faults.pending(), 0, "a call was not made");
}

#[tokio::test]
async fn without_the_table_no_message_is_sent_and_no_code_logs_in() {
    for (call, policy) in [
        (Call::SpendAttempt, "sign-up"),
        (Call::FindUser, "conceal"),
        (Call::Redeem, "sign-up"),
    ] {
        let app = TestApp::with(&[("UNKNOWN_USERS", policy)]).await;
        app.add_user(ALICE, false).await;
        let (id, code) = app.receive_code(ALICE).await;
        app.faults.inject(call, CallFault::Http500, 3);
        app.validate(ALICE, Some(&id), &code)
            .await
            .assert_unavailable();
        app.faults.stop();
        // At most an attempt is lost. The code stays valid.
        app.validate(ALICE, Some(&id), &code).await.assert_ok();
    }

    let app = TestApp::start().await;
    app.faults.inject(Call::Admit, CallFault::Http500, 3);
    app.login(ALICE).await.assert_unavailable();
    assert!(app.messages(ALICE).is_empty());
}

#[tokio::test]
async fn without_the_signing_key_a_code_stays_valid() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    let error = CallFault::Error(500, "KMSInternalException");
    app.faults.inject(Call::Sign, error, 3);
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_unavailable();
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn without_the_digest_key_every_request_fails_until_the_key_is_back() {
    let app = TestApp::start().await.cold_start().await;
    let error = CallFault::Error(400, "DisabledException");
    app.faults.inject(Call::FetchDigestKey, error, 2);
    app.login(ALICE).await.assert_unavailable();
    app.validate(ALICE, None, "123456")
        .await
        .assert_unavailable();
    app.receive_code(ALICE).await;
}

#[tokio::test]
async fn a_call_without_a_reply_is_given_up_within_its_budget() {
    let app = TestApp::start().await;
    for (call, budget) in [(Call::Admit, 4), (Call::SendEmail, 4)] {
        app.faults.inject(call, CallFault::NoReply, 4);
        let answer = tokio::time::timeout(
            // Twice the budget, because the machine may be busy.
            Duration::from_secs(budget * 2),
            app.login(&format!("{budget}@example.com")),
        )
        .await
        .expect("an answer in time");
        let unconfirmed = answer.json["delivery"] == "unconfirmed";
        assert!(answer.status.is_server_error() || unconfirmed);
        app.faults.stop();
    }
}

#[tokio::test]
async fn the_cause_of_a_503_is_in_the_log_and_not_in_the_answer() {
    let secret = "SecretInternalsException";
    let to = "fault-finder@hidden.example.net";
    let app = TestApp::start().await;
    let error = CallFault::Error(400, secret);
    app.faults.inject(Call::Admit, error, 3);
    let answer = app.login(to).await;
    assert!(!String::from_utf8_lossy(&answer.bytes).contains(secret));
    let lines = app.log.lines_about("f***@h***.net");
    let line = lines.first().expect("a line about the login");
    assert_eq!(line["outcome"], "unavailable");
    assert_eq!(line["dependency"], "table");
    assert_eq!(line["operation"], "TransactWriteItems");
    assert_eq!(line["cause"], secret);
}

#[tokio::test]
async fn a_wrong_code_does_not_use_the_signing_key() {
    let app = TestApp::start().await;
    app.faults.inject(Call::Sign, CallFault::NoReply, 1);
    let (id, code) = app.receive_code(ALICE).await;
    app.validate(ALICE, Some(&id), &other_than(&code))
        .await
        .assert_problem(400, "invalid-otp");
    assert_eq!(app.faults.pending(), 1, "a wrong code called Sign");
}

#[tokio::test]
async fn an_idempotency_key_of_a_login_that_never_completed_is_free_after_25_seconds() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let lost = CallFault::ReplyReplacedBy500;
    app.faults.inject(Call::Admit, lost, 3);
    app.login_with_key(KEY, ALICE).await.assert_unavailable();
    assert_eq!(
        app.challenges(ALICE).await.len(),
        1,
        "the challenge must be stored without its client's knowledge"
    );
    assert!(app.messages(ALICE).is_empty());
    app.advance(Duration::from_secs(25));
    app.login_with_key(KEY, ALICE).await.assert_ok();
    app.login_with_key(KEY, ALICE).await.assert_ok();
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn a_login_whose_user_cannot_be_read_leaves_nothing_behind() {
    for mode in ["sign-up", "reveal"] {
        let limits = [("UNKNOWN_USERS", mode), ("SENDS_PER_HOUR", "1")];
        let app = TestApp::with(&limits).await;
        app.add_user(ALICE, false).await;
        app.faults.inject(Call::FindUser, CallFault::Http500, 3);
        app.login_with_key(KEY, ALICE).await.assert_unavailable();
        assert!(app.messages(ALICE).is_empty());
        let items = app.partition(&partition_key(ALICE)).await;
        assert_eq!(items.len(), 1, "something beside the user is left");
        app.login_with_key(KEY, ALICE).await.assert_ok();
    }
}

#[tokio::test]
async fn a_concealed_login_whose_user_cannot_be_read_is_answered_logged_and_free_to_repeat() {
    let settings = [
        ("UNKNOWN_USERS", "conceal"),
        ("RESEND_COOLDOWN_SECONDS", "0"),
    ];
    let to = "unread-user@hidden.example.com";
    let app = TestApp::with(&settings).await;
    app.add_user(to, false).await;
    app.faults.inject(Call::FindUser, CallFault::Http500, 3);
    app.login_with_key(KEY, to).await.assert_ok();
    assert!(app.messages(to).is_empty());
    let lines = app.log.lines_about("u***@h***.com");
    let line = lines.first().expect("a line about the login");
    assert_eq!(line["outcome"], "unavailable");
    assert_eq!(line["dependency"], "table");
    app.advance(Duration::from_secs(25));
    app.login_with_key(KEY, to).await.assert_ok();
    assert_eq!(app.messages(to).len(), 1);
}

#[tokio::test]
async fn without_the_second_digest_key_an_attempt_has_the_same_conditions() {
    let settings = [
        ("SECOND_DIGEST_KEY_ID", "next-digest-key"),
        ("RESEND_COOLDOWN_SECONDS", "0"),
    ];
    let app = TestApp::with(&settings).await.cold_start().await;
    app.faults.inject_by(|call, body| {
        let is_second = String::from_utf8_lossy(body).contains("next-digest-key");
        (call == Call::FetchDigestKey && is_second).then_some(CallFault::Http500)
    });
    let (id, code) = app.receive_code(ALICE).await;
    let refuses = async |to, id, code: &str, attempts| {
        let answer = app.validate(to, Some(id), code).await;
        answer.assert_problem(400, "invalid-otp");
        assert_eq!(app.attempts_at(ALICE, id).await, attempts);
    };
    // It is for one spelling of a mailbox.
    refuses("alice+news@example.com", &id, &code, 0).await;
    // There are three, and a repeat spends no other one.
    refuses(ALICE, &id, &other_than(&code), 1).await;
    refuses(ALICE, &id, &other_than(&code), 2).await;
    for _ in 0..2 {
        let answer = app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
        answer.assert_ok();
    }
    refuses(ALICE, &id, &code, 3).await;
    // It ends with the code's life.
    let (id, code) = app.receive_code(ALICE).await;
    app.advance(Duration::from_mins(5));
    refuses(ALICE, &id, &code, 0).await;
}

#[tokio::test]
async fn an_unreachable_second_digest_key_costs_no_attempt() {
    let keys = [
        ("SECOND_DIGEST_KEY_ID", "next-digest-key"),
        ("OTP_MAX_ATTEMPTS", "1"),
        ("RESEND_COOLDOWN_SECONDS", "0"),
    ];
    let app = TestApp::with(&keys).await;
    let (old_id, old_code) = app.receive_code(ALICE).await;
    // The keys change places, so the code is under the second one.
    let app = app
        .deploy(|settings| {
            let sessions = &mut settings.sessions;
            let second = sessions.second_digest_key_id.as_mut().expect("two keys");
            std::mem::swap(second, &mut sessions.digest_key_id);
            let login = settings.login.as_mut().expect("right settings");
            login.digest_key_id.clone_from(&sessions.digest_key_id);
        })
        .await;
    app.warm_up().await;
    let (id, code) = app.receive_code("bob@example.com").await;
    app.faults.inject_by(|call, body| {
        let is_second = String::from_utf8_lossy(body).contains("local-digest-key");
        (call == Call::FetchDigestKey && is_second).then_some(CallFault::Http500)
    });
    app.validate(ALICE, Some(&old_id), &old_code)
        .await
        .assert_unavailable();
    assert_eq!(app.attempts_at(ALICE, &old_id).await, 0);
    // Codes under the first key are judged.
    app.validate("bob@example.com", Some(&id), &code)
        .await
        .assert_ok();
    app.faults.stop();
    app.validate(ALICE, Some(&old_id), &old_code)
        .await
        .assert_ok();
}

#[tokio::test]
async fn a_throttled_call_of_the_table_is_repeated_for_longer_than_the_sdk_does() {
    let app = TestApp::start().await;
    // The SDK tries three times.
    for call in [Call::Admit, Call::FindUser] {
        app.faults.inject(call, CallFault::Throttled, 5);
    }
    let (id, code) = app.receive_code(ALICE).await;
    for call in [Call::SpendAttempt, Call::Redeem] {
        app.faults.inject(call, CallFault::Throttled, 5);
    }
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    assert_eq!(app.faults.pending(), 0, "a call was not repeated");
}
