//! The policy: what an operator may tune.

use std::time::Duration;

use super::{ClientAddress, Destination, Limit, Scope, UnknownUsers, limit::CONVERSION_GUARD};

/// The bounds of guessing and sending. The settings reader checks their ranges.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Digits of a code: 6 (NIST SP 800-63B-4 section 3.1.3.2) to 10.
    pub code_length: u8,
    /// Lifetime of a code: 1 second to 10 minutes (the same section's maximum).
    pub code_ttl: Duration,
    /// Attempts per challenge: 1 to 10.
    pub max_attempts: u8,
    /// Minimum time between two sends to one destination; zero for no cooldown.
    pub cooldown: Duration,
    /// Sends to one destination per clock hour.
    pub sends_per_hour: u32,
    /// Sends to one destination per UTC day.
    pub sends_per_day: u32,
    /// Logins of one client per clock hour.
    pub logins_per_client: u32,
    /// Text messages of the whole deployment per UTC day.
    pub sms_per_day: u32,
    /// Text messages to the numbers of one allowed prefix per UTC day.
    pub sms_per_prefix_per_day: u32,
    /// What happens when a destination belongs to no user.
    pub unknown_users: UnknownUsers,
}

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The conversion guard: how many text messages per prefix and hour may be
/// unconverted, that is, sent without their codes coming back.
pub const UNCONVERTED_SMS_PER_PREFIX: u32 = 50;

/// How many unconverted messages one returned code makes room for. A prefix
/// stays open while more than a third of its codes come back. If none comes
/// back, it closes at [`UNCONVERTED_SMS_PER_PREFIX`] until the hour ends.
pub const CONVERSION_CREDIT: u32 = 3;

impl Policy {
    /// Every limit of a login: per client, per destination and, for a text
    /// message, per prefix and for the deployment.
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
            refundable: true,
        };
        let destination = || Scope::Destination(to.clone());
        let mut limits = vec![
            Limit {
                // A request counts even if its delivery fails.
                refundable: false,
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

    /// The hourly limit of validations per client: ten times that of logins.
    #[must_use]
    pub fn validation_limit(&self, client: &ClientAddress) -> Limit {
        Limit {
            scope: Scope::Client(client.clone()),
            name: "validations-hour",
            window: HOUR,
            max: self.logins_per_client.saturating_mul(10),
            refundable: false,
        }
    }

    /// The limit of unconverted text messages to one prefix.
    #[must_use]
    pub fn conversion_guard(&self, prefix: &str) -> Limit {
        Limit {
            scope: Scope::Prefix(prefix.to_owned()),
            name: CONVERSION_GUARD,
            window: HOUR,
            max: UNCONVERTED_SMS_PER_PREFIX,
            refundable: true,
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
