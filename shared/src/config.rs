//! The settings: read once at start, every mistake named at once.

use std::{fmt, ops::RangeInclusive, time::Duration};

use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};

use crate::{
    ambient,
    clients::Roots,
    delivery::{Brand, Wording},
    domain::{
        EmailAddress, Lifetimes, Policy, SmsPrefixes, TestIdentities, UnixTime, UnknownUsers,
        is_host_name,
    },
    http::cors::Origins,
};

/// Everything an operator can set; the README's table says what each means.
#[derive(Clone, Debug)]
pub struct Config {
    /// `TABLE_NAME`
    pub table_name: String,
    /// `OTP_LENGTH`, `OTP_TTL_SECONDS`, `OTP_MAX_ATTEMPTS`,
    /// `RESEND_COOLDOWN_SECONDS`, `SENDS_PER_HOUR`, `SENDS_PER_DAY`,
    /// `REQUESTS_PER_IP_PER_HOUR`, `SMS_PER_DAY`, `SMS_PER_PREFIX_PER_DAY`,
    /// `UNKNOWN_USERS`
    pub policy: Policy,
    /// `SMS_PREFIXES`
    pub sms_prefixes: SmsPrefixes,
    /// `SMS_MAX_PRICE`: what SNS may charge for one text message, in USD.
    pub sms_max_price: Option<String>,
    /// `TEST_IDENTITIES`, `TEST_IDENTITIES_UNTIL`: destinations with fixed codes.
    pub test_identities: TestIdentities,
    /// `ALLOWED_ORIGINS`: whose web pages may call.
    pub allowed_origins: Origins,
    /// `EMAIL_FROM`; without it no e-mail is sent.
    pub email_from: Option<EmailAddress>,
    /// `BRAND`, `ORIGIN_HOST` and the code's life, as messages tell them.
    pub wording: Wording,
    /// `TOKEN_ISSUER`
    pub token_issuer: String,
    /// `TOKEN_AUDIENCE`
    pub token_audience: String,
    /// `TOKEN_TTL_SECONDS`
    pub token_ttl: Duration,
    /// `REFRESH_TTL_SECONDS`, `REFRESH_IDLE_SECONDS`, `REFRESH_GRACE_SECONDS`
    pub lifetimes: Lifetimes,
    /// `SIGNING_KEY_ID`
    pub signing_key_id: String,
    /// `SECOND_SIGNING_KEY_ID`: published beside the first, never signed with.
    pub second_signing_key_id: Option<String>,
    /// `DIGEST_KEY_ID`
    pub digest_key_id: String,
    /// `SECOND_DIGEST_KEY_ID`: its codes still verify.
    pub second_digest_key_id: Option<String>,
    /// `AWS_CA_BUNDLE`: whose certificates are believed; without it, Amazon's.
    pub roots: Roots,
}

/// Every setting that is missing or wrong, each with what it should be.
#[derive(PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

