//! The stack's clock: it goes by itself, and a test moves it forward.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::ORIGIN},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::functions::Clock;

/// A hundred years: the dates in answers stay dates.
const FARTHEST: u64 = 3_155_760_000;

/// How many seconds the stack is ahead of the clock it was started with. Clones share it.
#[derive(Clone, Default)]
pub struct Ahead(Arc<AtomicU64>);

impl Ahead {
    /// Moves the time forward, unless it would be more than a hundred years ahead.
    fn advance(&self, seconds: u64) -> bool {
        let sum = |ahead: u64| ahead.checked_add(seconds).filter(|sum| *sum <= FARTHEST);
        let moved = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, sum);
        moved.is_ok()
    }

    /// The time by which the stack is ahead.
    #[must_use]
    pub fn by(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }

    /// A clock that is ahead of this one.
    #[must_use]
    pub fn of(&self, clock: Clock) -> Clock {
        let ahead = self.clone();
        Arc::new(move || clock().plus(ahead.by()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance: u64,
}

/// Serves `POST /api/clock`, and answers the time of `clock`, which is ahead, in seconds since 1970.
pub fn router(ahead: Ahead, clock: Clock) -> Router {
    Router::new()
        .route("/api/clock", post(advance))
        .with_state((ahead, clock))
}

async fn advance(
    State((ahead, clock)): State<(Ahead, Clock)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, (StatusCode, &'static str)> {
    // A browser may send this for any page, whether or not the page may read the answer.
    if headers.contains_key(ORIGIN) {
        let why = "The clock is for tests, and no page moves it.\n";
        return Err((StatusCode::FORBIDDEN, why));
    }
    let to = serde_json::from_slice::<Move>(&body);
    if to.is_ok_and(|to| ahead.advance(to.advance)) {
        return Ok(Json(json!({ "now": clock().as_secs() })));
    }
    let why = "Send {\"advance\": seconds} with a whole number of seconds, 0 or more. \
               The clock goes at most 100 years ahead.\n";
    Err((StatusCode::BAD_REQUEST, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_moves_forward_for_every_holder_and_not_too_far() {
        let ahead = Ahead::default();
        let clock = ahead.of(Arc::new(|| otp_domain::UnixTime::from_secs(1_767_226_200)));
        assert!(ahead.advance(60) && ahead.clone().advance(1));
        assert_eq!(clock().as_secs(), 1_767_226_261);
        assert!(!ahead.advance(FARTHEST) && !ahead.advance(u64::MAX));
        assert_eq!(ahead.by(), Duration::from_secs(61));
        assert!(ahead.advance(FARTHEST - 61));
    }
}
