//! Races for refresh tokens.

use std::{collections::BTreeSet, sync::Arc};

use otp::http::route::Route;
use serde_json::{Value, json};

use super::{Arena, successes};
use crate::service::Answer;

fn refresh(token: &str) -> (Route, Value) {
    (Route::Refresh, json!({ "refresh_token": token }))
}

fn successors(answers: &[Answer]) -> BTreeSet<String> {
    let refreshed = answers.iter().filter(|answer| answer.status == 200);
    refreshed
        .map(|answer| answer.text("refresh_token"))
        .collect()
}

/// Eight refreshes of one token: all get the same successor.
pub async fn refreshes_of_one_token(arena: &Arc<Arena>, race: u32) {
    let to = format!("refreshes{race}@example.com");
    let first = arena.service.log_in(&to).await;
    let answers = arena.burst(vec![refresh(&first); 8]).await;
    assert_eq!(successes(&answers), 8, "within the grace each is answered");
    let successors = successors(&answers);
    assert_eq!(successors.len(), 1, "live tokens of one family");
    assert_eq!(arena.service.families(&to).await, 1, "families");
    let (route, body) = refresh(successors.first().unwrap());
    assert_eq!(arena.post(race as usize, route, &body).await.status, 200);
}

/// A token and its successor at once: the family goes on in one token, or ends.
pub async fn a_token_and_its_successor(arena: &Arc<Arena>, race: u32) {
    let to = format!("successor{race}@example.com");
    let first = arena.service.log_in(&to).await;
    let (route, body) = refresh(&first);
    let second = arena
        .post(race as usize, route, &body)
        .await
        .text("refresh_token");
    let requests = (0..8).map(|n| refresh(if n / 2 % 2 == 0 { &first } else { &second }));
    let answers = arena.burst(requests.collect()).await;
    let mut given = successors(&answers);
    given.remove(&second);
    assert!(given.len() <= 1, "two live tokens of one family");
    let refused = answers.iter().filter(|answer| answer.status == 400).count();
    assert_eq!(refused + successes(&answers), answers.len());
    let families = arena.service.families(&to).await;
    // Whoever was refused brought the first token after the second was used, or
    // came after somebody who did.
    assert_eq!(families, usize::from(refused == 0), "families");
    let (route, body) = refresh(given.first().unwrap_or(&second));
    let live = arena.post(race as usize, route, &body).await.status == 200;
    assert_eq!(usize::from(live), families, "the one token left");
}

/// Refreshes while the user leaves: nothing is left that could be refreshed.
pub async fn refreshes_and_a_logout(arena: &Arc<Arena>, race: u32) {
    let to = format!("logout{race}@example.com");
    let first = arena.service.log_in(&to).await;
    let all = race.is_multiple_of(2);
    let logout = (Route::Logout, json!({ "refresh_token": first, "all": all }));
    let mut requests = vec![refresh(&first); 6];
    requests.insert(race as usize / 6 % 7, logout);
    let answers = arena.burst(requests).await;
    let successors = successors(&answers);
    assert!(successors.len() <= 1, "two live tokens of one family");
    assert_eq!(
        arena.service.families(&to).await,
        0,
        "families after a logout"
    );
    for token in [&first].into_iter().chain(&successors) {
        let (route, body) = refresh(token);
        let late = arena.post(race as usize, route, &body).await;
        assert_eq!(late.status, 400, "refreshed after a logout");
    }
}
