//! The policy: what an operator may tune.

use std::time::Duration;

use super::{
    ClientAddress, ConversionGuard, Destination, DestinationKind, Limit, Scope, UnknownUsers,
};

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
    /// E-mails of the whole deployment per UTC day.
    pub emails_per_day: u32,
    /// Text messages of the whole deployment per UTC day.
    pub sms_per_day: u32,
    /// Text messages to the numbers of one allowed prefix per UTC day.
    pub sms_per_prefix_per_day: u32,
    /// Unproven messages per allowed prefix, and of e-mail; zero for no guard.
    pub conversion_guard: u32,
    /// What happens when a destination belongs to no user.
    pub unknown_users: UnknownUsers,
}

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

impl Policy {
    /// Every limit of a login: per client, per mailbox or phone, for the
    /// deployment and, for a text message, per prefix.
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
        let deployment = |name, max| sends(Scope::Deployment(to.kind()), name, DAY, max);
        let mailbox = || Scope::Destination(to.bucket());
        let client = Scope::Client(client.clone());
        let mut limits = vec![
            Limit {
                // A request counts even if its delivery fails.
                refundable: false,
                ..sends(client, "logins-hour", HOUR, self.logins_per_client)
            },
            sends(mailbox(), "sends-hour", HOUR, self.sends_per_hour),
            sends(mailbox(), "sends-day", DAY, self.sends_per_day),
        ];
        match prefix {
            Some(prefix) => {
                let scope = Scope::Prefix(prefix.to_owned());
                let max = self.sms_per_prefix_per_day;
                limits.extend([
                    sends(scope, "sms-prefix-day", DAY, max),
                    deployment("sms-day", self.sms_per_day),
                ]);
            }
            None => limits.push(deployment("emails-day", self.emails_per_day)),
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

    /// The conversion guard of text messages to an allowed prefix or, without a
    /// prefix, of e-mail; `None` if it is off.
    #[must_use]
    pub fn conversion_guard(&self, prefix: Option<&str>) -> Option<ConversionGuard> {
        let (scope, name) = match prefix {
            Some(prefix) => (Scope::Prefix(prefix.to_owned()), "sms-unproven"),
            None => (Scope::Deployment(DestinationKind::Email), "email-unproven"),
        };
        (self.conversion_guard > 0).then_some(ConversionGuard {
            scope,
            name,
            room: self.conversion_guard,
        })
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
            emails_per_day: 5000,
            sms_per_day: 1000,
            sms_per_prefix_per_day: 200,
            conversion_guard: 50,
            unknown_users: UnknownUsers::SignUp,
        }
    }
}
