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

use futures_util::{StreamExt, stream};
use tests::TestApp;

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

/// Runs a request once for each of its calls, with the change before that call. Returns how
/// many calls there were.
async fn at_every_call(app: &TestApp, request: Request, change: Change) -> usize {
    static STORIES: AtomicUsize = AtomicUsize::new(0);
    // The operator's tool first looks for whoever is the user.
    for nth in usize::from(request.is_operators()).. {
        let number = STORIES.fetch_add(1, Ordering::SeqCst);
        let story = Story::prepare(app, request, change, number).await;
        if !story.changes_before_call(nth).await {
            return nth;
        }
    }
    unreachable!("a request ends")
}

/// Runs all requests with all changes.
async fn at_all_calls(mode: &str, requests: &[Request]) {
    let app = TestApp::with(&[&SETTINGS[..], &[("UNKNOWN_USERS", mode)]].concat()).await;
    let mut lanes = Vec::new();
    for _ in 0..PARALLEL {
        let lane = app.cold_start().await;
        lane.warm_up().await;
        lanes.push(lane);
    }
    let pairs = requests
        .iter()
        .flat_map(|request| Change::ALL.map(|change| (*request, change)));
    let pairs: Vec<_> = pairs
        .filter(|(request, change)| request.can_meet(*change))
        .collect();
    let per_lane = pairs.len().div_ceil(PARALLEL);
    let lanes = lanes.iter().zip(pairs.chunks(per_lane));
    let runs = stream::iter(lanes).map(|(lane, pairs)| async move {
        for (request, change) in pairs {
            let calls = at_every_call(lane, *request, *change).await;
            let least = request.least_calls();
            assert!(calls >= least, "{request:?} has {calls} calls");
        }
    });
    runs.buffer_unordered(PARALLEL).collect::<Vec<()>>().await;
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
