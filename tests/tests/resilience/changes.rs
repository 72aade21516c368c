//! A user who changes between any two calls of a request.
//!
//! Before each call of each request, an operator disables, removes, replaces or changes the
//! user. Whatever the request is answered, no token is of a disabled or removed user, and the
//! next user of a destination gets nothing of the last one.
//!
//! | module | content |
//! |---|---|
//! | [`operator`] | what an operator does to the user |
//! | [`request`] | the requests, and the call that decides each of them |
//! | [`story`] | one request, one change, and what must hold afterwards |

mod operator;
mod request;
mod story;

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tests::{Call, TestApp};

use self::{operator::Change, request::Request, story::Story};

/// The stories at the same time, each of them at an instance of its own.
const PARALLEL: usize = 4;

const SETTINGS: [(&str, &str); 5] = [
    ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
    ("EMAILS_PER_DAY", "1000000"),
    ("CONVERSION_GUARD", "0"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("REFRESH_GRACE_SECONDS", "60"),
];

/// Runs a request with each change before each of its calls.
async fn at_every_call(app: &TestApp, request: Request) {
    static STORIES: AtomicUsize = AtomicUsize::new(0);
    let prepare = |change| {
        let number = STORIES.fetch_add(1, Ordering::SeqCst);
        Story::prepare(app, request, change, number)
    };
    // Here the change does not happen.
    let calls = prepare(Change::Replace).await.calls().await;
    assert!(
        calls.len() >= request.least_calls(),
        "{request:?}: {calls:?}"
    );
    // KMS and SES know no users: a change before such a call is one before the next call.
    let is_at_table = |nth: &usize| {
        let last = nth + 1 == calls.len();
        last || !matches!(calls[*nth], Call::Sign | Call::SendEmail)
    };
    for change in Change::ALL {
        // The operator's tool first looks for whoever is the user.
        let first = usize::from(request.is_operators());
        let places = (first..calls.len()).filter(is_at_table);
        for nth in places.filter(|_| request.can_meet(change)) {
            prepare(change).await.changes_before_call(nth).await;
        }
    }
}

/// Runs all requests with all changes.
async fn at_all_calls(mode: &str, requests: &[Request]) {
    let app = TestApp::with(&[&SETTINGS[..], &[("UNKNOWN_USERS", mode)]].concat()).await;
    let lanes = (0..PARALLEL).map(async |nth| {
        let lane = app.cold_start().await;
        lane.warm_up().await;
        for request in requests.iter().skip(nth).step_by(PARALLEL) {
            at_every_call(&lane, *request).await;
        }
    });
    join_all(lanes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_who_changes_between_two_calls_leaves_nothing_to_the_next() {
    at_all_calls("sign-up", &Request::ALL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_known_user_who_changes_between_two_calls_leaves_nothing_to_the_next() {
    for mode in ["reveal", "conceal"] {
        at_all_calls(mode, &Request::LOGGING_IN).await;
    }
}
