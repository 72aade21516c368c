//! The policy: what an operator may tune.

use std::time::Duration;

use super::{
    Asker, ClientAddress, ClientAllowances, ConversionGuard, Destination, DestinationKind, Limit,
    Network, Passcode, Scope, SignUps, Trust, UnixTime, UnknownUsers,
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
    /// Networks whose clients share more logins.
    pub client_allowances: ClientAllowances,
    /// How long a device that has logged in is known; zero for not at all.
    pub device_life: Duration,
    /// E-mails of the whole deployment per UTC day.
    pub emails_per_day: u32,
    /// Text messages of the whole deployment per UTC day.
    pub sms_per_day: u32,
    /// Text messages to the numbers of one allowed prefix per UTC day.
    pub sms_per_prefix_per_day: u32,
    /// Unproven messages per allowed prefix, and of e-mail; zero for no guard.
    pub conversion_guard: u32,
    /// Whether the provider's reports say which e-mails bounced.
    pub bounces_are_reported: bool,
    /// What happens when a destination belongs to no user.
    pub unknown_users: UnknownUsers,
    /// Who may sign up under [`UnknownUsers::SignUp`].
    pub sign_ups: SignUps,
}

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// After so many guesses a code has two digits more, which keeps the odds of all that
/// follow below those of one guess before.
pub const GUESSES_PER_STEP: u32 = 30;

/// Notices to one destination in a UTC day.
const NOTICES_PER_DAY: u32 = 5;

/// A smaller cap is one pot for everybody.
const LEAST_SHARED_CAP: u32 = 100;

/// A smaller guard is one pot for everybody.
const LEAST_SHARED_GUARD: u32 = 50;

/// How much of a cap is kept for those who are trusted more: a tenth for known devices,
/// and a tenth for them and for proven destinations.
const fn kept(max: u32, trust: Trust) -> u32 {
    if max < LEAST_SHARED_CAP {
        return 0;
    }
    match trust {
        Trust::Stranger => max / 10 * 2,
        Trust::Proven => max / 10,
        Trust::Device => 0,
    }
}

impl Policy {
    /// The limits of who asks for a code and of where it goes: per client and per mailbox
    /// or phone, or instead of both per known device.
    #[must_use]
    pub fn own_limits(&self, to: &Destination, asker: &Asker) -> Vec<Limit> {
        let scope = match &asker.device {
            Some(device) => Scope::Device(to.clone(), device.name()),
            None => Scope::Destination(to.bucket()),
        };
        let of_client = asker.device.is_none().then(|| Limit {
            // A request counts even if its delivery fails.
            refundable: false,
            ..self.client_limit("logins-hour", 1, &asker.client)
        });
        of_client.into_iter().chain(self.sends(&scope)).collect()
    }

    /// The limits of what is sent to a mailbox or phone, or at the request of a known device.
    #[must_use]
    pub fn sends(&self, scope: &Scope) -> [Limit; 2] {
        let sends = |name, window, max, refills| Limit {
            scope: scope.clone(),
            name,
            window,
            max,
            kept: 0,
            spread: max,
            refundable: true,
            refills,
        };
        [
            sends("sends-hour", HOUR, self.sends_per_hour, false),
            sends("sends-day", DAY, self.sends_per_day, true),
        ]
    }

    /// The caps of a message: for the deployment and, for a text message, per prefix.
    #[must_use]
    pub fn caps(&self, kind: DestinationKind, prefix: Option<&str>, trust: Trust) -> Vec<Limit> {
        let cap = |scope, name, max| Limit {
            scope,
            name,
            window: DAY,
            max,
            kept: kept(max, trust),
            spread: max,
            refundable: true,
            refills: false,
        };
        let guard = self.conversion_guard(prefix);
        let beside_guard = |limit: Limit| Limit {
            spread: guard.as_ref().map_or(limit.max, |guard| guard.room),
            ..limit
        };
        let deployment = |name, max| cap(Scope::Deployment(kind), name, max);
        match prefix {
            Some(prefix) => {
                let scope = Scope::Prefix(prefix.to_owned());
                vec![
                    beside_guard(cap(scope, "sms-prefix-day", self.sms_per_prefix_per_day)),
                    deployment("sms-day", self.sms_per_day),
                ]
            }
            None => vec![beside_guard(deployment("emails-day", self.emails_per_day))],
        }
    }

