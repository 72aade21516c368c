//! Deliveries that fail, or whose answer is lost.

use std::time::Duration;

use tests::{ALICE, Call, CallFault, Gate, PHONE, TestApp};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

#[tokio::test]
async fn a_login_whose_delivery_failed_can_be_repeated_at_once_and_is_not_counted() {
    for (to, call) in [(ALICE, Call::SendEmail), (PHONE, Call::SendSms)] {
        for code in ["MessageRejected", "OptedOut"] {
            let limits = [("SENDS_PER_HOUR", "1"), ("SENDS_PER_DAY", "1")];
            let app = TestApp::with(&limits).await;
            app.faults.inject(call, CallFault::Error(400, code), 1);
            app.login(to).await.assert_problem(502, "delivery-failed");
            app.login(to).await.assert_ok();
            app.login(to).await.assert_too_many();
            assert_eq!(app.messages(to).len(), 1);
        }
    }
}

#[tokio::test]
async fn an_unconfirmed_delivery_counts_is_not_repeated_and_its_code_logs_in() {
    let limits = [("SENDS_PER_HOUR", "1"), ("SMS_PER_DAY", "1")];
    let app = TestApp::with(&limits).await;
    let nothing_done = CallFault::NOTHING_DONE.map(|fault| (fault, 0));
    let reply_lost = CallFault::REPLY_LOST.map(|fault| (fault, 1));
    let faults = nothing_done.into_iter().chain(reply_lost);
    for (nth, (fault, arrives)) in faults.enumerate() {
        if fault == CallFault::Throttled {
            continue; // The provider says that it did nothing.
        }
        for (to, call) in [
            (format!("unsure{nth}@example.com"), Call::SendEmail),
            (format!("+1415555010{nth}"), Call::SendSms),
        ] {
            app.faults.inject(call, fault, 1);
            let answer = app.login_with_key(KEY, &to).await;
            assert_eq!(answer.assert_ok()["delivery"], "unconfirmed", "{fault:?}");
            let again = app.login_with_key(KEY, &to).await;
            assert_eq!(again.assert_ok()["delivery"], "unconfirmed", "{fault:?}");
            assert_eq!(app.messages(&to).len(), arrives, "{fault:?}");
            assert_eq!(app.faults.pending(), 0, "the call was not made");
            app.advance(Duration::from_secs(30));
            app.login(&to).await.assert_too_many();
            if arrives == 1 {
                let code = app.newest_code(&to);
                app.validate(&to, None, &code).await.assert_ok();
            }
            // The next day.
            app.advance(Duration::from_hours(24));
        }
    }
}

#[tokio::test]
async fn a_confirmed_delivery_stays_confirmed_when_its_login_is_repeated() {
    let app = TestApp::start().await;
    for _ in 0..2 {
        let answer = app.login_with_key(KEY, ALICE).await;
        assert_eq!(answer.assert_ok()["delivery"], "confirmed");
    }
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn a_throttled_delivery_is_repeated() {
    let app = TestApp::start().await;
    for (to, call) in [(ALICE, Call::SendEmail), (PHONE, Call::SendSms)] {
        app.faults.inject(call, CallFault::Throttled, 1);
        let answer = app.login(to).await;
        assert_eq!(answer.assert_ok()["delivery"], "confirmed");
        assert_eq!(app.messages(to).len(), 1);
        assert_eq!(app.faults.pending(), 0, "the call was not made");
    }
}

/// Two sends a day.
const BESIEGED: [(&str, &str); 2] = [("RESEND_COOLDOWN_SECONDS", "0"), ("SENDS_PER_DAY", "2")];

/// Withdraws a login after its message was refused. The withdrawal waits until `meanwhile` is
/// over. The provider throttles the message once before it refuses it, so that the login takes
/// as long as one does.
async fn withdraw_beside<F: Future>(app: &TestApp, to: &str, meanwhile: F) -> F::Output {
    let gate = Gate::closed(Call::Withdraw, to);
    app.faults.hold(&gate);
    app.faults.inject(Call::SendEmail, CallFault::Throttled, 1);
    let refusal = CallFault::Error(400, "MessageRejected");
    app.faults.inject(Call::SendEmail, refusal, 1);
    let (login, done) = tokio::join!(app.login(to), async {
        gate.reached().await;
        let done = meanwhile.await;
        gate.open();
        done
    });
    login.assert_problem(502, "delivery-failed");
    gate.assert_met();
    done
}

#[tokio::test]
async fn failing_deliveries_allow_no_more_guesses_than_the_days_limit() {
    let app = TestApp::with(&BESIEGED).await;
    let to = "besieged@keep.example.org";
    for _ in 0..2 {
        // The guesses come between the message and its withdrawal.
        withdraw_beside(&app, to, async {
            for _ in 0..4 {
                app.validate(to, None, "000000").await;
            }
        })
        .await;
    }
    // Both sends stay counted, because somebody guessed.
    app.login(to).await.assert_too_many();
    app.validate(to, None, "000000")
        .await
        .assert_problem(400, "invalid-otp");
    let lines = app.log.lines_about("b***@k***.org").into_iter();
    let compared = lines.filter(|line| line["reason"] == "wrong code").count();
    assert_eq!(compared, 2 * 3, "guesses compared, at two logins a day");
}

#[tokio::test]
async fn a_withdrawal_takes_no_other_code_with_it() {
    let app = TestApp::with(&BESIEGED).await;
    let other = app.cold_start().await;
    app.advance(Duration::from_secs(1));
    let (id, code) = withdraw_beside(&app, ALICE, other.receive_code(ALICE)).await;
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    // One of the two sends was withdrawn.
    app.login(ALICE).await.assert_ok();
    app.login(ALICE).await.assert_too_many();
}

#[tokio::test]
async fn a_withdrawal_leaves_the_cooldown_of_a_later_login() {
    let app = TestApp::start().await;
    let other = app.cold_start().await;
    let later = async {
        app.advance(Duration::from_secs(30));
        other.receive_code(ALICE).await
    };
    let (id, code) = withdraw_beside(&app, ALICE, later).await;
    for instance in [&app, &other] {
        assert_eq!(instance.login(ALICE).await.assert_too_many(), 30);
    }
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}
