//! Bursts of requests at the same item, half of them to a second process with
//! clients of its own. What each burst may end with holds in any order of events.
//!
//! CI runs some bursts of each kind. For a longer run:
//!
//! ```sh
//! OTP_RACES=100000 cargo test -p local --test proof races -- --nocapture
//! ```

mod codes;
mod neighbour;
mod tokens;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::future::join_all;
use otp::{ambient::Stopwatch, http::route::Route};
use serde_json::Value;

use self::neighbour::Neighbour;
use crate::{
    service::{Answer, Service},
    setting,
};

/// Bursts of all kinds together, in CI.
const RACES: u32 = 120;
/// Bursts under way at the same time.
const TRACKS: u32 = 4;
/// How often a long run says how far it is.
const REPORT_EVERY: u32 = 1000;

/// All that the second process needs to know, too.
pub const SETTINGS: [(&str, &str); 13] = [
    ("TABLE_NAME", "login-with-otp"),
    ("BRAND", "Example"),
    ("EMAIL_FROM", "login@example.com"),
    ("SMS_PREFIXES", "+1"),
    ("TOKEN_ISSUER", "https://login.example.com"),
    ("TOKEN_AUDIENCE", "example"),
    ("SIGNING_KEY_ID", "local-signing-key"),
    ("DIGEST_KEY_ID", "local-digest-key"),
    ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("SMS_PER_DAY", "1000000"),
    ("SMS_PER_PREFIX_PER_DAY", "1000000"),
    ("SENDS_PER_HOUR", "5"),
];

/// Both processes.
pub struct Arena {
    pub service: Service,
    neighbour: Neighbour,
    requests: AtomicU32,
}

impl Arena {
    /// The same request to one of the two.
    pub async fn post(&self, nth: usize, route: Route, body: &Value) -> Answer {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if nth.is_multiple_of(2) {
            self.service.post(route, body).await
        } else {
            self.neighbour.post(route, body).await
        }
    }

    /// Requests that all start at once, each in its own task.
    pub async fn burst(self: &Arc<Self>, requests: Vec<(Route, Value)>) -> Vec<Answer> {
        let tasks = requests
            .into_iter()
            .enumerate()
            .map(|(nth, (route, body))| {
                let arena = Arc::clone(self);
                tokio::spawn(async move { arena.post(nth, route, &body).await })
            });
        let answers = join_all(tasks).await.into_iter();
        answers.map(|answer| answer.expect("a task ends")).collect()
    }
}

pub fn successes(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

async fn run(arena: &Arc<Arena>, race: u32) {
    match race % 6 {
        0 => codes::guesses_at_one_code(arena, race).await,
        1 => codes::two_codes_of_one_destination(arena, race).await,
        2 => codes::logins_of_one_destination(arena, race).await,
        3 => tokens::refreshes_of_one_token(arena, race).await,
        4 => tokens::a_token_and_its_successor(arena, race).await,
        _ => tokens::refreshes_and_a_logout(arena, race).await,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_gained_by_racing() {
    let service = Service::start(&SETTINGS).await;
    service.warm_up().await;
    let neighbour = Neighbour::start(service.stack.aws).await;
    let arena = Arc::new(Arena {
        service,
        neighbour,
        requests: AtomicU32::default(),
    });
    let races = setting("OTP_RACES", RACES);
    let (next, started) = (Arc::new(AtomicU32::default()), Stopwatch::start());
    let tracks = (0..TRACKS).map(|_| {
        let (arena, next) = (Arc::clone(&arena), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let race = next.fetch_add(1, Ordering::SeqCst);
                if race >= races {
                    return;
                }
                run(&arena, race).await;
                if race > 0 && race.is_multiple_of(REPORT_EVERY) {
                    report(race, &arena, started);
                }
            }
        })
    });
    for track in join_all(tracks).await {
        track.expect("no race is lost");
    }
    report(races, &arena, started);
}

#[expect(clippy::print_stdout, reason = "a long run says how far it is")]
fn report(races: u32, arena: &Arena, started: Stopwatch) {
    let requests = arena.requests.load(Ordering::Relaxed);
    let seconds = started.elapsed().as_secs();
    println!("{races} races, {requests} requests in them, {seconds} s");
}