    /// What happens when this destination belongs to no user. One that may not sign up is
    /// concealed: nobody learns from it who is a user.
    #[must_use]
    pub fn unknown_users_at(&self, destination: &Destination) -> UnknownUsers {
        match self.unknown_users {
            UnknownUsers::SignUp if !self.sign_ups.admit(destination) => UnknownUsers::Conceal,
            mode => mode,
        }
    }

    /// The limits of a notice to a destination: its own, and those of all messages. Of notices
    /// that say the same, the first in an hour is sent for all.
    #[must_use]
    pub fn notice_limits(
        &self,
        to: &Destination,
        prefix: Option<&str>,
        merges: bool,
    ) -> Vec<Limit> {
        let own = |name, window, max| Limit {
            scope: Scope::Destination(to.bucket()),
            name,
            window,
            max,
            kept: 0,
            spread: max,
            refundable: true,
            refills: false,
        };
        let of_hour = merges.then(|| own("notices-hour", HOUR, 1));
        let own = [own("notices-day", DAY, NOTICES_PER_DAY)];
        let caps = self.caps(to.kind(), prefix, Trust::Proven);
        own.into_iter().chain(of_hour).chain(caps).collect()
    }

    /// The number of digits of a code at whose issue so many guesses are made or open.
    #[must_use]
    pub fn digits(&self, guesses: u32) -> u8 {
        let steps = u8::try_from(guesses / GUESSES_PER_STEP).unwrap_or(u8::MAX);
        let digits = self.code_length.saturating_add(steps.saturating_mul(2));
        digits.min(Passcode::MOST_DIGITS)
    }

    fn client_limit(&self, name: &'static str, times: u32, client: &ClientAddress) -> Limit {
        let allowed = self.client_allowances.of(client);
        let (client, max) = allowed.unwrap_or_else(|| (client.clone(), self.logins_per_client));
        Limit {
            scope: Scope::Client(client),
            name,
            window: HOUR,
            max: max.saturating_mul(times),
            kept: 0,
            spread: max,
            refundable: false,
            refills: false,
        }
    }

    /// The hourly limit of validations per client: ten times that of logins.
    #[must_use]
    pub fn validation_limit(&self, client: &ClientAddress) -> Limit {
        self.client_limit("validations-hour", 10, client)
    }

