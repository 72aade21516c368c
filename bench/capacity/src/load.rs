//! People who log in at random instants, at a mean rate.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use local::{functions::Functions, inbox::Inbox};
use otp_edge::route::Route;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use crate::deployment::{Answer, Deployment, Request, code, on_a_standing_clock};

/// How long a person takes to type the code, at most. It is short, so that logins and
/// validations overlap in a short run.
const TYPING: Duration = Duration::from_millis(200);

/// The instances of each function. Each has its own memory of refusals.
const INSTANCES: usize = 16;

/// How the codes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Email,
    Sms,
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub channel: Channel,
    /// Logins per second.
    pub rate: u32,
    /// How many people log in.
    pub people: u32,
    pub seed: u64,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Logins whose answer was 200, and validations whose answer was 200.
    pub logins: u32,
    pub validations: u32,
    /// Logins that were refused although no limit was reached.
    pub refused: u32,
    /// Logins and validations that ended in a fault.
    pub faults: u32,
    /// Milliseconds of the logins and of the validations.
    pub login_millis: Vec<u64>,
    pub validation_millis: Vec<u64>,
    pub transactions: u64,
    pub conflicts: u64,
}

/// What one person met: the status and the milliseconds of each step.
type Met = (Option<(u16, u64)>, Option<(u16, u64)>);

/// Plays a load, on a clock that stands still while anything runs.
pub fn play(load: Load) -> Result<Outcome, String> {
    on_a_standing_clock(run(load))
}

async fn run(load: Load) -> Result<Outcome, String> {
    let deployment = Deployment::start(load.rate, "sign-up")?;
    let mut instances = Vec::new();
    for _ in 0..INSTANCES {
        instances.push(Arc::new(deployment.instance().await));
    }
    let next = Arc::new(AtomicUsize::new(0));
    let mut rng = StdRng::seed_from_u64(load.seed);
    let mut people = JoinSet::new();
    let mut at = Instant::now();
    let before = deployment.aws.table.counts();
    for nth in 0..load.people {
        // Random arrivals: the gaps are exponential.
        let gap = -f64::ln(1.0 - rng.random_range(0.0..1.0)) / f64::from(load.rate);
        at += Duration::from_secs_f64(gap);
        let typing = rng.random_range(Duration::ZERO..TYPING);
        let person = Person {
            nth,
            channel: load.channel,
            inbox: deployment.inbox.clone(),
            typing,
            instances: instances.clone(),
            next: Arc::clone(&next),
        };
        people.spawn(async move {
            sleep_until(at).await;
            person.log_in().await
        });
    }
    let mut outcome = Outcome::default();
    while let Some(met) = people.join_next().await {
        outcome.add(met.map_err(|error| error.to_string())?);
    }
    let after = deployment.aws.table.counts();
    outcome.transactions = after.transactions - before.transactions;
    outcome.conflicts = after.conflicts - before.conflicts;
    Ok(outcome)
}

struct Person {
    nth: u32,
    channel: Channel,
    inbox: Inbox,
    typing: Duration,
    instances: Vec<Arc<Functions>>,
    next: Arc<AtomicUsize>,
}

impl Person {
    async fn log_in(self) -> Met {
        let (member, to) = match self.channel {
            Channel::Email => ("email", format!("person{}@example.com", self.nth)),
            Channel::Sms => ("phone_number", format!("+1555{:07}", self.nth)),
        };
        let login = self.send(Route::Login, &json!({ member: to })).await;
        if login.status != 200 {
            return (Some(login.measured()), None);
        }
        sleep(self.typing).await;
        let body = json!({
            member: to,
            "challenge_id": login.body["challenge_id"],
            "otp": code(&self.inbox, &to),
        });
        let validation = self.send(Route::Validate, &body).await;
        (Some(login.measured()), Some(validation.measured()))
    }

    async fn send(&self, route: Route, body: &Value) -> Answer {
        let instance = self.next.fetch_add(1, Ordering::Relaxed) % INSTANCES;
        let request = Request {
            route,
            body,
            key: None,
            client: Ipv4Addr::from(0x0A00_0000 + self.nth),
        };
        request.send(&self.instances[instance]).await
    }
}

impl Answer {
    fn measured(&self) -> (u16, u64) {
        let millis = u64::try_from(self.after.as_millis());
        (self.status, millis.unwrap_or(u64::MAX))
    }
}

impl Outcome {
    fn add(&mut self, (login, validation): Met) {
        if let Some((status, millis)) = login {
            self.login_millis.push(millis);
            match status {
                200 => self.logins += 1,
                429 => self.refused += 1,
                _ => self.faults += 1,
            }
        }
        if let Some((status, millis)) = validation {
            self.validation_millis.push(millis);
            match status {
                200 => self.validations += 1,
                _ => self.faults += 1,
            }
        }
    }
}
