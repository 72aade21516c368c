//! The model: what stands, and what is expected of each request. No digests, no
//! table, no conditions: vectors, sums and ifs.

use std::collections::HashMap;

use super::operations::{Trouble, Weather};

pub const SETTINGS: [(&str, &str); 9] = [
    ("SENDS_PER_HOUR", "3"),
    ("SENDS_PER_DAY", "5"),
    ("REQUESTS_PER_IP_PER_HOUR", "1"),
    ("SMS_PREFIXES", "+1,+44"),
    ("SMS_PER_DAY", "4"),
    ("SMS_PER_PREFIX_PER_DAY", "3"),
    ("REFRESH_TTL_SECONDS", "14400"),
    ("REFRESH_IDLE_SECONDS", "5400"),
    ("REFRESH_GRACE_SECONDS", "60"),
];

pub const HOUR: u64 = 3_600_000;
pub const DAY: u64 = 24 * HOUR;
pub const COOLDOWN: u64 = 30_000;
pub const CODE_LIFE: u64 = 300_000;
pub const ATTEMPTS: usize = 3;
pub const SEEN_THROUGH_BY: u64 = 25_000;
pub const LIFE: u64 = 4 * HOUR;
pub const IDLE: u64 = 5_400_000;
pub const GRACE: u64 = 60_000;

/// A request as a client makes it.
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
    },
    Refresh {
        token: String,
    },
    LogOut {
        token: String,
        all: bool,
    },
}

/// What a client is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Sent { expires_in: u64, resend_in: u64 },
    LoggedIn { new_user: bool },
    Refreshed { expires_in: u64 },
    LoggedOut,
    TooMany { retry_after: u64 },
    Problem(u16, &'static str),
}

pub const UNAVAILABLE: Told = Told::Problem(503, "unavailable");
pub const INVALID_OTP: Told = Told::Problem(400, "invalid-otp");
pub const INVALID_TOKEN: Told = Told::Problem(400, "invalid-refresh-token");

/// What is to come of a request.
pub struct Expected {
    pub told: Told,
    /// How many messages arrive.
    pub messages: usize,
    /// The challenge or family that the answer is about, to be learned from it.
    pub about: Option<usize>,
}

impl From<Told> for Expected {
    fn from(told: Told) -> Self {
        Self {
            told,
            messages: 0,
            about: None,
        }
    }
}

#[derive(Default)]
pub struct Model {
    pub now: u64,
    pub challenges: Vec<Challenge>,
    /// When the last send to each destination was.
    pub sent_at: HashMap<String, u64>,
    /// By partition and sort key.
    pub counters: HashMap<(String, String), u32>,
    pub keys: HashMap<String, Key>,
    pub last_login: HashMap<String, u64>,
    pub families: Vec<Family>,
}

pub struct Challenge {
    pub to: String,
    pub issued_at: u64,
    pub expires_at: u64,
    pub spent: usize,
    /// Whether it was not withdrawn.
    pub stands: bool,
    /// What the client knows.
    pub id: Option<String>,
    pub code: Option<String>,
}

/// What an idempotency key stands for.
#[derive(Clone)]
pub struct Key {
    pub challenge: usize,
    pub seen_through: bool,
}

pub struct Family {
    pub to: String,
    pub refreshed_at: u64,
    pub expires_at: u64,
    pub ends_at: u64,
    pub stands: bool,
    /// All its tokens, the last of them the current one, as far as clients know
    /// them.
    pub tokens: Vec<Option<String>>,
}

impl Model {
    pub fn expect(&mut self, request: &Request, weather: Weather) -> Expected {
        match request {
            Request::Login { to, client, key } => self.log_in(to, client, key.as_ref(), weather),
            Request::Validate {
                to,
                id,
                otp,
                client,
            } => self.validate(to, id.as_ref(), otp, client, weather),
            Request::Refresh { token } => self.refresh(token, weather),
            Request::LogOut { token, all } => self.log_out(token, *all, weather).into(),
        }
    }

    /// Counts towards all of the limits, or says for how long they refuse.
    pub fn count(&mut self, limits: &[(String, &str, u64, u32)]) -> Result<(), u64> {
        let key = |(scope, name, window, _): &(String, &str, u64, u32)| {
            let start = (self.now - self.now % window) / 1000;
            (scope.clone(), format!("{name}#{start}"))
        };
        let full = limits
            .iter()
            .filter(|limit| {
                self.counters
                    .get(&key(limit))
                    .is_some_and(|count| *count >= limit.3)
            })
            .map(|(_, _, window, _)| window - self.now % window)
            .max();
        if let Some(wait) = full {
            return Err(wait);
        }
        for limit in limits {
            *self.counters.entry(key(limit)).or_default() += 1;
        }
        Ok(())
    }
}

/// Whether a write happens, and whether its caller learns of it.
pub fn written(trouble: Option<Trouble>) -> (bool, bool) {
    match trouble {
        None | Some(Trouble::LostOnce) => (true, true),
        Some(Trouble::Lost) => (true, false),
        Some(Trouble::Refused) => (false, false),
    }
}

/// A wait as clients are told it: in whole seconds, rounded up.
pub fn seconds(wait: u64) -> u64 {
    wait.div_ceil(1000).max(1)
}
