//! People who log in at random instants, at a mean rate.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lambda_http::{Body, Response};
use local::{
    aws::kms::{DIGEST_KEY_ID, Keys, SIGNING_KEY_ID},
    functions::Functions,
    inbox::Inbox,
};
use otp_domain::UnixTime;
use otp_edge::{event, route::Route, settings::Settings};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use crate::{aws::Aws, table::Table};

const TABLE: &str = "login-with-otp";

/// 2026-01-01T00:10:00Z.
const START: UnixTime = UnixTime::from_secs(1_767_226_200);

/// How long a person takes to type the code, at most. It is short, so that logins and
/// validations overlap in a short run.
const TYPING: Duration = Duration::from_millis(200);

/// The instances of each function. Each has its own memory of refusals.
const INSTANCES: u64 = 16;

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

/// The settings that docs/capacity.md tells for this rate.
fn settings(rate: u32) -> Result<Settings, String> {
    let guard = (41 * rate).clamp(50, 1_000_000).to_string();
    let lookup = |name: &str| {
        let value = match name {
            "TABLE_NAME" => TABLE,
            "BRAND" => "Example",
            "EMAIL_FROM" => "login@example.com",
            "SMS_PREFIXES" => "+1555",
            "TOKEN_ISSUER" => "http://127.0.0.1:3000",
            "TOKEN_AUDIENCE" => "example",
            "SIGNING_KEY_ID" => SIGNING_KEY_ID,
            "DIGEST_KEY_ID" => DIGEST_KEY_ID,
            "EMAILS_PER_DAY" | "SMS_PER_DAY" | "SMS_PER_PREFIX_PER_DAY" => "1000000",
            "CONVERSION_GUARD" => &guard,
            _ => return None,
        };
        Some(value.to_owned())
    };
    Settings::from_lookup(lookup, START).map_err(|error| error.to_string())
}

/// Plays a load, on a clock that stands still while anything runs.
pub fn play(load: Load) -> Result<Outcome, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(run(load))
}

async fn run(load: Load) -> Result<Outcome, String> {
    let settings = settings(load.rate)?;
    let inbox = Inbox::default();
    inbox.know(&settings.login.delivery);
    let keys = Keys::generate(&[SIGNING_KEY_ID], &[DIGEST_KEY_ID])?;
    let aws = Aws::new(Table::new(TABLE)?, inbox.clone(), keys);
    let began = Instant::now();
    let clock = Arc::new(move || START.plus(began.elapsed()));
    let mut instances = Vec::new();
    for _ in 0..INSTANCES {
        let functions = Functions::new(&settings, &aws.sdk_config(), clock.clone());
        functions.warm_up().await;
        instances.push(Arc::new(functions));
    }
    let next = Arc::new(AtomicU64::new(0));
    let mut rng = StdRng::seed_from_u64(load.seed);
    let mut people = JoinSet::new();
    let mut at = Instant::now();
    let before = aws.table.counts();
    for nth in 0..load.people {
        // Random arrivals: the gaps are exponential.
        let gap = -f64::ln(1.0 - rng.random_range(0.0..1.0)) / f64::from(load.rate);
        at += Duration::from_secs_f64(gap);
        let typing = rng.random_range(Duration::ZERO..TYPING);
        let person = Person {
            nth,
            channel: load.channel,
            inbox: inbox.clone(),
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
    let after = aws.table.counts();
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
    next: Arc<AtomicU64>,
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
        let message = self.inbox.messages(Some(&to)).into_iter().next();
        let code = message.and_then(|message| message.code);
        let body = json!({
            member: to,
            "challenge_id": login.body["challenge_id"],
            "otp": code,
        });
        let validation = self.send(Route::Validate, &body).await;
        (Some(login.measured()), Some(validation.measured()))
    }

    async fn send(&self, route: Route, body: &Value) -> Answer {
        let instance = self.next.fetch_add(1, Ordering::Relaxed) % INSTANCES;
        let path = match route {
            Route::Login => "/api/login-with-otp/",
            _ => "/api/validate-otp/",
        };
        let client = Ipv4Addr::from(0x0A00_0000 + self.nth).to_string();
        let event = json!({
            "resource": path, "path": path, "httpMethod": "POST",
            "headers": { "content-type": "application/json" },
            "multiValueHeaders": { "content-type": ["application/json"] },
            "requestContext": {
                "httpMethod": "POST", "path": path, "requestId": "simulated",
                "accountId": "000000000000", "apiId": "local", "resourceId": "local",
                "resourcePath": path, "stage": "local", "protocol": "HTTP/1.1",
                "identity": { "sourceIp": client },
            },
            "body": body.to_string(), "isBase64Encoded": false,
        });
        let Ok(request) = event::request(&event.to_string()) else {
            return Answer::default();
        };
        let started = Instant::now();
        let nth = usize::try_from(instance).unwrap_or_default();
        let answer = self.instances[nth].handle(route, request).await;
        Answer::of(&answer, started.elapsed())
    }
}

#[derive(Default)]
struct Answer {
    status: u16,
    millis: u64,
    body: Value,
}

impl Answer {
    fn of(response: &Response<Body>, after: Duration) -> Self {
        let body = serde_json::from_slice(response.body().as_ref()).unwrap_or_default();
        Self {
            status: response.status().as_u16(),
            millis: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            body,
        }
    }

    const fn measured(&self) -> (u16, u64) {
        (self.status, self.millis)
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
