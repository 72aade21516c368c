//! Reads the settings of the service, one variable after the other.
//!
//! | to find | read |
//! |---|---|
//! | every setting, its range and its default | [`table`] |
//! | how a value is read, and its mistakes collected | [`Reader`] |
//! | the settings of what messages say | `messages.rs` |
//!
//! The Lambda edge adds the settings of HTTP. The operator's tool reads what it
//! needs to show a message.

mod messages;
mod reader;
pub mod table;

use aws_smithy_types::{DateTime, date_time::Format};
use otp_domain::{
    DestinationKind, Policy, SessionLifetimes, SignUpDomains, SignUps, SmsPrefixes, TestIdentities,
    UnixTime, UnknownUsers, Ways, WaysTo, is_region,
};
use otp_service::{
    access_token,
    delivery::{self, EmailFrom, Region},
    login::LoginSettings,
    session::SessionSettings,
    store::Events,
};

pub use messages::delivery_from_lookup;
pub use reader::{Reader, SettingsError};

/// An environment variable, if it is set and is UTF-8.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The settings of the use cases.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// The settings of the login use case. Mistakes in what it sends stop only logins.
    pub login: Result<LoginSettings, SettingsError>,
    /// The settings of the session use cases.
    pub sessions: SessionSettings,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    /// Reads the settings of the use cases.
    pub fn service(&mut self, now: UnixTime) -> ServiceSettings {
        let policy = self.policy();
        let table_name = self.table_name();
        let digest_key_id = self.required(&table::DIGEST_KEY_ID);
        let test_identities = self.test_identities(policy.code_length, now);
        ServiceSettings {
            login: self
                .part(|reader| reader.delivery(&policy))
                .map(|delivery| LoginSettings {
                    table_name: table_name.clone(),
                    digest_key_id: digest_key_id.clone(),
                    test_identities: test_identities.clone(),
                    policy: Policy {
                        bounces_are_reported: delivery.configuration_set.is_some(),
                        ..policy.clone()
                    },
                    delivery,
                }),
            sessions: SessionSettings {
                table_name,
                events: self.events(),
                digest_key_id,
                second_digest_key_id: self.optional(&table::SECOND_DIGEST_KEY_ID, any_text),
                policy,
                lifetimes: self.lifetimes(),
                test_identities,
                fresh_login: self.seconds(&table::FRESH_LOGIN_SECONDS),
                tokens: self.tokens(),
            },
        }
    }

    fn events(&mut self) -> Events {
        match self.optional(&table::EVENT_BUS_NAME, event_bus) {
            Some(_) => Events::On,
            None => Events::Off,
        }
    }

    fn policy(&mut self) -> Policy {
        Policy {
            code_length: self.number(&table::OTP_LENGTH),
            code_ttl: self.seconds(&table::OTP_TTL_SECONDS),
            max_attempts: self.number(&table::OTP_MAX_ATTEMPTS),
            cooldown: self.seconds(&table::RESEND_COOLDOWN_SECONDS),
            sends_per_hour: self.number(&table::SENDS_PER_HOUR),
            sends_per_day: self.number(&table::SENDS_PER_DAY),
            logins_per_client: self.number(&table::REQUESTS_PER_IP_PER_HOUR),
            client_allowances: self
                .optional(&table::CLIENT_ALLOWANCES, |text| text.parse().ok())
                .unwrap_or_default(),
            device_life: self.seconds(&table::DEVICE_TTL_SECONDS),
            emails_per_day: self.number(&table::EMAILS_PER_DAY),
            conversion_guard: self.number(&table::CONVERSION_GUARD),
            bounces_are_reported: false,
            sms_per_day: self.number(&table::SMS_PER_DAY),
            sms_per_prefix_per_day: self.number(&table::SMS_PER_PREFIX_PER_DAY),
            unknown_users: self
                .optional(&table::UNKNOWN_USERS, UnknownUsers::parse)
                .unwrap_or(UnknownUsers::SignUp),
            sign_ups: SignUps::new(
                self.optional(&table::SIGN_UP_DOMAINS, SignUpDomains::parse),
                self.optional(&table::PHONE_SIGN_UP, reader::switch),
            ),
        }
    }

    fn delivery(&mut self, policy: &Policy) -> delivery::Settings {
        let parse_prefixes = |text: &str| SmsPrefixes::parse(text).ok();
        let sms_prefixes = self.optional(&table::SMS_PREFIXES, parse_prefixes);
        let sms_prefixes = sms_prefixes.unwrap_or_default();
        let sends_sms = !sms_prefixes.is_empty();
        let sms_senders = self.sms_senders();
        let email_from = self.optional(&table::EMAIL_FROM, EmailFrom::parse);
        delivery::Settings {
            ways: self.ways(email_from.is_some(), sends_sms),
            email_from,
            email_identity: self.optional(&table::EMAIL_IDENTITY_ARN, identity_arn),
            configuration_set: self.optional(&table::CONFIGURATION_SET, configuration_set),
            ses_region: self.optional(&table::SES_REGION, region),
            sns_region: self.optional(&table::SNS_REGION, region),
            email_template: self.optional(&table::EMAIL_TEMPLATE, messages::template_name),
            sms_max_price: self.optional(&table::SMS_MAX_PRICE, price),
            messages: self.messages(policy, &sms_senders, sends_sms),
            sms_senders,
            sms_prefixes,
        }
    }

    /// The ways that can be used: no SES without a sender, and none to phone numbers without a
    /// prefix that allows one.
    fn ways(&mut self, has_sender: bool, reaches_phones: bool) -> Ways {
        let email = self.optional(&table::EMAIL_WAYS, |text| {
            WaysTo::parse(DestinationKind::Email, text)
        });
        let email = email.unwrap_or_default();
        let phone = self.optional(&table::PHONE_WAYS, |text| {
            WaysTo::parse(DestinationKind::Phone, text)
        });
        Ways {
            email: if has_sender {
                email
            } else {
                email.own_senders()
            },
            phone: phone.filter(|_| reaches_phones).unwrap_or_default(),
        }
    }

    fn lifetimes(&mut self) -> SessionLifetimes {
        let idle = self.seconds(&table::REFRESH_IDLE_SECONDS);
        SessionLifetimes {
            absolute: self.seconds(&table::REFRESH_TTL_SECONDS),
            idle,
            // The default must not be a mistake where sessions live for an hour.
            grace: self.seconds(&table::REFRESH_GRACE_SECONDS).min(idle),
        }
    }

    fn tokens(&mut self) -> access_token::Settings {
        let audience = self.required(&table::TOKEN_AUDIENCE);
        let client_id = self.optional(&table::TOKEN_CLIENT_ID, client_id);
        access_token::Settings {
            signing_key_id: self.required(&table::SIGNING_KEY_ID),
            second_signing_key_id: self.optional(&table::SECOND_SIGNING_KEY_ID, any_text),
            issuer: self.required(&table::TOKEN_ISSUER),
            client_id: client_id.unwrap_or_else(|| audience.clone()),
            audience,
            ttl: self.seconds(&table::TOKEN_TTL_SECONDS),
        }
    }

    fn table_name(&mut self) -> String {
        let name = self.required(&table::TABLE_NAME);
        let table_like = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
        let well_formed = name.len() >= 3 && name.chars().all(table_like);
        if !name.is_empty() && !well_formed {
            self.mistake("TABLE_NAME must be the name or ARN of a table");
        }
        name
    }

    fn test_identities(&mut self, code_length: u8, now: UnixTime) -> TestIdentities {
        let until = self.optional(&table::TEST_IDENTITIES_UNTIL, |text| {
            let time = DateTime::from_str(text, Format::DateTime).ok()?;
            u64::try_from(time.secs()).ok().map(UnixTime::from_secs)
        });
        self.optional(&table::TEST_IDENTITIES, |text| {
            TestIdentities::parse(text, code_length, until, now)
        })
        .unwrap_or_default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is passed as a parser")]
fn any_text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// An OAuth client identifier (RFC 6749 appendix A.1), without spaces.
fn client_id(text: &str) -> Option<String> {
    let well_formed = text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic());
    well_formed.then(|| text.to_owned())
}

