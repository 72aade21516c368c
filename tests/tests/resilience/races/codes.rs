//! Races of logins and validations.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use tests::{Call, Gate, LOGIN, REFRESH, TestApp, VALIDATE, destination, other_than, validation};

use super::{KINDS, SETTINGS, TwoProcesses, add_some_users, successes};
use crate::model::wire::claims;

const ATTEMPTS: usize = 3;

/// Ten guesses at one code, every third of them right, and two more logins of the same
/// destination. At most one guess logs in, three attempts are counted, and after the race the
/// code is refused.
pub async fn guesses_at_one_code(processes: &Arc<TwoProcesses>, race: u32) -> Arc<Gate> {
    let to = format!("guesses{race}@example.com");
    add_some_users(processes, race, &to).await;
    let (id, code) = processes.app.receive_code(&to).await;
    let first_right = (race / KINDS) as usize % 3;
    let mut requests: Vec<_> = (0..10)
        .map(|n| {
            let right = n % 3 == first_right;
            let guess = if right {
                code.clone()
            } else {
                other_than(&code)
            };
            (VALIDATE, validation(&to, Some(&id), &guess))
        })
        .collect();
    for at in [4, 7] {
        requests.insert(at, (LOGIN, destination(&to)));
    }
    // More guesses than attempts.
    let gate = processes.hold(ATTEMPTS + 1, Call::SpendAttempt, &to);
    let answers = processes.burst(requests).await;
    let (logins, guesses): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| answer.json["challenge_id"].is_string());
    let logged_in = successes(&guesses);
    assert!(logged_in <= 1, "one code logged in twice");
    assert_eq!(logins.len(), 2, "a guess made a login fail");
    for guess in &guesses {
        assert!(
            guess.status == 200 || guess.status == 400,
            "{}",
            guess.status
        );
    }
    assert_eq!(
        processes.app.attempts_at(&to, &id).await,
        ATTEMPTS,
        "attempts in the table"
    );
    assert_eq!(processes.app.sessions_of(&to).await, logged_in, "sessions");
    assert_eq!(processes.app.messages(&to).len(), 3);
    let late = validation(&to, Some(&id), &code);
    let late = processes.post(race as usize, VALIDATE, &late).await;
    assert_eq!(late.status, 400, "the code is still valid");
    clear_a_full_inbox(processes);
    gate
}

/// Two codes of one destination, three times each. One of them logs in, and the other becomes
/// invalid.
pub async fn two_codes_of_one_destination(processes: &Arc<TwoProcesses>, race: u32) -> Arc<Gate> {
    let to = format!("codes{race}@example.com");
    add_some_users(processes, race, &to).await;
    let codes = [
        processes.app.receive_code(&to).await,
        processes.app.receive_code(&to).await,
    ];
    let requests = (0..6).map(|n| {
        let (id, code) = &codes[n / 2 % 2];
        (VALIDATE, validation(&to, Some(id), code))
    });
    // Four of six are not all of the same code.
    let gate = processes.hold(4, Call::Redeem, &to);
    let answers = processes.burst(requests.collect()).await;
    assert_eq!(successes(&answers), 1, "logins by two codes");
    assert_eq!(processes.app.sessions_of(&to).await, 1, "sessions");
    for (id, code) in &codes {
        let late = validation(&to, Some(id), code);
        let late = processes.post(race as usize, VALIDATE, &late).await;
        assert_eq!(late.status, 400, "a code is still valid");
    }
    clear_a_full_inbox(processes);
    gate
}

/// Six correct guesses at one code while an operator changes the claims that its challenge
/// carries, or after that. At most one logs in, and its token has the old claims only if the
/// operator was not first.
pub async fn guesses_and_an_operator(processes: &Arc<TwoProcesses>, race: u32) -> Arc<Gate> {
    let to = format!("claimed{race}@example.com");
    processes.app.add_user(&to, false).await;
    assert!(processes.app.set_claims(&to, r#"{"n":1}"#).await);
    let (id, code) = processes.app.receive_code(&to).await;
    let guesses = vec![(VALIDATE, validation(&to, Some(&id), &code)); 6];
    let operator = processes.app.set_claims(&to, r#"{"n":2}"#);
    let gate = processes.stop(Call::Redeem, &to);
    let first = (race / KINDS).is_multiple_of(2);
    let (answers, written) = if first {
        let written = operator.await;
        let (answers, ()) = tokio::join!(processes.burst(guesses), async {
            gate.reached().await;
            gate.open();
        });
        (answers, written)
    } else {
        // The operator writes after the token was signed.
        tokio::join!(processes.burst(guesses), async {
            gate.reached().await;
            let written = operator.await;
            gate.open();
            written
        })
    };
    assert!(written);
    assert_eq!(successes(&answers), 1, "logins by one code");
    assert_eq!(processes.app.sessions_of(&to).await, 1, "sessions");
    let won = answers.iter().find(|answer| answer.status == 200).unwrap();
    let told = claims(won);
    assert!(told == 2 || told == 1 && !first, "claims {told}");
    let token = json!({ "refresh_token": won.text("refresh_token") });
    let later = processes.post(race as usize, REFRESH, &token).await;
    assert_eq!(claims(&later), 2, "claims after the operator's write");
    clear_a_full_inbox(processes);
    gate
}

/// Eight logins of one destination, of which the hour's limit admits five, and two guesses at
/// the newest code, which must not raise the limit.
pub async fn logins_of_one_destination(processes: &Arc<TwoProcesses>, race: u32) -> Arc<Gate> {
    let to = format!("logins{race}@example.com");
    let mut requests = vec![(LOGIN, destination(&to)); 8];
    for at in [3, 6] {
        requests.insert(at, (VALIDATE, validation(&to, None, "000000")));
    }
    // One more than the hour's limit.
    let gate = processes.hold(6, Call::Admit, &to);
    let answers = processes.burst(requests).await;
    let sent = answers
        .iter()
        .filter(|answer| answer.json["challenge_id"].is_string())
        .count();
    let limited = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((sent, limited), (5, 3), "admitted and refused logins");
    assert_eq!(processes.app.messages(&to).len(), 5, "messages");
    clear_a_full_inbox(processes);
    gate
}

/// A full inbox would drop the messages that a race still needs.
pub fn clear_a_full_inbox(processes: &TwoProcesses) {
    if processes.app.stack.messages.messages(None).len() > 1000 {
        processes.app.stack.messages.clear();
    }
}

/// As many as a busy machine answers within the budget of each.
const GUESSES: usize = 12;

#[tokio::test]
async fn of_twelve_wrong_codes_at_once_three_are_compared() {
    let app = TestApp::with(&SETTINGS).await;
    let to = "compared@guesses.example.net";
    let (id, code) = app.receive_code(to).await;
    let wrong = other_than(&code);
    let gate = Gate::of(GUESSES, Call::SpendAttempt, to);
    app.faults.hold(&gate);
    let guesses = (0..GUESSES).map(|_| app.validate(to, Some(&id), &wrong));
    for answer in join_all(guesses).await {
        answer.assert_problem(400, "invalid-otp");
    }
    gate.assert_met();
    // Only the log tells a code that was compared from one that was not.
    let lines = app.log.lines_about("c***@g***.net");
    let logged = |reason: &str| lines.iter().filter(|line| line["reason"] == reason).count();
    assert_eq!(logged("wrong code"), ATTEMPTS);
    assert_eq!(logged("no attempts left"), GUESSES - ATTEMPTS);
}
