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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a limit counts by, its size, and its window in hours.
    fn told(limits: &[Limit]) -> Vec<String> {
        let told = |limit: &Limit| {
            let kind = limit.kind().as_str();
            let hours = limit.window.as_secs() / 3600;
            let end = if limit.refundable {
                "refundable"
            } else {
                "kept"
            };
            let (name, max) = (limit.name, limit.max);
            format!("{name} by {kind}: {max} in {hours} h, {end}")
        };
        limits.iter().map(told).collect()
    }

    fn policy() -> Policy {
        Policy {
            logins_per_client: 1,
            sends_per_hour: 2,
            sends_per_day: 3,
            emails_per_day: 4,
            sms_per_day: 5,
            sms_per_prefix_per_day: 6,
            conversion_guard: 7,
            ..Policy::default()
        }
    }

    fn client() -> ClientAddress {
        ClientAddress::from_gateway(Some("203.0.113.7"))
    }

    const OF_BOTH: [&str; 3] = [
        "logins-hour by client: 1 in 1 h, kept",
        "sends-hour by destination: 2 in 1 h, refundable",
        "sends-day by destination: 3 in 24 h, refundable",
    ];

    #[test]
    fn an_email_is_limited_by_its_client_its_mailbox_and_the_deployment() {
        let to: Destination = "alice+1@example.com".parse().unwrap();
        let limits = policy().login_limits(&to, &client(), None);
        let own = "emails-day by deployment: 4 in 24 h, refundable";
        assert_eq!(told(&limits), [&OF_BOTH[..], &[own]].concat());
        assert_eq!(limits[0].scope, Scope::Client(client()));
        assert_eq!(limits[1].scope, Scope::Destination(to.bucket()));
        assert_eq!(limits[3].scope, Scope::Deployment(DestinationKind::Email));
    }

    #[test]
    fn a_text_message_is_limited_by_its_prefix_too() {
        let to: Destination = "+14155550123".parse().unwrap();
        let limits = policy().login_limits(&to, &client(), Some("+1"));
        let own = [
            "sms-prefix-day by deployment: 6 in 24 h, refundable",
            "sms-day by deployment: 5 in 24 h, refundable",
        ];
        assert_eq!(told(&limits), [&OF_BOTH[..], &own].concat());
        assert_eq!(limits[3].scope, Scope::Prefix("+1".to_owned()));
        assert_eq!(limits[4].scope, Scope::Deployment(DestinationKind::Phone));
    }

    #[test]
    fn a_client_may_validate_ten_times_as_often_as_it_may_log_in() {
        let limit = policy().validation_limit(&client());
        let expected = "validations-hour by client: 10 in 1 h, kept";
        assert_eq!(told(&[limit]), [expected]);
        let most = Policy {
            logins_per_client: u32::MAX,
            ..policy()
        };
        assert_eq!(most.validation_limit(&client()).max, u32::MAX);
    }

    #[test]
    fn a_guard_is_that_of_the_prefix_or_of_all_email_and_zero_switches_it_off() {
        let of_email = policy().conversion_guard(None).unwrap();
        assert_eq!((of_email.name, of_email.room), ("email-unproven", 7));
        assert_eq!(of_email.scope, Scope::Deployment(DestinationKind::Email));
        let of_sms = policy().conversion_guard(Some("+1")).unwrap();
        assert_eq!((of_sms.name, of_sms.room), ("sms-unproven", 7));
        assert_eq!(of_sms.scope, Scope::Prefix("+1".to_owned()));
        let off = Policy {
            conversion_guard: 0,
            ..policy()
        };
        assert_eq!(off.conversion_guard(None), None);
    }
}
