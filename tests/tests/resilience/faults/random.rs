//! Users log in while any call may fail in any way. Their answers, their messages and the table
//! are checked at the end.
//!
//! CI runs a dozen rounds, each with its own seed and its own users. For a longer run:
//!
//! ```sh
//! OTP_FAULT_ROUNDS=200 cargo test -p tests --test resilience faults::random -- --nocapture
//! ```

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use otp_service::ambient::Stopwatch;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use tests::{
    Answer, Call, LOGIN, LOGOUT, REFRESH, TestApp, VALIDATE, destination, other_than, setting,
    table::{attempts, number, partition_key},
    validation,
};

const ROUNDS: u32 = 12;
/// Rounds at the same time.
const PARALLEL: usize = 12;
const USERS: u32 = 3;
const STEPS: u32 = 14;
/// The probability that a call fails. A request makes four or five calls, so about one request in
/// three meets a fault.
const PROBABILITY: f64 = 0.08;

/// `Timeout` of the functions in template.yaml.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(25);

const SETTINGS: [(&str, &str); 3] = [
    ("CONVERSION_GUARD", "0"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
];
const SENDS_PER_HOUR: i64 = 5;
const ATTEMPTS: usize = 3;

/// A user, with everything that the client knows.
#[derive(Default)]
struct User {
    to: String,
    /// How many times each challenge logged in, by id.
    challenges: BTreeMap<String, usize>,
    refresh_token: Option<String>,
    /// How many logins were answered with 200.
    codes_sent: i64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_random_faults_no_code_logs_in_twice_and_no_limit_is_exceeded() {
    let app = TestApp::with(&SETTINGS).await;
    let rounds = setting("OTP_FAULT_ROUNDS", ROUNDS);
    let faults = stream::iter(0..rounds).map(|round| run(&app, round));
    let faults: Vec<usize> = faults.buffer_unordered(PARALLEL).collect().await;
    let faults: usize = faults.into_iter().sum();
    assert!(faults >= rounds as usize, "only {faults} calls failed");
    report(rounds, faults);
}

#[expect(clippy::print_stdout, reason = "a long run reports what it did")]
fn report(rounds: u32, faults: usize) {
    println!("{} users, {faults} failed calls", rounds * USERS);
}

/// Some users, one after the other, while calls fail; returns how many calls failed.
async fn run(app: &TestApp, round: u32) -> usize {
    let app = app.cold_start().await;
    app.warm_up().await;
    let mut rng = StdRng::seed_from_u64(round.into());
    app.faults.record_history();
    let fault_rng = StdRng::seed_from_u64(rng.random());
    app.faults.inject_at_random(fault_rng, PROBABILITY);
    let mut users = Vec::new();
    for number in 0..USERS {
        let to = match number {
            0 => format!("+1415{round:07}"),
            _ => format!("user{number}@round{round}.example.com"),
        };
        let mut user = User {
            to,
            ..User::default()
        };
        for _ in 0..STEPS {
            user.step(&app, &mut rng).await;
        }
        users.push(user);
    }
    let history = app.faults.history();
    let faults = app.faults.injected();
    app.faults.stop();
    for user in &users {
        user.assert_sound(&app, &history).await;
    }
    faults
}

impl User {
    /// Makes one request, or guesses at a code.
    async fn step(&mut self, app: &TestApp, rng: &mut StdRng) {
        let challenge = self
            .challenges
            .keys()
            .nth(rng.random_range(0..=self.challenges.len().max(1)));
        match (
            rng.random_range(0..10),
            challenge.cloned(),
            self.refresh_token.clone(),
        ) {
            (0..3, Some(id), _) => self.guess(app, &id, rng).await,
            (3..7, _, Some(token)) => {
                let body = json!({ "refresh_token": token });
                let answer = post(app, REFRESH, &body).await;
                match answer.status.as_u16() {
                    200 => self.refresh_token = Some(answer.text("refresh_token")),
                    400 => self.refresh_token = None,
                    _ => {}
                }
            }
            (7, _, Some(token)) => {
                let body = json!({ "refresh_token": token });
                post(app, LOGOUT, &body).await;
            }
            _ => {
                let answer = post(app, LOGIN, &destination(&self.to)).await;
                if answer.status == 200 {
                    self.codes_sent += 1;
                    self.challenges.insert(answer.text("challenge_id"), 0);
                }
            }
        }
    }

    /// Guesses with one of the two newest codes or with a wrong one, and repeats the request after
    /// a 503.
    async fn guess(&mut self, app: &TestApp, id: &str, rng: &mut StdRng) {
        let codes = app.messages(&self.to);
        if codes.is_empty() {
            return;
        }
        let code = &codes[rng.random_range(0..codes.len().min(2))].code;
        let code = code.as_ref().expect("a code");
        let wrong = rng.random_bool(0.2);
        let code = if wrong {
            other_than(code)
        } else {
            code.clone()
        };
        let key = rng
            .random_bool(0.5)
            .then(|| rng.random::<u128>().to_string());
        let key = key.map(|key| format!("idempotency-key-{key}"));
        let mut logged_in: Option<String> = None;
        for _ in 0..3 {
            let body = validation(&self.to, Some(id), &code);
            let answer = post_with(app, VALIDATE, key.as_deref(), &body).await;
            if answer.status == 200 {
                let token = answer.text("refresh_token");
                match &logged_in {
                    Some(first) => assert!(*first == token, "a repeat got another session"),
                    None => *self.challenges.get_mut(id).unwrap() += 1,
                }
                self.refresh_token = Some(token.clone());
                logged_in = Some(token);
            }
            // With a key, the client may have lost a good answer, too.
            let again = answer.status == 503 || (answer.status == 200 && key.is_some());
            if !again {
                let refused = answer.status != 200 && logged_in.is_some();
                assert!(!refused, "a repeat was refused");
                return;
            }
        }
    }

    /// Checks the answers, the table and the history.
    async fn assert_sound(&self, app: &TestApp, history: &[(Call, String)]) {
        assert!(
            self.challenges.values().all(|logins| *logins <= 1),
            "one code logged in twice"
        );
        assert!(
            self.codes_sent <= SENDS_PER_HOUR,
            "the hour's limit was exceeded"
        );
        let items = app.partition(&partition_key(&self.to)).await;
        let mut stored = 0;
        for challenge in app.challenges(&self.to).await.values() {
            stored += 1;
            assert!(attempts(challenge) <= ATTEMPTS, "too many attempts");
        }
        let counted = items.get("sends").and_then(|item| {
            let mut names = item.keys();
            let hour = names.find(|name| name.starts_with("sends-hour#"))?;
            number(item, hour)
        });
        let counted = counted.unwrap_or(0);
        assert!(
            (stored..=SENDS_PER_HOUR).contains(&counted),
            "{stored} challenges, but {counted} are counted"
        );
        let messages = app.messages(&self.to).len();
        assert!(
            i64::try_from(messages).is_ok_and(|messages| messages <= counted),
            "{messages} messages, but {counted} are counted"
        );
        self.assert_stored_before_sent(history);
    }

    /// Checks that a challenge was stored before each new message was sent.
    fn assert_stored_before_sent(&self, history: &[(Call, String)]) {
        let (mut stored, mut sent) = (HashSet::new(), HashSet::new());
        let number = self.to.trim_start_matches('+');
        for (call, body) in history.iter().filter(|(_, body)| body.contains(number)) {
            match call {
                Call::Admit => stored.insert(body),
                _ => sent.insert(body),
            };
            assert!(
                sent.len() <= stored.len(),
                "a message was sent before its challenge was stored"
            );
        }
    }
}

/// Sends a request; checks that the answer is in time and has a documented status.
async fn post(app: &TestApp, path: &str, body: &serde_json::Value) -> Answer {
    post_with(app, path, None, body).await
}

/// The same under an idempotency key.
async fn post_with(
    app: &TestApp,
    path: &str,
    key: Option<&str>,
    body: &serde_json::Value,
) -> Answer {
    let started = Stopwatch::start();
    let headers = key.map(|key| ("idempotency-key", key));
    let answer = app.client.post(path, headers.as_slice(), body.to_string());
    let answer = answer.await;
    let took = started.elapsed();
    assert!(took < FUNCTION_TIMEOUT, "answered after {took:?}");
    let documented = [200, 204, 400, 429, 502, 503];
    let status = answer.status.as_u16();
    assert!(documented.contains(&status), "{status}");
    answer
}
