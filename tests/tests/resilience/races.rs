//! Bursts of requests at the same item. Half of the requests of most bursts go to a second
//! process. The assertions hold in any order of events. The calls that compete wait for each
//! other at a gate, so that the race happens; a kind of burst that does not meet it fails.
//!
//! CI runs some bursts of each kind. For a longer run:
//!
//! ```sh
//! OTP_RACES=100000 cargo test -p tests --test resilience races -- --nocapture
//! ```

mod codes;
mod crowds;
mod deletions;
mod repeats;
mod reports;
mod second_process;
mod tokens;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use futures_util::future::join_all;
use otp_service::ambient::Stopwatch;
use serde_json::Value;
use tests::{Answer, Call, Gate, TestApp, setting};

use self::second_process::SecondProcess;

/// All bursts of a run in CI.
const RACES: u32 = 165;
/// The kinds of bursts.
pub const KINDS: u32 = 11;
/// Bursts at the same time.
const PARALLEL: u32 = 4;
/// A long run reports after this many bursts.
const REPORT_EVERY: u32 = 1000;

/// The settings of both processes.
pub const SETTINGS: [(&str, &str); 15] = [
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
    ("CONVERSION_GUARD", "0"),
    ("EMAILS_PER_DAY", "1000000"),
    ("SMS_PER_DAY", "1000000"),
    ("SMS_PER_PREFIX_PER_DAY", "1000000"),
    ("SENDS_PER_HOUR", "5"),
];

/// A path and a body to post.
pub type Request = (&'static str, Value);

/// Two processes with functions of their own, on the same services.
pub struct TwoProcesses {
    /// The functions of this process.
    pub app: TestApp,
    other: SecondProcess,
    requests: AtomicU32,
    /// How many bursts of each kind met their race, and how many there were.
    met: Mutex<[(u32, u32); KINDS as usize]>,
}

impl TwoProcesses {
    /// Posts a body to one of the processes: even numbers go to this one, odd ones to the other.
    pub async fn post(&self, nth: usize, path: &str, body: &Value) -> Answer {
        self.post_with(nth, path, &[], body).await
    }

    /// The same with more headers than that of the media type.
    pub async fn post_with(
        &self,
        nth: usize,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let client = if nth.is_multiple_of(2) {
            &self.app.client
        } else {
            &self.other.client
        };
        client.post(path, headers, body.to_string()).await
    }

    /// Holds calls of both processes until so many are there at once: whatever each of them
    /// read before, it read before any of them wrote.
    pub fn hold(&self, calls: usize, call: Call, about: &str) -> Arc<Gate> {
        let gate = Gate::of(calls, call, about);
        self.app.faults.hold(&gate);
        gate
    }

    /// Holds calls of both processes until the test opens the gate.
    pub fn stop(&self, call: Call, about: &str) -> Arc<Gate> {
        self.hold(usize::MAX, call, about)
    }

    /// Sends requests at once, each in a task of its own.
    pub async fn burst(self: &Arc<Self>, requests: Vec<Request>) -> Vec<Answer> {
        let requests = requests.into_iter().enumerate();
        let tasks = requests.map(|(nth, (path, body))| {
            let processes = Arc::clone(self);
            tokio::spawn(async move { processes.post(nth, path, &body).await })
        });
        let answers = join_all(tasks).await.into_iter();
        let answers = answers.map(|answer| answer.expect("the task does not panic"));
        answers.collect()
    }
}

pub fn successes(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

/// Creates the user of a destination in every second round of races: a login of an existing user
/// is another write than that of a new one. Returns whether it did.
pub async fn add_some_users(processes: &TwoProcesses, race: u32, to: &str) -> bool {
    let exists = race / KINDS % 2 == 1;
    if exists {
        processes.app.add_user(to, false).await;
    }
    exists
}

async fn run(processes: &Arc<TwoProcesses>, race: u32) {
    let gate = match race % KINDS {
        0 => codes::guesses_at_one_code(processes, race).await,
        1 => codes::two_codes_of_one_destination(processes, race).await,
        2 => codes::logins_of_one_destination(processes, race).await,
        3 => tokens::refreshes_of_one_token(processes, race).await,
        4 => tokens::a_token_and_its_successor(processes, race).await,
        5 => tokens::refreshes_and_a_logout(processes, race).await,
        6 => tokens::refreshes_and_an_operator(processes, race).await,
        7 => codes::guesses_and_an_operator(processes, race).await,
        8 => deletions::guesses_and_a_deletion(processes, race).await,
        9 => deletions::refreshes_and_a_deletion(processes, race).await,
        _ => repeats::one_code_under_two_keys(processes, race).await,
    };
    let mut met = processes.met.lock().unwrap();
    let (met, of) = &mut met[(race % KINDS) as usize];
    *met += u32::from(gate.is_met());
    *of += 1;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_race_gets_more_than_its_requests_would_one_by_one() {
    let app = TestApp::with(&SETTINGS).await;
    // Its calls pass the same gates.
    let other = SecondProcess::start(app.faults.address).await;
    let processes = Arc::new(TwoProcesses {
        app,
        other,
        requests: AtomicU32::default(),
        met: Mutex::default(),
    });
    let races = setting("OTP_RACES", RACES);
    let (next, started) = (Arc::new(AtomicU32::default()), Stopwatch::start());
    let tasks = (0..PARALLEL).map(|_| {
        let (processes, next) = (Arc::clone(&processes), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let race = next.fetch_add(1, Ordering::SeqCst);
                if race >= races {
                    return;
                }
                run(&processes, race).await;
                if race > 0 && race.is_multiple_of(REPORT_EVERY) {
                    report(race, &processes, started);
                }
            }
        })
    });
    for task in join_all(tasks).await {
        task.expect("every race ends as it must");
    }
    let conflicts = processes.app.faults.conflicts();
    assert!(conflicts > 0, "no write met a transaction");
    report(races, &processes, started);
    for (kind, (met, of)) in processes.met.lock().unwrap().iter().enumerate() {
        // A call waits only briefly, and the machine may be busy.
        assert!(2 * met >= *of, "kind {kind}: {met} of {of} bursts met");
    }
}

#[expect(clippy::print_stdout, reason = "a long run reports its progress")]
fn report(races: u32, processes: &TwoProcesses, started: Stopwatch) {
    let requests = processes.requests.load(Ordering::Relaxed);
    let seconds = started.elapsed().as_secs();
    println!("{races} races with {requests} requests in {seconds} s");
}
