//! The settings, read once at start. The error names every mistake at once.
//!
//! [`table`] lists every setting. This module reads them into the settings types
//! of the parts of the service.

mod messages;
mod reader;
pub mod table;

use std::borrow::Cow;

use aws_smithy_types::{DateTime, date_time::Format};
use otp_domain::{
    EmailAddress, Policy, SessionLifetimes, SmsPrefixes, TestIdentities, TrustedProxies, UnixTime,
    UnknownUsers,
};
use otp_service::{
    access_token, ambient, aws::TrustRoots, delivery, login::LoginSettings,
    session::SessionSettings,
};

use self::reader::Reader;
use crate::{cookie::RefreshCookie, cors::AllowedOrigins, environment};

pub use messages::delivery_from_lookup;
pub use reader::SettingsError;

/// The log's warning of test identities that nobody has removed yet. The metric
/// filters in `template.yaml` match this text.
pub const TEST_IDENTITIES_ENDED: &str =
    "TEST_IDENTITIES_UNTIL has passed: there are no test identities";

/// All settings. docs/settings.md explains each one.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The settings of the login use case.
    pub login: LoginSettings,
    /// The settings of the session use cases.
    pub sessions: SessionSettings,
    /// The web origins whose pages may call the API.
    pub allowed_origins: AllowedOrigins,
    /// The proxies in front of the gateway.
    pub trusted_proxies: TrustedProxies,
    /// Whether pages may have the refresh token in a cookie.
    pub refresh_cookie: RefreshCookie,
    /// The certificate authorities to trust.
    pub trust_roots: TrustRoots,
}

impl Settings {
    /// Reads the settings from the environment.
    ///
    /// # Errors
    ///
    /// Names every setting that is missing or wrong.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_lookup(environment::variable, ambient::now())
    }

    /// Reads the settings through `lookup`. An empty value counts as unset.
    ///
    /// # Errors
    ///
    /// Names every setting that is missing or wrong.
    pub fn from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
        now: UnixTime,
    ) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(lookup);
        let settings = reader.settings(now);
        reader.finish(settings)
    }
}

impl Settings {
    /// What is valid, and probably not meant. The log of a start has it.
    #[must_use]
    pub fn warnings(&self, now: UnixTime) -> Vec<Cow<'static, str>> {
        let delivery = &self.login.delivery;
        let prefixes = &delivery.sms_prefixes;
        let mut warnings: Vec<Cow<'static, str>> = Vec::new();
        if prefixes.allow_all_of_north_america() {
            warnings.push(
                "SMS_PREFIXES allows all of +1: 25 countries, and premium numbers. \
                 Name the countries instead, such as US,CA."
                    .into(),
            );
        }
        if self.login.test_identities.have_ended(now) {
            warnings.push(TEST_IDENTITIES_ENDED.into());
        }
        let unfit = delivery.messages.unfit();
        if !prefixes.is_empty() && !unfit.is_empty() {
            let unfit: Vec<String> = unfit.iter().map(ToString::to_string).collect();
            let list = unfit.join("; ");
            warnings.push(format!("Text messages in DEFAULT_LOCALE instead of {list}").into());
        }
        warnings
    }
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    fn settings(&mut self, now: UnixTime) -> Settings {
        let policy = self.policy();
        let table_name = self.table_name();
        let digest_key_id = self.required(&table::DIGEST_KEY_ID);
        let test_identities = self.test_identities(policy.code_length, now);
        let (allowed_origins, refresh_cookie) = self.origins();
        Settings {
            login: LoginSettings {
                table_name: table_name.clone(),
                digest_key_id: digest_key_id.clone(),
                test_identities: test_identities.clone(),
                delivery: self.delivery(&policy),
                policy: policy.clone(),
            },
            sessions: SessionSettings {
                table_name,
                digest_key_id,
                second_digest_key_id: self.optional(&table::SECOND_DIGEST_KEY_ID, any_text),
                policy,
                lifetimes: self.lifetimes(),
                test_identities,
                tokens: self.tokens(),
            },
            trusted_proxies: TrustedProxies::new(self.number(&table::TRUSTED_PROXIES)),
            allowed_origins,
            refresh_cookie,
            trust_roots: self
                .optional(&table::AWS_CA_BUNDLE, TrustRoots::from_file)
                .unwrap_or_default(),
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
            emails_per_day: self.number(&table::EMAILS_PER_DAY),
            conversion_guard: self.number(&table::CONVERSION_GUARD),
            sms_per_day: self.number(&table::SMS_PER_DAY),
            sms_per_prefix_per_day: self.number(&table::SMS_PER_PREFIX_PER_DAY),
            unknown_users: self
                .optional(&table::UNKNOWN_USERS, UnknownUsers::parse)
                .unwrap_or(UnknownUsers::SignUp),
        }
    }

    fn delivery(&mut self, policy: &Policy) -> delivery::Settings {
        let parse_email = |text: &str| EmailAddress::parse(text).ok();
        let parse_prefixes = |text: &str| SmsPrefixes::parse(text).ok();
        let sms_prefixes = self.optional(&table::SMS_PREFIXES, parse_prefixes);
        let sms_prefixes = sms_prefixes.unwrap_or_default();
        let sends_sms = !sms_prefixes.is_empty();
        let sms_senders = self.sms_senders();
        delivery::Settings {
            email_from: self.optional(&table::EMAIL_FROM, parse_email),
            email_template: self.optional(&table::EMAIL_TEMPLATE, messages::template_name),
            sms_max_price: self.optional(&table::SMS_MAX_PRICE, price),
            messages: self.messages(policy, &sms_senders, sends_sms),
            sms_senders,
            sms_prefixes,
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

    fn origins(&mut self) -> (AllowedOrigins, RefreshCookie) {
        let setting = &table::ALLOWED_ORIGINS;
        let parsed = self.text(setting).map(|text| AllowedOrigins::parse(&text));
        let origins = parsed.unwrap_or_else(|| Ok(AllowedOrigins::default()));
        let origins = origins.unwrap_or_else(|why| {
            self.mistake(format!("{} {why}", setting.name));
            AllowedOrigins::default()
        });
        let is_on = self.optional(&table::REFRESH_COOKIE, switch);
        if !is_on.unwrap_or_default() {
            return (origins, RefreshCookie::default());
        }
        if !origins.name_one() {
            self.mistake("REFRESH_COOKIE=on needs an origin without * in ALLOWED_ORIGINS");
        }
        let origins = origins.with_credentials();
        (origins.clone(), RefreshCookie::on(origins))
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

fn switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// An OAuth client identifier (RFC 6749 appendix A.1), without spaces.
fn client_id(text: &str) -> Option<String> {
    let well_formed = text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic());
    well_formed.then(|| text.to_owned())
}

/// Digits, with or without a decimal point.
fn price(text: &str) -> Option<String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |part: &str| (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(part)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