/// The same sentence as for people: it is what a function that does not start
/// leaves behind.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrong settings: {}", self.0.join("; "))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    ///
    /// Names every setting that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(variable, ambient::now())
    }

    /// Reads settings from wherever `lookup` finds them. An empty value counts
    /// as none, as an empty template parameter arrives so.
    ///
    /// # Errors
    ///
    /// Names every setting that is missing or wrong.
    pub fn from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
        now: UnixTime,
    ) -> Result<Self, ConfigError> {
        let mut settings = Settings {
            lookup,
            mistakes: Vec::new(),
        };
        let config = Self::read(&mut settings, now);
        if settings.mistakes.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(settings.mistakes))
        }
    }

    /// Goes on after a mistake with a stand-in value, to find all the others.
    fn read(settings: &mut Settings<impl Fn(&str) -> Option<String>>, now: UnixTime) -> Self {
        let policy = Policy {
            code_length: settings.number("OTP_LENGTH", 6, 6..=10),
            code_ttl: settings.seconds("OTP_TTL_SECONDS", 300, 1..=600),
            max_attempts: settings.number("OTP_MAX_ATTEMPTS", 3, 1..=10),
            cooldown: settings.seconds("RESEND_COOLDOWN_SECONDS", 30, 0..=86_400),
            sends_per_hour: settings.number("SENDS_PER_HOUR", 5, 1..=1_000_000),
            sends_per_day: settings.number("SENDS_PER_DAY", 10, 1..=1_000_000),
            logins_per_client: settings.number("REQUESTS_PER_IP_PER_HOUR", 30, 1..=1_000_000),
            sms_per_day: settings.number("SMS_PER_DAY", 1000, 1..=1_000_000),
            sms_per_prefix_per_day: settings.number("SMS_PER_PREFIX_PER_DAY", 200, 1..=1_000_000),
            unknown_users: settings
                .parsed(
                    "UNKNOWN_USERS",
                    "`sign-up`, `conceal` or `reveal`",
                    UnknownUsers::parse,
                )
                .unwrap_or(UnknownUsers::SignUp),
        };
        let code_length = policy.code_length;
        let sms_prefixes = settings
            .parsed(
                "SMS_PREFIXES",
                "E.164 prefixes such as `+1,!+1900,+44`, each once",
                |text| SmsPrefixes::parse(text).ok(),
            )
            .unwrap_or_default();
        Self {
            table_name: settings.table_name(),
            wording: settings.wording(&policy, !sms_prefixes.is_empty()),
            policy,
            sms_prefixes,
            email_from: settings.parsed("EMAIL_FROM", "a plain ASCII e-mail address", |text| {
                EmailAddress::parse(text).ok()
            }),
            sms_max_price: settings.parsed("SMS_MAX_PRICE", "a price in USD such as 0.05", price),
            test_identities: settings.test_identities(code_length, now),
            allowed_origins: settings
                .parsed(
                    "ALLOWED_ORIGINS",
                    "origins such as `https://www.example.com`",
                    Origins::parse,
                )
                .unwrap_or_default(),
            token_issuer: settings.required("TOKEN_ISSUER"),
            token_audience: settings.required("TOKEN_AUDIENCE"),
            token_ttl: settings.seconds("TOKEN_TTL_SECONDS", 3600, 1..=86_400),
            lifetimes: settings.lifetimes(),
            signing_key_id: settings.required("SIGNING_KEY_ID"),
            second_signing_key_id: settings.get("SECOND_SIGNING_KEY_ID"),
            digest_key_id: settings.required("DIGEST_KEY_ID"),
            second_digest_key_id: settings.get("SECOND_DIGEST_KEY_ID"),
            roots: settings.roots(),
        }
    }
}

/// An environment variable, if it is set and UTF-8.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Digits, with a point among them or without.
fn price(text: &str) -> Option<String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |part: &str| (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(part)).then(|| text.to_owned())
}

struct Settings<L> {
    lookup: L,
    mistakes: Vec<String>,
}

