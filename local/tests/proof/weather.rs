//! People who log in while any call may fail in any way. What they were told,
//! what arrived, and what stands in the table at the end is checked over the whole
//! history.
//!
//! CI lets a dozen tracks of people run, each with a seed of its own. For more:
//!
//! ```sh
//! OTP_STORMS=200 cargo test -p local --test proof weather
//! ```

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use otp::{ambient::Stopwatch, http::route::Route};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;

use crate::{
    faults::Call,
    service::{Answer, Service, claim, destination, number, other_than, partition_name, spent},
    setting,
};

const TRACKS: u32 = 12;
/// Tracks at the same time.
const ABREAST: usize = 12;
const PEOPLE: u32 = 3;
const STEPS: u32 = 14;
/// How likely a call fails: with four or five calls in it, one request in three
/// meets a fault.
const PROBABILITY: f64 = 0.08;

/// `Timeout` in template.yaml.
const FUNCTION: Duration = Duration::from_secs(25);

const SETTINGS: [(&str, &str); 2] = [
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
];
const SENDS_PER_HOUR: i64 = 5;
const ATTEMPTS: usize = 3;

/// What a person remembers.
#[derive(Default)]
struct Person {
    to: String,
    /// Challenges by id, with the tokens that each was good for.
    challenges: BTreeMap<String, usize>,
    refresh_token: Option<String>,
    sent: i64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_any_weather_nothing_is_given_twice_and_no_limit_is_skipped() {
    let service = Service::start(&SETTINGS).await;
    let tracks = setting("OTP_STORMS", TRACKS);
    let faults: Vec<usize> = stream::iter(0..tracks)
        .map(|track| live(&service, track))
        .buffer_unordered(ABREAST)
        .collect()
        .await;
    let faults: usize = faults.into_iter().sum();
    assert!(
        faults >= tracks as usize,
        "it hardly rained: {faults} faults"
    );
    report(tracks, faults);
}

#[expect(clippy::print_stdout, reason = "a long run says what it did")]
fn report(tracks: u32, faults: usize) {
    println!("{} people, {faults} faults", tracks * PEOPLE);
}

/// Some people, one after the other, in bad weather; how many calls failed.
async fn live(service: &Service, track: u32) -> usize {
    let service = service.another().await;
    service.warm_up().await;
    let mut rng = StdRng::seed_from_u64(track.into());
    service
        .faults
        .let_it_rain(StdRng::seed_from_u64(rng.random()), PROBABILITY);
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let to = match number {
            0 => format!("+1415{track:07}"),
            _ => format!("person{number}@track{track}.example.com"),
        };
        let mut person = Person {
            to,
            ..Person::default()
        };
        for _ in 0..STEPS {
            person.step(&service, &mut rng).await;
        }
        people.push(person);
    }
    let history = service.faults.history();
    let faults = service.faults.stop();
    for person in &people {
        person.assert_sound(&service, &history).await;
    }
    faults
}

impl Person {
    async fn step(&mut self, service: &Service, rng: &mut StdRng) {
        let challenge = self
            .challenges
            .keys()
            .nth(rng.random_range(0..=self.challenges.len().max(1)));
        match (
            rng.random_range(0..10),
            challenge.cloned(),
            self.refresh_token.clone(),
        ) {
            (0..3, Some(id), _) => self.guess(service, &id, rng).await,
            (3..7, _, Some(token)) => {
                let body = json!({ "refresh_token": token });
                let answer = ask(service, Route::Refresh, &body).await;
                match answer.status {
                    200 => self.refresh_token = Some(answer.text("refresh_token")),
                    400 => self.refresh_token = None,
                    _ => {}
                }
            }
            (7, _, Some(token)) => {
                let body = json!({ "refresh_token": token });
                ask(service, Route::Logout, &body).await;
            }
            _ => {
                let answer = ask(service, Route::Login, &destination(&self.to)).await;
                if answer.status == 200 {
                    self.sent += 1;
                    self.challenges.insert(answer.text("challenge_id"), 0);
                }
            }
        }
    }

    /// With any code that ever arrived, or a wrong one; again while we are told
    /// to try again.
    async fn guess(&mut self, service: &Service, id: &str, rng: &mut StdRng) {
        let codes = service.messages(&self.to);
        let code = &codes[rng.random_range(0..codes.len().min(2))].code;
        let code = code.as_ref().expect("a code");
        let wrong = rng.random_bool(0.2);
        let code = if wrong {
            other_than(code)
        } else {
            code.clone()
        };
        for _ in 0..3 {
            let answer = ask(service, Route::Validate, &claim(&self.to, Some(id), &code)).await;
            if answer.status == 200 {
                *self.challenges.get_mut(id).unwrap() += 1;
                self.refresh_token = Some(answer.text("refresh_token"));
            }
            if answer.status != 503 {
                return;
            }
        }
    }

    async fn assert_sound(&self, service: &Service, history: &[(Call, String)]) {
        assert!(
            self.challenges.values().all(|tokens| *tokens <= 1),
            "a token twice"
        );
        assert!(self.sent <= SENDS_PER_HOUR, "a limit was skipped");
        let items = service.partition(&partition_name(&self.to)).await;
        let challenges = items
            .iter()
            .filter(|(sort, _)| sort.starts_with("challenge#"));
        let mut stand = 0;
        for (_, challenge) in challenges {
            stand += 1;
            assert!(spent(challenge) <= ATTEMPTS, "an attempt too many");
        }
        let hour = items
            .iter()
            .find(|(sort, _)| sort.starts_with("sends-hour#"));
        let counted = hour
            .and_then(|(_, item)| number(item, "admitted"))
            .unwrap_or(0);
        assert!(
            (stand..=SENDS_PER_HOUR).contains(&counted),
            "a send was not counted"
        );
        self.assert_stored_before_sent(history);
    }

    /// At no time had more different messages left than challenges been stored.
    fn assert_stored_before_sent(&self, history: &[(Call, String)]) {
        let (mut stored, mut sent) = (HashSet::new(), HashSet::new());
        let number = self.to.trim_start_matches('+');
        for (call, body) in history.iter().filter(|(_, body)| body.contains(number)) {
            match call {
                Call::Admit => stored.insert(body),
                _ => sent.insert(body),
            };
            assert!(sent.len() <= stored.len(), "sent before it was stored");
        }
    }
}

/// The answer, which comes in time and is one of those that clients know.
async fn ask(service: &Service, route: Route, body: &serde_json::Value) -> Answer {
    let started = Stopwatch::start();
    let answer = service.post(route, body).await;
    assert!(
        started.elapsed() < FUNCTION,
        "later than the function lives"
    );
    let known = [200, 204, 400, 429, 502, 503];
    assert!(known.contains(&answer.status), "{}", answer.status);
    answer
}
