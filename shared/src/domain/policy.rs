//! What an operator may tune.

use std::time::Duration;

use rand::CryptoRng;

use super::{
    Account, ClientAddress, Destination, Limit, Refusal, Scope, User, UserId,
    limit::CONVERSION_GUARD,
};

/// The numbers that bound guessing and sending.
///
/// `Config` holds each to its range; the defaults are those of the README.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Digits of a code: 6 (NIST SP 800-63B-4 section 3.1.3.2) to 10.
    pub code_length: u8,
    /// Life of a code: 1 second to 10 minutes (the same section's maximum).
    pub code_ttl: Duration,
    /// Comparisons that one challenge is good for: 1 to 10.
    pub max_attempts: u8,
    /// Least time between two sends to one destination; zero for none.
    pub cooldown: Duration,
    /// Sends to one destination within one hour of the clock.
    pub sends_per_hour: u32,
    /// Sends to one destination within one UTC day.
    pub sends_per_day: u32,
    /// Logins of one client within one hour of the clock.
    pub logins_per_client: u32,
    /// Text messages of the whole deployment within one UTC day.
    pub sms_per_day: u32,
    /// Text messages to the numbers of one allowed prefix within one UTC day.
    pub sms_per_prefix_per_day: u32,
    /// What becomes of those who are no users.
    pub unknown_users: UnknownUsers,
}

/// What becomes of a destination that is no user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownUsers {
    /// Its first redeemed code makes the user.
    SignUp,
    /// It gets the same answer as a user's, in the same time, and no message.
    Conceal,
    /// The client is told.
    Reveal,
}

/// Whether an admitted login's code is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It is.
    Send,
    /// It is not, and the client is told the same as if it were.
    Pretend,
}

impl UnknownUsers {
    /// Reads the setting's value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "sign-up" => Some(Self::SignUp),
            "conceal" => Some(Self::Conceal),
            "reveal" => Some(Self::Reveal),
            _ => None,
        }
    }

    /// Whether a code goes to a destination of this user. A disabled one is
    /// treated like none, except that it cannot sign up.
    ///
    /// # Errors
    ///
    /// The client is to be told that there is no such user.
    pub fn sending(self, to: &Destination, user: Option<&User>) -> Result<Sending, Refusal> {
        match (self, user) {
            (
                _,
                Some(User {
                    disabled: false, ..
                }),
            )
            | (Self::SignUp, None) => Ok(Sending::Send),
            (Self::SignUp, Some(_)) | (Self::Conceal, _) => Ok(Sending::Pretend),
            (Self::Reveal, _) => Err(Refusal::UserNotFound(to.channel())),
        }
    }

    /// The account that a right code of this destination logs in.
    ///
    /// # Errors
    ///
    /// None: it is no user's, or a disabled user's.
    pub fn account(self, user: Option<User>, rng: &mut impl CryptoRng) -> Result<Account, Refusal> {
        match (self, user) {
            (_, Some(user)) if user.disabled => Err(Refusal::InvalidOtp("disabled user")),
            (_, Some(user)) => Ok(Account::Known(user.id)),
            (Self::SignUp, None) => Ok(Account::New(UserId::draw(rng))),
            (Self::Conceal | Self::Reveal, None) => Err(Refusal::InvalidOtp("unknown user")),
        }
    }
}

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The conversion guard: how many text messages to one prefix may be out within
/// an hour without their codes having come back.
pub const UNPROVEN_SMS_PER_PREFIX: u32 = 50;

/// How many of those one code makes up for that came back. So a prefix goes on
/// where well over a third of its codes come back; where none does, it stops at
/// [`UNPROVEN_SMS_PER_PREFIX`] until the hour ends.
pub const PROVEN_MAKES_UP_FOR: u32 = 3;

impl Policy {
    /// What a login must fit into, all of it: its client, its destination, and,
    /// for a text message, the prefix that allows the number and the deployment.
    #[must_use]
    pub fn login_limits(
        &self,
        to: &Destination,
        client: &ClientAddress,
        prefix: Option<&str>,
    ) -> Vec<Limit> {
        let sends = |scope, name, window, max| Limit {
            scope,
            name,
            window,
            max,
            given_back: true,
        };
        let destination = || Scope::Destination(to.clone());
        let mut limits = vec![
            Limit {
                // A request is one, whatever became of its message.
                given_back: false,
                ..sends(
                    Scope::Client(client.clone()),
                    "logins-hour",
                    HOUR,
                    self.logins_per_client,
                )
            },
            sends(destination(), "sends-hour", HOUR, self.sends_per_hour),
            sends(destination(), "sends-day", DAY, self.sends_per_day),
        ];
        if let Some(prefix) = prefix {
            limits.extend([
                self.conversion_guard(prefix),
                sends(
                    Scope::Prefix(prefix.to_owned()),
                    "sms-prefix-day",
                    DAY,
                    self.sms_per_prefix_per_day,
                ),
                sends(Scope::Deployment, "sms-day", DAY, self.sms_per_day),
            ]);
        }
        limits
    }

    /// What a validation must fit into: ten times the client's logins, in the
    /// same time.
    #[must_use]
    pub fn validation_limit(&self, client: &ClientAddress) -> Limit {
        Limit {
            scope: Scope::Client(client.clone()),
            name: "validations-hour",
            window: HOUR,
            max: self.logins_per_client.saturating_mul(10),
            given_back: false,
        }
    }

    /// Counts the text messages to a prefix whose codes have not come back.
    #[must_use]
    pub fn conversion_guard(&self, prefix: &str) -> Limit {
        Limit {
            scope: Scope::Prefix(prefix.to_owned()),
            name: CONVERSION_GUARD,
            window: HOUR,
            max: UNPROVEN_SMS_PER_PREFIX,
            given_back: true,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            code_length: 6,
            code_ttl: Duration::from_mins(5),
            max_attempts: 3,
            cooldown: Duration::from_secs(30),
            sends_per_hour: 5,
            sends_per_day: 10,
            logins_per_client: 30,
            sms_per_day: 1000,
            sms_per_prefix_per_day: 200,
            unknown_users: UnknownUsers::SignUp,
        }
    }
}
