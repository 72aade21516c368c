//! Plays crowds against the conversion guard, in simulated time. Its counters do what the table
//! does with the verdicts.

use std::{collections::BTreeMap, time::Duration};

use otp_domain::{GuardCount, GuardVerdict, UnixTime};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

const START: UnixTime = UnixTime::from_secs(1_767_225_600);
const DAY: Duration = Duration::from_hours(24);

/// The people of a crowd, and the time in which they arrive.
const CROWD: u32 = 500;
const ARRIVING: Duration = Duration::from_mins(10);

/// A person who is refused tries again until this long after the first time.
const PATIENCE: Duration = Duration::from_mins(3);

/// How many of a hundred people type their code.
const TYPING_PERCENT: u32 = 80;

enum Event {
    /// A person asks, for the first time at this instant.
    Ask(UnixTime),
    /// The code of a message that this counter counts comes back.
    Prove(usize),
    /// Somebody asks who never returns a code.
    Attack,
}

/// What became of a crowd and of an attack.
#[derive(Debug, Default)]
struct Outcome {
    refused: u32,
    given_up: u32,
    longest_wait: Duration,
    attacks: u32,
    pumped: u32,
}

/// The default room of a guard, shared out to two counters.
const ROOM: u32 = 50;
const COUNTERS: usize = 2;

/// The counters of a guard.
struct Counters([GuardCount; COUNTERS]);

impl Counters {
    /// Counts a message; returns its counter, or the wait if there is no room.
    fn admit(&mut self, now: UnixTime, rng: &mut StdRng) -> Result<usize, Duration> {
        let mut shards: Vec<usize> = (0..COUNTERS).collect();
        shards.shuffle(rng);
        let mut wait = Duration::MAX;
        for shard in shards {
            let count = &mut self.0[shard];
            match count.judge(ROOM / 2, now) {
                GuardVerdict::Open => {}
                GuardVerdict::Eased(eased) => *count = eased,
                GuardVerdict::Closed(of_shard) => {
                    wait = wait.min(of_shard);
                    continue;
                }
            }
            count.unproven += 1;
            count.sent_at = Some(now);
            return Ok(shard);
        }
        Err(wait)
    }
}

/// Events in the order of their time.
#[derive(Default)]
struct Events(BTreeMap<(UnixTime, usize), Event>, usize);

impl Events {
    fn add(&mut self, at: UnixTime, event: Event) {
        self.1 += 1;
        self.0.insert((at, self.1), event);
    }
}

/// Plays a crowd, after some days of a hundred good logins each, with an attack every so often.
fn play(days_before: u32, attack: Option<Duration>, seed: u64) -> Outcome {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut counters = Counters(Default::default());
    let mut events = Events::default();
    let start = START.plus(DAY * days_before);
    for _ in 0..days_before * 100 * 100 / TYPING_PERCENT {
        let at = START.plus(rng.random_range(Duration::ZERO..DAY * days_before));
        events.add(at, Event::Ask(at));
    }
    for _ in 0..CROWD {
        let at = start.plus(rng.random_range(Duration::ZERO..ARRIVING));
        events.add(at, Event::Ask(at));
    }
    let every = attack.unwrap_or(Duration::MAX);
    let attacks = (0..).map_while(|nth| every.checked_mul(nth));
    for at in attacks.take_while(|at| attack.is_some() && *at < ARRIVING) {
        events.add(start.plus(at), Event::Attack);
    }
    let mut outcome = Outcome::default();
    while let Some(((now, _), event)) = events.0.pop_first() {
        match event {
            Event::Prove(shard) => {
                let count = &mut counters.0[shard];
                count.unproven -= 1;
                count.proven += 1;
                count.proven_at = Some(now);
            }
            Event::Attack => {
                outcome.attacks += 1;
                outcome.pumped += u32::from(counters.admit(now, &mut rng).is_ok());
            }
            Event::Ask(first) => match counters.admit(now, &mut rng) {
                Ok(shard) => {
                    if rng.random_range(0..100) < TYPING_PERCENT {
                        let typing = Duration::from_millis(rng.random_range(5_000..120_000));
                        events.add(now.plus(typing), Event::Prove(shard));
                    }
                    outcome.longest_wait = outcome.longest_wait.max(first.until(now));
                }
                Err(wait) => {
                    let hesitation = Duration::from_millis(rng.random_range(0..2_000));
                    let again = now.plus(wait).plus(hesitation);
                    outcome.refused += 1;
                    if first.until(again) <= PATIENCE {
                        events.add(again, Event::Ask(first));
                    } else {
                        outcome.given_up += 1;
                    }
                }
            },
        }
    }
    outcome
}

/// Several seeds: no outcome hangs on one draw.
fn outcomes(days_before: u32, attack: Option<Duration>) -> impl Iterator<Item = Outcome> {
    (0..20).map(move |seed| play(days_before, attack, seed))
}

#[test]
fn a_crowd_passes_after_seconds_at_a_new_deployment() {
    for outcome in outcomes(0, None) {
        assert_eq!(outcome.given_up, 0, "{outcome:?}");
        let wait = outcome.longest_wait;
        assert!(wait <= Duration::from_secs(30), "{outcome:?}");
    }
}

#[test]
fn a_crowd_passes_at_once_where_codes_came_back_the_days_before() {
    for outcome in outcomes(3, None) {
        assert_eq!(outcome.refused, 0, "{outcome:?}");
    }
}

#[test]
fn an_attack_inside_a_crowd_costs_the_crowd_less_than_the_attacker() {
    let twice_a_second = Some(Duration::from_millis(500));
    for outcome in outcomes(0, twice_a_second).chain(outcomes(3, twice_a_second)) {
        let crowd_lost = f64::from(outcome.given_up) / f64::from(CROWD);
        let attack_lost = 1.0 - f64::from(outcome.pumped) / f64::from(outcome.attacks);
        assert!(2.0 * crowd_lost < attack_lost, "{outcome:?}");
    }
}
