//! One run: people and an attacker, in simulated time.

use std::{collections::BTreeMap, time::Duration};

use otp_domain::UnixTime;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::counters::Counters;

/// The people of a crowd.
pub const CROWD: u32 = 500;

/// The time in which a crowd arrives.
const ARRIVING: Duration = Duration::from_mins(10);

/// A person who is refused tries again until this long after the first time.
const PATIENCE: Duration = Duration::from_mins(3);

/// How many of a hundred people type their code.
const TYPING_PERCENT: u32 = 80;

/// The good logins of a day before.
const LOGINS_BEFORE: u32 = 100;

const START: UnixTime = UnixTime::from_secs(1_767_225_600);
const DAY: Duration = Duration::from_hours(24);

/// Requests of which no code comes back, each for another number.
#[derive(Clone, Copy)]
pub struct Attack {
    pub every: Duration,
    pub lasting: Duration,
}

pub struct Scenario {
    pub days_before: u32,
    pub people: u32,
    pub attack: Option<Attack>,
}

/// What happens at an instant.
enum Event {
    /// A person asks, for the first time at the given instant.
    Ask(UnixTime),
    /// A code of a message that this counter counts comes back.
    Prove(u32),
    Attack,
}

/// A request and its fate, in minutes since the start.
#[derive(Default)]
pub struct Outcome {
    /// When people asked first.
    pub asked: Vec<f64>,
    /// When people got their message.
    pub passed: Vec<f64>,
    /// When the attacker asked.
    pub attacks: Vec<f64>,
    /// When the attacker's messages were sent.
    pub pumped: Vec<f64>,
    waits: Vec<Duration>,
    refusals: usize,
    given_up: usize,
}

/// When everybody asks for the first time.
fn requests(scenario: &Scenario, start: UnixTime, rng: &mut StdRng) -> Events {
    let mut events = Events::default();
    for day in 0..scenario.days_before {
        for _ in 0..LOGINS_BEFORE * 100 / TYPING_PERCENT {
            let within = rng.random_range(Duration::ZERO..DAY);
            let at = START.plus(DAY * day).plus(within);
            events.add(at, Event::Ask(at));
        }
    }
    for _ in 0..scenario.people {
        let at = start.plus(rng.random_range(Duration::ZERO..ARRIVING));
        events.add(at, Event::Ask(at));
    }
    if let Some(attack) = scenario.attack {
        let mut at = Duration::ZERO;
        while at < attack.lasting {
            events.add(start.plus(at), Event::Attack);
            at += attack.every;
        }
    }
    events
}

/// Plays a scenario.
pub fn run(scenario: &Scenario, seed: u64) -> Outcome {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut counters = Counters::new();
    let start = START.plus(DAY * scenario.days_before);
    let mut events = requests(scenario, start, &mut rng);
    let mut outcome = Outcome::default();
    while let Some((now, event)) = events.next() {
        let shown = start <= now;
        let minutes = start.until(now).as_secs_f64() / 60.0;
        match event {
            Event::Prove(shard) => counters.prove(shard, now),
            Event::Attack => {
                outcome.attacks.push(minutes);
                if counters.admit(now, &mut rng).is_ok() {
                    outcome.pumped.push(minutes);
                }
            }
            Event::Ask(first) => {
                if shown && first == now {
                    outcome.asked.push(minutes);
                }
                match counters.admit(now, &mut rng) {
                    Ok(shard) => {
                        if rng.random_range(0..100) < TYPING_PERCENT {
                            let typing = rng.random_range(5_000..120_000);
                            let back = now.plus(Duration::from_millis(typing));
                            events.add(back, Event::Prove(shard));
                        }
                        if shown {
                            outcome.passed.push(minutes);
                            outcome.waits.push(first.until(now));
                        }
                    }
                    Err(wait) => {
                        let hesitation = Duration::from_millis(rng.random_range(0..2_000));
                        let again = now.plus(wait).plus(hesitation);
                        let patient = first.until(again) <= PATIENCE;
                        outcome.refusals += usize::from(shown);
                        outcome.given_up += usize::from(shown && !patient);
                        if patient {
                            events.add(again, Event::Ask(first));
                        }
                    }
                }
            }
        }
    }
    outcome
}

/// Events in the order of their time.
#[derive(Default)]
struct Events {
    queue: BTreeMap<(UnixTime, u64), Event>,
    added: u64,
}

impl Events {
    fn add(&mut self, at: UnixTime, event: Event) {
        self.added += 1;
        self.queue.insert((at, self.added), event);
    }

    fn next(&mut self) -> Option<(UnixTime, Event)> {
        let ((at, _), event) = self.queue.pop_first()?;
        Some((at, event))
    }
}

impl Outcome {
    pub const HEADER: &str = "| run | people | pass at once | pass later | longest wait, s | give up | attacker's requests | of them sent |\n|---|---|---|---|---|---|---|---|";

    pub fn row(&self, name: &str) -> String {
        let at_once = self.waits.iter().filter(|wait| wait.is_zero()).count();
        format!(
            "| {name} | {} | {at_once} | {} | {} | {} | {} | {} |",
            self.asked.len(),
            self.waits.len() - at_once,
            self.longest_wait().as_secs(),
            self.given_up,
            self.attacks.len(),
            self.pumped.len(),
        )
    }

    pub fn longest_wait(&self) -> Duration {
        self.waits.iter().max().copied().unwrap_or_default()
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "the counts are small")]
impl Outcome {
    pub const fn refusals(&self) -> usize {
        self.refusals
    }

    pub const fn given_up(&self) -> usize {
        self.given_up
    }

    pub const fn attack_sent(&self) -> usize {
        self.pumped.len()
    }

    /// The share of people who give up.
    pub fn crowd_lost(&self) -> f64 {
        self.given_up as f64 / self.asked.len() as f64
    }

    /// The share of the attacker's requests that send nothing.
    pub fn attack_lost(&self) -> f64 {
        1.0 - self.pumped.len() as f64 / self.attacks.len() as f64
    }
}
