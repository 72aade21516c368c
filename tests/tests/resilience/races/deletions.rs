//! Races of an account's deletion.

use std::{sync::Arc, time::Duration};

use axum::http::Method;
use serde_json::{Value, json};
use tests::{Call, Gate, ME, REFRESH, VALIDATE, validation};

use super::{KINDS, TwoProcesses, codes::clear_a_full_inbox, successes};

async fn delete(processes: &TwoProcesses, login: &Value) {
    let deleted = processes
        .app
        .with_token(Method::DELETE, ME, &login["token"]);
    assert_eq!(deleted.await.status, 204, "a deletion");
}

async fn assert_nothing_is_left(processes: &TwoProcesses, login: &Value) {
    let user = format!("user#{}", login["user_id"].as_str().unwrap());
    let left = processes.app.partition(&user).await;
    assert!(left.is_empty(), "left of the user: {:?}", left.keys());
}

/// Six right guesses at one code of a user who is deleted: before any of them is redeemed, or
/// at the same time. The one that logs in is the deleted user's last, or a new user's first.
pub async fn guesses_and_a_deletion(processes: &Arc<TwoProcesses>, race: u32) -> Arc<Gate> {
    let to = format!("deleted{race}@example.com");
    let login = processes.app.log_in(&to).await;
    // A code of the millisecond of a login is void.
    processes.app.advance(Duration::from_millis(1));
    let (id, code) = processes.app.receive_code(&to).await;
    let guesses = vec![(VALIDATE, validation(&to, Some(&id), &code)); 6];
    let gate = processes.stop(Call::Redeem, &to);
    let first = (race / KINDS).is_multiple_of(2);
    let (answers, ()) = tokio::join!(processes.burst(guesses), async {
        gate.reached().await;
        if first {
            delete(processes, &login).await;
            gate.open();
        } else {
            tokio::join!(delete(processes, &login), async { gate.open() });
        }
    });
    assert_eq!(successes(&answers), 1, "logins by one code");
    assert_nothing_is_left(processes, &login).await;
    let won = answers.iter().find(|answer| answer.status == 200).unwrap();
    let is_new = won.json["user_id"] != login["user_id"];
    assert!(is_new || !first, "a deleted user logged in");
    assert_eq!(won.json["new_user"], is_new);
    let token = json!({ "refresh_token": won.text("refresh_token") });
    let later = processes.post(race as usize, REFRESH, &token).await;
    assert_eq!(later.status == 200, is_new, "sessions after a deletion");
    clear_a_full_inbox(processes);
    gate
}

/// Six refreshes of one token and the deletion of its user. No token stays live.
pub async fn refreshes_and_a_deletion(processes: &Arc<TwoProcesses>, race: u32) -> Arc<Gate> {
    let to = format!("leaving{race}@example.com");
    let login = processes.app.log_in(&to).await;
    let refresh = json!({ "refresh_token": login["refresh_token"] });
    let gate = processes.stop(Call::Rotate, login["user_id"].as_str().unwrap());
    let refreshes = vec![(REFRESH, refresh.clone()); 6];
    let (answers, ()) = tokio::join!(processes.burst(refreshes), async {
        gate.reached().await;
        tokio::join!(delete(processes, &login), async { gate.open() });
    });
    assert_nothing_is_left(processes, &login).await;
    let next = answers.iter().filter(|answer| answer.status == 200);
    let next = next.map(|answer| json!({ "refresh_token": answer.text("refresh_token") }));
    for token in next.chain([refresh]) {
        let late = processes.post(race as usize, REFRESH, &token).await;
        assert_eq!(late.status, 400, "a token is live after the deletion");
    }
    gate
}
