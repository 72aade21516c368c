//! Races of refreshes and logouts.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;
use tests::{Answer, Call, Gate, LOGOUT, REFRESH};

use super::{KINDS, Request, TwoProcesses, successes};
use crate::model::wire::claims;

fn refresh(token: &str) -> Request {
    (REFRESH, json!({ "refresh_token": token }))
}

/// Logs in; returns the user's id and the refresh token.
async fn log_in(processes: &TwoProcesses, to: &str) -> (String, String) {
    let login = processes.app.log_in(to).await;
    let text = |member: &str| login[member].as_str().unwrap().to_owned();
    (text("user_id"), text("refresh_token"))
}

/// The different tokens that the refreshes got.
fn next_tokens(answers: &[Answer]) -> BTreeSet<String> {
    let refreshed = answers.iter().filter(|answer| answer.status == 200);
    refreshed
        .map(|answer| answer.text("refresh_token"))
        .collect()
}

/// Eight refreshes of one token. All get the same next token.
pub async fn refreshes_of_one_token(processes: &Arc<TwoProcesses>, race: u32) -> Arc<Gate> {
    let to = format!("refreshes{race}@example.com");
    let (user, first) = log_in(processes, &to).await;
    let gate = processes.hold(4, Call::Rotate, &user);
    let answers = processes.burst(vec![refresh(&first); 8]).await;
    assert_eq!(successes(&answers), 8, "refreshes within the grace");
    let next = next_tokens(&answers);
    assert_eq!(next.len(), 1, "live tokens of one session");
    assert_eq!(processes.app.sessions_of(&to).await, 1, "sessions");
    let (path, body) = refresh(next.first().unwrap());
    assert_eq!(processes.post(race as usize, path, &body).await.status, 200);
    gate
}

/// Four refreshes of a token and four of the next one. One token stays live, or the session ends.
pub async fn a_token_and_its_successor(processes: &Arc<TwoProcesses>, race: u32) -> Arc<Gate> {
    let to = format!("successor{race}@example.com");
    let (user, first) = log_in(processes, &to).await;
    let (path, body) = refresh(&first);
    let second = processes
        .post(race as usize, path, &body)
        .await
        .text("refresh_token");
    let requests = (0..8).map(|n| refresh(if n / 2 % 2 == 0 { &first } else { &second }));
    // Five of eight do not all have the same token.
    let gate = processes.hold(5, Call::FindSession, &user);
    let answers = processes.burst(requests.collect()).await;
    let mut given = next_tokens(&answers);
    given.remove(&second);
    assert!(given.len() <= 1, "two live tokens of one session");
    let refused = answers.iter().filter(|answer| answer.status == 400).count();
    assert_eq!(refused + successes(&answers), answers.len());
    let sessions = processes.app.sessions_of(&to).await;
    // The first token is refused after the second was used. That ends the session, and so
    // every later refresh is refused too.
    assert_eq!(sessions, usize::from(refused == 0), "sessions");
    let (path, body) = refresh(given.first().unwrap_or(&second));
    let live = processes.post(race as usize, path, &body).await.status == 200;
    assert_eq!(usize::from(live), sessions, "live tokens");
    gate
}

/// Six refreshes of one token while an operator sets claims. Each token has the old or the new
/// ones, and what is refreshed afterwards has the new ones.
pub async fn refreshes_and_an_operator(processes: &Arc<TwoProcesses>, race: u32) -> Arc<Gate> {
    let to = format!("operator{race}@example.com");
    let (user, first) = log_in(processes, &to).await;
    assert!(processes.app.set_claims(&to, r#"{"n":1}"#).await);
    // The operator writes after the first of them has read the claims.
    let gate = processes.stop(Call::Rotate, &user);
    let (answers, written) = tokio::join!(processes.burst(vec![refresh(&first); 6]), async {
        gate.reached().await;
        let written = processes.app.set_claims(&to, r#"{"n":2}"#).await;
        gate.open();
        written
    });
    assert!(written && successes(&answers) == 6);
    assert!(
        answers
            .iter()
            .all(|answer| [1, 2].contains(&claims(answer)))
    );
    let next = next_tokens(&answers);
    let (path, body) = refresh(next.first().unwrap());
    let later = processes.post(race as usize, path, &body).await;
    assert_eq!(claims(&later), 2, "claims after the operator's write");
    gate
}

/// Six refreshes of one token and a logout. No token stays live.
pub async fn refreshes_and_a_logout(processes: &Arc<TwoProcesses>, race: u32) -> Arc<Gate> {
    let to = format!("logout{race}@example.com");
    let (user, first) = log_in(processes, &to).await;
    let all = race.is_multiple_of(2);
    let logout = (LOGOUT, json!({ "refresh_token": first, "all": all }));
    let mut requests = vec![refresh(&first); 6];
    requests.insert((race / KINDS) as usize % 7, logout);
    // All of them, the logout too, have read the session before the first of them writes.
    let gate = processes.hold(7, Call::FindSession, &user);
    let answers = processes.burst(requests).await;
    let next = next_tokens(&answers);
    assert!(next.len() <= 1, "two live tokens of one session");
    assert_eq!(
        processes.app.sessions_of(&to).await,
        0,
        "sessions after a logout"
    );
    for token in [&first].into_iter().chain(&next) {
        let (path, body) = refresh(token);
        let late = processes.post(race as usize, path, &body).await;
        assert_eq!(late.status, 400, "a token is live after the logout");
    }
    gate
}
