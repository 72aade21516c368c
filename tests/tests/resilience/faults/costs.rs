//! Which calls a validation makes: what it costs, and what its time could tell.

use tests::{ALICE, Call, TestApp, other_than};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

#[tokio::test]
async fn under_conceal_a_key_makes_the_same_calls_for_a_user_and_for_nobody() {
    let app = TestApp::with(&[("UNKNOWN_USERS", "conceal")]).await;
    app.add_user(ALICE, false).await;
    let mut calls = Vec::new();
    for to in [ALICE, "nobody@example.com"] {
        let id = app.login(to).await.text("challenge_id");
        // Nobody gets a message. The same wrong guess for both, and its repeat.
        let wrong = app.messages(ALICE)[0].code.as_deref().map(other_than);
        for _ in 0..2 {
            app.faults.stop();
            let guess = wrong.as_deref().expect("a code");
            let answer = app.validate_with_key(KEY, to, Some(&id), guess).await;
            answer.assert_problem(400, "invalid-otp");
            let mut made = app.faults.calls();
            made.sort_by_key(|call| format!("{call:?}"));
            calls.push(made);
        }
        assert_eq!(app.attempts_at(to, &id).await, 1);
    }
    assert_eq!(calls, vec![[Call::CountValidation, Call::SpendAttempt]; 4]);
}

#[tokio::test]
async fn a_used_code_costs_no_signature_and_no_transaction() {
    let app = TestApp::start().await;
    // The challenge carries the user, so a login does not look for one.
    let (id, code) = app.receive_code(ALICE).await;
    let calls = async |key: Option<&str>, expected: u16| {
        app.faults.stop();
        let answer = match key {
            Some(key) => app.validate_with_key(key, ALICE, Some(&id), &code).await,
            None => app.validate(ALICE, Some(&id), &code).await,
        };
        assert_eq!(answer.status, expected);
        app.faults.calls()
    };
    let expect = |later: &[Call]| [&[Call::SpendAttempt], later].concat();
    // The first request with a key makes the same calls as one without.
    let login = calls(Some(KEY), 200).await;
    assert_eq!(login, expect(&[Call::Sign, Call::Redeem]));
    assert_eq!(calls(None, 400).await, expect(&[Call::CountValidation]));
    let another = calls(Some("another-key-of-a-client"), 400).await;
    let refused = [Call::FindUser, Call::FindSession, Call::CountValidation];
    assert_eq!(another, expect(&refused));
    let repeat = calls(Some(KEY), 200).await;
    let again = [
        Call::FindUser,
        Call::FindSession,
        Call::Sign,
        Call::CountValidation,
    ];
    assert_eq!(repeat, expect(&again));
}
