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
    // A repeat is counted; the first guess is the requester's own.
    let (first, repeat) = (
        vec![Call::CountWrong, Call::SpendAttempt],
        vec![Call::CountValidation, Call::CountWrong, Call::SpendAttempt],
    );
    assert_eq!(calls, [first.clone(), repeat.clone(), first, repeat]);
}