fn region(text: &str) -> Option<Region> {
    is_region(text).then(|| Region::new(text.to_owned()))
}

fn event_bus(text: &str) -> Option<String> {
    let name_like = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    let fits = (1..=256).contains(&text.len()) && text.bytes().all(name_like);
    fits.then(|| text.to_owned())
}

fn configuration_set(text: &str) -> Option<String> {
    let name_like = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(name_like);
    fits.then(|| text.to_owned())
}

/// `arn:aws:ses:eu-west-1:123456789012:identity/example.com`.
fn identity_arn(text: &str) -> Option<String> {
    let rest = text.strip_prefix("arn:")?;
    let (partition, rest) = rest.split_once(":ses:")?;
    let (place, rest) = rest.split_once(':')?;
    let (account, identity) = rest.split_once(":identity/")?;
    let is_partition = partition.starts_with("aws")
        && partition
            .bytes()
            .all(|b| b"-".contains(&b) || b.is_ascii_lowercase());
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let named = |b: u8| b.is_ascii_alphanumeric() || b"@._+-".contains(&b);
    let is_identity = !identity.is_empty() && identity.bytes().all(named);
    region(place)?;
    (is_partition && is_account && is_identity).then(|| text.to_owned())
}

/// Digits, with or without a decimal point.
fn price(text: &str) -> Option<String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |part: &str| (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(part)).then(|| text.to_owned())
}
