//! The model: its state, and the expected outcome of each request. It has no digests, no table
//! and no conditional writes, only vectors, sums and ifs.

use std::collections::HashMap;

use super::{
    limits::{Guard, Refusing},
    operations::{Disturbance, FaultEffect, INSTANCES},
};

pub const SETTINGS: [(&str, &str); 12] = [
    // A code of ten digits does not grow.
    ("OTP_LENGTH", "10"),
    ("SENDS_PER_HOUR", "3"),
    ("SENDS_PER_DAY", "5"),
    ("REQUESTS_PER_IP_PER_HOUR", "3"),
    ("SMS_PREFIXES", "+1,+44"),
    // Of which each story leaves four places in three counters.
    ("SMS_PER_DAY", "80"),
    ("SMS_PER_PREFIX_PER_DAY", "3"),
    ("CONVERSION_GUARD", "4"),
    ("EMAILS_PER_DAY", "8"),
    ("REFRESH_TTL_SECONDS", "14400"),
    ("REFRESH_IDLE_SECONDS", "5400"),
    ("REFRESH_GRACE_SECONDS", "60"),
];

pub const HOUR: u64 = 3_600_000;
pub const DAY: u64 = 24 * HOUR;
pub const COOLDOWN: u64 = 30_000;
pub const CODE_LIFE: u64 = 300_000;
pub const ATTEMPTS: usize = 3;
pub const COMPLETED_WITHIN: u64 = 25_000;
pub const LIFE: u64 = 4 * HOUR;
pub const IDLE: u64 = 5_400_000;
pub const GRACE: u64 = 60_000;

/// A request of a client.
#[derive(Clone)]
pub enum Request {
    Login {
        to: String,
        client: String,
        key: Option<String>,
    },
    Validate {
        to: String,
        id: Option<String>,
        otp: String,
        client: String,
        key: Option<String>,
    },
    Refresh {
        token: String,
    },
    LogOut {
        token: String,
        all: bool,
    },
}

/// What the answer to a request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Sent {
        expires_in: u64,
        resend_in: u64,
        confirmed: bool,
    },
    LoggedIn {
        new_user: bool,
        expires_in: u64,
        claims: u8,
    },
    Refreshed {
        expires_in: u64,
        claims: u8,
    },
    LoggedOut,
    TooMany {
        retry_after: u64,
    },
    Problem(u16, &'static str),
}

pub const UNAVAILABLE: Outcome = Outcome::Problem(503, "unavailable");
pub const INVALID_OTP: Outcome = Outcome::Problem(400, "invalid-otp");
pub const INVALID_TOKEN: Outcome = Outcome::Problem(400, "invalid-refresh-token");

/// What a request must lead to.
pub struct Expected {
    pub outcome: Outcome,
    /// How many messages must arrive.
    pub messages: usize,
    /// The challenge or session whose id or token the answer holds.
    pub about: Option<usize>,
}

impl From<Outcome> for Expected {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            messages: 0,
            about: None,
        }
    }
}

/// What one instance remembers.
#[derive(Default)]
pub struct Memory {
    /// The limits that refuse.
    pub refusals: Vec<Refusing>,
}