impl<L: Fn(&str) -> Option<String>> Settings<L> {
    fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.trim().is_empty())
    }

    fn required(&mut self, name: &str) -> String {
        let value = self.get(name).unwrap_or_else(|| {
            self.mistakes.push(format!("{name} is required"));
            String::new()
        });
        if value.chars().any(char::is_control) {
            self.mistakes
                .push(format!("{name} must not hold control characters"));
        }
        value
    }

    fn parsed<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(name)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.mistakes.push(format!("{name} must be {expected}"));
        }
        parsed
    }

    fn number<T>(&mut self, name: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: std::str::FromStr + PartialOrd + fmt::Display,
    {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.parsed(name, &expected, |text| {
            // A number's own parser would also take `+5`.
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten();
            number.filter(|number| range.contains(number))
        })
        .unwrap_or(default)
    }

    fn seconds(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.number(name, default, range))
    }

    fn lifetimes(&mut self) -> Lifetimes {
        Lifetimes {
            absolute: self.seconds("REFRESH_TTL_SECONDS", 2_592_000, 1..=31_536_000),
            idle: self.seconds("REFRESH_IDLE_SECONDS", 604_800, 1..=31_536_000),
            grace: self.seconds("REFRESH_GRACE_SECONDS", 60, 0..=300),
        }
    }

    fn roots(&mut self) -> Roots {
        let expected = "a file of certificates in PEM";
        self.parsed("AWS_CA_BUNDLE", expected, Roots::from_file)
            .unwrap_or_default()
    }

    fn table_name(&mut self) -> String {
        let name = self.required("TABLE_NAME");
        let table_like = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
        let well_formed = name.len() >= 3 && name.chars().all(table_like);
        if !name.is_empty() && !well_formed {
            self.mistakes
                .push("TABLE_NAME must be the name or ARN of a table".into());
        }
        name
    }

    fn test_identities(&mut self, code_length: u8, now: UnixTime) -> TestIdentities {
        let until = self.parsed(
            "TEST_IDENTITIES_UNTIL",
            "an instant such as 2026-01-31T00:00:00Z",
            |text| {
                let time = DateTime::from_str(text, DateTimeFormat::DateTime).ok()?;
                u64::try_from(time.secs()).ok().map(UnixTime::from_secs)
            },
        );
        let expected = "`destination=code` pairs with codes of OTP_LENGTH digits, with \
                        TEST_IDENTITIES_UNTIL to come and no more than 30 days away";
        self.parsed("TEST_IDENTITIES", expected, |text| {
            TestIdentities::parse(text, code_length, until, now)
        })
        .unwrap_or_default()
    }

    fn wording(&mut self, policy: &Policy, sends_sms: bool) -> Wording {
        let brand = self.required("BRAND");
        let brand = Brand::parse(&brand).unwrap_or_else(|| {
            if !brand.is_empty() {
                self.mistakes.push(
                    "BRAND must be 1 to 32 characters, none of them a control character".into(),
                );
            }
            Brand::stand_in()
        });
        let origin_host = self.parsed("ORIGIN_HOST", "a host name", |text| {
            is_host_name(text).then(|| text.to_ascii_lowercase())
        });
        let wording = Wording::new(brand, origin_host, policy.code_ttl);
        if sends_sms && !wording.fits_one_sms(policy.code_length) {
            self.mistakes.push(
                "BRAND and ORIGIN_HOST must leave a text message within one segment: \
                 160 characters of the GSM 03.38 alphabet"
                    .into(),
            );
        }
        wording
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    const NOW: UnixTime = UnixTime::from_secs(1_767_226_200);

    const REQUIRED: [(&str, &str); 6] = [
        ("TABLE_NAME", "table"),
        ("BRAND", "Example"),
        ("TOKEN_ISSUER", "https://login.example.com"),
        ("TOKEN_AUDIENCE", "example"),
        ("SIGNING_KEY_ID", "signing"),
        ("DIGEST_KEY_ID", "digest"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let values: HashMap<&str, &str> = REQUIRED.iter().chain(changes).copied().collect();
        Config::from_lookup(|name| values.get(name).map(ToString::to_string), NOW)
    }

    #[test]
    fn the_defaults_are_those_of_the_readme() {
        let config = read(&[]).unwrap();
        assert_eq!(
            format!("{:?}", config.policy),
            format!("{:?}", Policy::default())
        );
        assert_eq!(config.token_ttl, Duration::from_hours(1));
        assert!(config.email_from.is_none() && config.sms_prefixes.is_empty());
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let error = Config::from_lookup(
            |name| match name {
                "OTP_LENGTH" => Some("5".into()),
                "OTP_TTL_SECONDS" => Some("601".into()),
                "OTP_MAX_ATTEMPTS" => Some("0".into()),
                "RESEND_COOLDOWN_SECONDS" => Some("-1".into()),
                "SENDS_PER_HOUR" => Some("five".into()),
                "REQUESTS_PER_IP_PER_HOUR" => Some("thirty".into()),
                "SMS_PER_DAY" => Some("1.5".into()),
                "SMS_PER_PREFIX_PER_DAY" => Some("+1".into()),
                "UNKNOWN_USERS" => Some("maybe".into()),
                "SMS_PREFIXES" => Some("1".into()),
                "EMAIL_FROM" => Some("nobody".into()),
                "SMS_MAX_PRICE" => Some("0,05".into()),
                "TEST_IDENTITIES" => Some("reviewer@example.com=123456".into()),
                "TEST_IDENTITIES_UNTIL" => Some("soon".into()),
                "ALLOWED_ORIGINS" => Some("*".into()),
                "ORIGIN_HOST" => Some("https://example.com".into()),
                "BRAND" => Some("two\nlines".into()),
                "TOKEN_TTL_SECONDS" => Some("forever".into()),
                "REFRESH_TTL_SECONDS" => Some("31536000000".into()),
                "REFRESH_IDLE_SECONDS" => Some("31536001".into()),
                "REFRESH_GRACE_SECONDS" => Some("301".into()),
                _ => None,
            },
            NOW,
        )
        .unwrap_err()
        .to_string();
        for name in [
            "OTP_LENGTH",
            "OTP_TTL_SECONDS",
            "OTP_MAX_ATTEMPTS",
            "RESEND_COOLDOWN_SECONDS",
            "SENDS_PER_HOUR",
            "REQUESTS_PER_IP_PER_HOUR",
            "SMS_PER_DAY",
            "SMS_PER_PREFIX_PER_DAY",
            "UNKNOWN_USERS",
            "SMS_PREFIXES",
            "EMAIL_FROM",
            "SMS_MAX_PRICE",
            "TEST_IDENTITIES",
            "TEST_IDENTITIES_UNTIL",
            "ALLOWED_ORIGINS",
            "ORIGIN_HOST",
            "BRAND",
            "TOKEN_TTL_SECONDS",
            "REFRESH_TTL_SECONDS",
            "REFRESH_IDLE_SECONDS",
            "REFRESH_GRACE_SECONDS",
            "TABLE_NAME",
            "TOKEN_ISSUER",
            "TOKEN_AUDIENCE",
            "SIGNING_KEY_ID",
            "DIGEST_KEY_ID",
        ] {
            assert!(error.contains(name), "{name} is not named in: {error}");
        }
    }

    #[test]
    fn a_mistaken_value_is_not_repeated_in_the_error() {
        let error = read(&[("EMAIL_FROM", "secret stuff")])
            .unwrap_err()
            .to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn a_brand_that_costs_a_second_segment_is_refused_only_where_sms_is_sent() {
        let brand = [("BRAND", "Größe ☕")];
        assert!(read(&brand).is_ok());
        assert!(read(&[brand[0], ("SMS_PREFIXES", "+1")]).is_err());
    }

    #[test]
    fn an_empty_value_is_none() {
        assert!(read(&[("EMAIL_FROM", ""), ("OTP_LENGTH", " ")]).is_ok());
        assert!(read(&[("TABLE_NAME", "")]).is_err());
    }

    /// Every setting.
    const NAMES: &[&str] = &[
        "TABLE_NAME",
        "BRAND",
        "EMAIL_FROM",
        "SMS_PREFIXES",
        "ORIGIN_HOST",
        "OTP_LENGTH",
        "OTP_TTL_SECONDS",
        "OTP_MAX_ATTEMPTS",
        "RESEND_COOLDOWN_SECONDS",
        "SENDS_PER_HOUR",
        "SENDS_PER_DAY",
        "REQUESTS_PER_IP_PER_HOUR",
        "SMS_PER_DAY",
        "SMS_PER_PREFIX_PER_DAY",
        "SMS_MAX_PRICE",
        "UNKNOWN_USERS",
        "ALLOWED_ORIGINS",
        "TEST_IDENTITIES",
        "TEST_IDENTITIES_UNTIL",
        "TOKEN_ISSUER",
        "TOKEN_AUDIENCE",
        "TOKEN_TTL_SECONDS",
        "SIGNING_KEY_ID",
        "DIGEST_KEY_ID",
    ];

    /// Something that is a value of each kind of setting.
    const VALUES: &[&str] = &[
        "6",
        "600",
        "18446744073709551615",
        "table",
        "Example",
        "login@example.com",
        "+1,!+1900",
        "www.example.com",
        "0.05",
        "conceal",
        "https://www.example.com",
        "reviewer@example.com=123456",
        "2026-01-10T00:00:00Z",
        "9999-12-31T23:59:60.999999999Z",
        "-0001-01-01T00:00:00Z",
    ];

    proptest! {
        #![proptest_config(crate::fuzz::config())]

        #[test]
        fn any_environment_gives_settings_within_their_ranges_or_named_mistakes_without_their_values(
            changes in prop::collection::hash_map(
                prop::sample::select(NAMES),
                crate::fuzz::text(VALUES).prop_map(|text| format!("{text}c4n4ry"))
                    .boxed().prop_union(crate::fuzz::text(VALUES).boxed()),
                0..6,
            ),
        ) {
            let changes: Vec<_> = changes.iter().map(|(name, value)| (*name, value.as_str())).collect();
            match read(&changes) {
                Ok(config) => {
                    let policy = &config.policy;
                    prop_assert!((6..=10).contains(&policy.code_length));
                    prop_assert!((1..=10).contains(&policy.max_attempts));
                    prop_assert!((1..=600).contains(&policy.code_ttl.as_secs()));
                    prop_assert!((1..=86_400).contains(&config.token_ttl.as_secs()));
                    for required in [&config.table_name, &config.token_issuer, &config.signing_key_id] {
                        prop_assert!(!required.trim().is_empty());
                    }
                }
                Err(error) => {
                    let error = error.to_string();
                    prop_assert!(!error.contains("c4n4ry"));
                    prop_assert!(changes.iter().any(|(name, _)| error.contains(name)), "{}", error);
                }
            }
        }
    }
}