    /// When a device that logs in now is a stranger again.
    #[must_use]
    pub fn device_end(&self, now: UnixTime) -> Option<UnixTime> {
        (!self.device_life.is_zero()).then(|| now.plus(self.device_life))
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
            bounces_are_reported: self.bounces_are_reported,
        })
    }

    /// The networks by which a stranger shares the caps and the guard with others: none if the
    /// guard is off or so small that it is one pot for everybody.
    #[must_use]
    pub fn networks(&self, client: &ClientAddress) -> Vec<Network> {
        if self.conversion_guard < LEAST_SHARED_GUARD {
            return Vec::new();
        }
        Network::of(client, &self.client_allowances)
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
            client_allowances: ClientAllowances::default(),
            device_life: Duration::from_hours(400 * 24),
            emails_per_day: 5000,
            sms_per_day: 1000,
            sms_per_prefix_per_day: 200,
            conversion_guard: 50,
            bounces_are_reported: false,
            unknown_users: UnknownUsers::SignUp,
            sign_ups: SignUps::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Device;

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

    fn stranger() -> Asker {
        Asker::from(client())
    }

    fn all(policy: &Policy, to: &Destination, prefix: Option<&str>) -> Vec<Limit> {
        let caps = policy.caps(to.kind(), prefix, Trust::Stranger);
        [policy.own_limits(to, &stranger()), caps].concat()
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
        let limits = all(&policy(), &to, None);
        let own = "emails-day by deployment: 4 in 24 h, refundable";
        assert_eq!(told(&limits), [&OF_BOTH[..], &[own]].concat());
        assert_eq!(limits[0].scope, Scope::Client(client()));
        assert_eq!(limits[1].scope, Scope::Destination(to.bucket()));
        assert_eq!(limits[3].scope, Scope::Deployment(DestinationKind::Email));
    }

    #[test]
    fn a_text_message_is_limited_by_its_prefix_too() {
        let to: Destination = "+14155550123".parse().unwrap();
        let limits = all(&policy(), &to, Some("+1"));
        let own = [
            "sms-prefix-day by deployment: 6 in 24 h, refundable",
            "sms-day by deployment: 5 in 24 h, refundable",
        ];
        assert_eq!(told(&limits), [&OF_BOTH[..], &own].concat());
        assert_eq!(limits[3].scope, Scope::Prefix("+1".to_owned()));
        assert_eq!(limits[4].scope, Scope::Deployment(DestinationKind::Phone));
    }

    #[test]
    fn a_destination_gets_five_notices_a_day_and_one_of_a_kind_an_hour() {
        let to: Destination = "alice+1@example.com".parse().unwrap();
        let of_day = "notices-day by destination: 5 in 24 h, refundable";
        let of_hour = "notices-hour by destination: 1 in 1 h, refundable";
        let cap = "emails-day by deployment: 4 in 24 h, refundable";
        let limits = policy().notice_limits(&to, None, true);
        assert_eq!(told(&limits), [of_day, of_hour, cap]);
        assert_eq!(limits[0].scope, Scope::Destination(to.bucket()));
        let limits = policy().notice_limits(&to, None, false);
        assert_eq!(told(&limits), [of_day, cap]);
    }

    #[test]
    fn a_known_device_has_sends_of_its_own_and_no_limit_of_its_client() {
        let to: Destination = "alice@example.com".parse().unwrap();
        let device = Device::from_bytes(&[7; 44]).unwrap();
        let asker = Asker {
            device: Some(device.clone()),
            ..stranger()
        };
        let limits = policy().own_limits(&to, &asker);
        assert_eq!(told(&limits), OF_BOTH[1..]);
        assert_eq!(limits[0].scope, Scope::Device(to, device.name()));
    }

    #[test]
    fn a_tenth_of_a_cap_is_kept_for_devices_and_another_for_proven_destinations() {
        for (cap, trust, kept) in [
            (99, Trust::Stranger, 0),
            (100, Trust::Stranger, 20),
            (109, Trust::Proven, 10),
            (1000, Trust::Stranger, 200),
            (1000, Trust::Device, 0),
        ] {
            let policy = Policy {
                emails_per_day: cap,
                ..policy()
            };
            let limits = policy.caps(DestinationKind::Email, None, trust);
            assert_eq!(
                (limits[0].max, limits[0].kept),
                (cap, kept),
                "{cap} {trust:?}"
            );
        }
    }

    #[test]
    fn a_code_grows_by_two_digits_with_each_thirty_guesses_up_to_ten() {
        for (least, guesses, digits) in [
            (6, 0, 6),
            (6, 29, 6),
            (6, 30, 8),
            (6, 59, 8),
            (6, 60, 10),
            (6, u32::MAX, 10),
            (7, 30, 9),
            (9, 30, 10),
        ] {
            let policy = Policy {
                code_length: least,
                ..policy()
            };
            assert_eq!(policy.digits(guesses), digits, "{least} {guesses}");
        }
    }

    #[test]
    fn clients_of_an_allowed_network_share_its_allowance() {
        let policy = Policy {
            client_allowances: "203.0.113.0/24=2000".parse().unwrap(),
            ..policy()
        };
        let to: Destination = "alice@example.com".parse().unwrap();
        let limit = &policy.own_limits(&to, &stranger())[0];
        let of_network =
            |scope: &Scope| matches!(scope, Scope::Client(it) if it.as_str() == "203.0.113.0/24");
        assert_eq!((limit.max, limit.name), (2000, "logins-hour"));
        assert!(of_network(&limit.scope));
        let limit = policy.validation_limit(&client());
        assert!(of_network(&limit.scope) && limit.max == 20_000);
        let elsewhere = ClientAddress::from_gateway(Some("198.51.100.7"));
        assert_eq!(policy.validation_limit(&elsewhere).max, 10);
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