#[derive(Default)]
pub struct Model {
    /// The time by the clock of the instance that is asked.
    pub now: u64,
    /// The instance that is asked.
    pub instance: usize,
    /// What each instance remembers.
    pub memories: [Memory; INSTANCES],
    pub challenges: Vec<Challenge>,
    /// The time of the last login that counts, for each destination.
    pub sent_at: HashMap<String, u64>,
    /// Until when the sends of each mailbox are made up for.
    pub sends_until: HashMap<String, u64>,
    /// The counters, by partition key and sort key.
    pub counters: HashMap<(String, String), u32>,
    /// The idempotency keys of each destination.
    pub keys: HashMap<(String, String), Key>,
    /// The conversion guards, by partition key and sort key.
    pub guards: HashMap<(String, &'static str), Guard>,
    /// What is known of the codes of each destination.
    pub proofs: HashMap<String, Proof>,
    pub last_login: HashMap<String, u64>,
    pub sessions: Vec<Session>,
    pub has_repeated_a_login: bool,
    /// The claims of each destination's user, where there are any.
    pub claims: HashMap<String, u8>,
}

pub struct Challenge {
    pub to: String,
    pub issued_at: u64,
    pub expires_at: u64,
    /// The guesses that spent an attempt. A repeated guess under one key spends one.
    pub attempts: Vec<Guess>,
    /// False when it was withdrawn.
    pub in_table: bool,
    /// The id and the code, once the client knows them.
    pub id: Option<String>,
    pub code: Option<String>,
    /// The claims of the user when the code was requested.
    pub carried_claims: u8,
    /// Who requested the code.
    pub client: String,
    /// Whether the conversion guard counts its message.
    pub is_guarded: bool,
}

/// Whether codes come back from a destination.
#[derive(Default)]
pub struct Proof {
    pub proven_at: Option<u64>,
    /// The codes that were sent since.
    pub asked: i64,
    /// The codes of each client that has returned one, since it did.
    pub asked_by: HashMap<String, i64>,
}

/// What an idempotency key refers to.
#[derive(Clone)]
pub struct Key {
    pub challenge: usize,
    /// Once the login is completed: whether its delivery was confirmed.
    pub completed: Option<bool>,
}

/// A guess: its idempotency key, if it has one, and its code.
pub type Guess = (Option<String>, String);

pub struct Session {
    pub to: String,
    /// The challenge and the guess that started it.
    pub started_by: (usize, Guess),
    pub new_user: bool,
    pub refreshed_at: u64,
    pub expires_at: u64,
    pub ends_at: u64,
    pub in_table: bool,
    /// Its refresh tokens, the current one last, where the client knows them.
    pub tokens: Vec<Option<String>>,
}

impl Model {
    pub fn expect(&mut self, request: &Request, disturbance: Disturbance) -> Expected {
        match request {
            Request::Login { to, client, key } => {
                self.log_in(to, client, key.as_ref(), disturbance)
            }
            Request::Validate {
                to,
                id,
                otp,
                client,
                key,
            } => {
                let guess = (key.clone(), otp.clone());
                self.validate(to, id.as_ref(), &guess, client, disturbance)
            }
            Request::Refresh { token } => self.refresh(token, disturbance),
            Request::LogOut { token, all } => self.log_out(token, *all, disturbance).into(),
        }
    }

    /// Whether the destination is proven for a client.
    pub fn is_proven(&self, to: &str, client: &str) -> bool {
        let Some(proof) = self.proofs.get(to) else {
            return false;
        };
        let recent = proof
            .proven_at
            .is_some_and(|at| self.now.saturating_sub(at) < 90 * DAY);
        let own = proof.asked_by.get(client).copied();
        recent && own.unwrap_or(proof.asked) < 2
    }

    /// What the instance that is asked remembers.
    pub const fn memory(&mut self) -> &mut Memory {
        &mut self.memories[self.instance]
    }

    /// An operator sets claims. Returns whether the destination has a user.
    pub fn set_claims(&mut self, to: &str, value: u8) -> bool {
        let has_user = self.last_login.contains_key(to);
        if has_user {
            self.claims.insert(to.to_owned(), value);
        }
        has_user
    }

    pub fn claims_of(&self, to: &str) -> u8 {
        self.claims.get(to).copied().unwrap_or_default()
    }
}

/// Whether a write happens, and whether its caller gets a reply.
pub fn written(effect: Option<FaultEffect>) -> (bool, bool) {
    match effect {
        None | Some(FaultEffect::FirstReplyLost) => (true, true),
        Some(FaultEffect::EveryReplyLost) => (true, false),
        Some(FaultEffect::NothingDone) => (false, false),
    }
}

/// How often the service does a write whose repeats it cannot recognise: the SDK tries
/// three times.
pub fn executions(effect: Option<FaultEffect>) -> usize {
    match effect {
        None => 1,
        Some(FaultEffect::FirstReplyLost) => 2,
        Some(FaultEffect::EveryReplyLost) => 3,
        Some(FaultEffect::NothingDone) => 0,
    }
}

/// A wait in whole seconds, rounded up.
pub fn seconds(wait: u64) -> u64 {
    wait.div_ceil(1000).max(1)
}
