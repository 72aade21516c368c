//! Races of repeated validations.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::join_all;
use serde_json::json;
use tests::{Call, Gate, REFRESH, VALIDATE, validation};

use super::{TwoProcesses, add_some_users};

/// Five validations under one key, two under another, and one without, all with the right code.
/// One of the three logs in. All of its requests get the same login, and there is one session.
pub async fn one_code_under_two_keys(processes: &Arc<TwoProcesses>, race: u32) -> Arc<Gate> {
    let to = format!("repeats{race}@example.com");
    let exists = add_some_users(processes, race, &to).await;
    let (id, code) = processes.app.receive_code(&to).await;
    let body = validation(&to, Some(&id), &code);
    // Six of eight are not all under the same key.
    let gate = processes.hold(6, Call::Redeem, &to);
    let keys = [Some("five"), None, Some("two")];
    let tasks = (0..8).map(|n| {
        let key = keys[[0, 2, 0, 1, 0, 2, 0, 0][(n + race as usize) % 8]];
        let key = key.map(|key| format!("{key}-requests-of-race-{race}"));
        let (processes, body) = (Arc::clone(processes), body.clone());
        tokio::spawn(async move {
            let headers = key.as_ref().map(|key| ("idempotency-key", key.as_str()));
            let headers = headers.as_slice();
            processes.post_with(n, VALIDATE, headers, &body).await
        })
    });
    let answers: Vec<_> = join_all(tasks)
        .await
        .into_iter()
        .map(|answer| answer.expect("the task does not panic"))
        .collect();
    let mut logins = BTreeSet::new();
    for answer in &answers {
        if answer.status == 200 {
            assert_eq!(answer.json["new_user"], !exists);
            logins.insert((answer.text("user_id"), answer.text("refresh_token")));
        } else {
            // A busy machine may answer 503.
            assert!(answer.status == 400 || answer.status == 503);
        }
    }
    assert!(logins.len() <= 1, "two logins by one code");
    assert_eq!(processes.app.sessions_of(&to).await, 1, "sessions");
    let attempts = processes.app.attempts_at(&to, &id).await;
    assert!(attempts <= 3, "{attempts} attempts");
    if let Some((_, token)) = logins.first() {
        let token = json!({ "refresh_token": token });
        let refreshed = processes.post(race as usize, REFRESH, &token).await;
        assert_eq!(refreshed.status, 200, "the session does not work");
        for key in ["five", "two"] {
            let key = format!("{key}-requests-of-race-{race}");
            let headers = [("idempotency-key", key.as_str())];
            let late = processes.post_with(race as usize, VALIDATE, &headers, &body);
            assert_eq!(late.await.status, 400, "its token was used");
        }
    }
    gate
}
