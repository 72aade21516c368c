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
    #![proptest_config(fuzz::config())]

    #[test]
    fn any_environment_gives_settings_within_their_ranges_or_named_mistakes_without_their_values(
        changes in prop::collection::hash_map(
            prop::sample::select(NAMES),
            fuzz::text(VALUES).prop_map(|text| format!("{text}c4n4ry"))
                .boxed().prop_union(fuzz::text(VALUES).boxed()),
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
