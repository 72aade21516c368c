use super::{table::Kind, *};
use otp_domain::Policy;
use proptest::prelude::*;
use std::{collections::HashMap, time::Duration};

mod messages;

const NOW: UnixTime = UnixTime::from_secs(1_767_226_200);

const REQUIRED: [(&str, &str); 6] = [
    ("TABLE_NAME", "table"),
    ("BRAND", "Example"),
    ("TOKEN_ISSUER", "https://login.example.com"),
    ("TOKEN_AUDIENCE", "example"),
    ("SIGNING_KEY_ID", "signing"),
    ("DIGEST_KEY_ID", "digest"),
];

fn read(changes: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let settings = read_in_parts(changes)?;
    settings.login.clone().map(|_| settings)
}

fn read_in_parts(changes: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let values: HashMap<&str, &str> = REQUIRED.iter().chain(changes).copied().collect();
    Settings::from_lookup(|name| values.get(name).map(ToString::to_string), NOW)
}

#[test]
fn a_mistake_in_what_is_sent_is_a_warning_and_stops_only_logins() {
    let settings = read_in_parts(&[("DEFAULT_LOCALE", "german"), ("SMS_TEXTS", "{")]).unwrap();
    let [warning] = settings.warnings(NOW).try_into().unwrap();
    for name in [
        "no code can be sent",
        "DEFAULT_LOCALE must be",
        "SMS_TEXTS must be",
    ] {
        assert!(warning.contains(name), "{warning}");
    }
    assert!(settings.login.is_err());
    let everything = read_in_parts(&[("DEFAULT_LOCALE", "german"), ("OTP_LENGTH", "5")]);
    let error = everything.unwrap_err().to_string();
    assert!(
        error.contains("OTP_LENGTH") && error.contains("DEFAULT_LOCALE"),
        "{error}"
    );
}

#[test]
fn the_defaults_of_the_table_are_those_of_the_domain() {
    let settings = read(&[]).unwrap();
    let default = format!("{:?}", Policy::default());
    let login = settings.login.unwrap();
    assert_eq!(format!("{:?}", login.policy), default);
    assert_eq!(format!("{:?}", settings.sessions.policy), default);
    assert_eq!(settings.sessions.tokens.ttl, Duration::from_hours(1));
    let delivery = &login.delivery;
    assert!(delivery.email_from.is_none() && delivery.sms_prefixes.is_empty());
}

#[test]
fn every_number_takes_both_ends_of_its_range_and_nothing_beyond() {
    for setting in table::ALL {
        let Kind::Number { min, max, .. } = setting.kind else {
            continue;
        };
        for good in [min, max] {
            assert!(
                read(&[(setting.name, &good.to_string())]).is_ok(),
                "{} = {good}",
                setting.name
            );
        }
        let beyond = [
            max.to_string() + "0",
            (max + 1).to_string(),
            format!("+{max}"),
            "-1".into(),
        ];
        let below = min.checked_sub(1).map(|number| number.to_string());
        for bad in beyond.into_iter().chain(below) {
            let error = read(&[(setting.name, &bad)]).unwrap_err().to_string();
            assert!(
                error.contains(setting.name),
                "{} = {bad}: {error}",
                setting.name
            );
        }
    }
}

#[test]
fn every_mistake_is_named_at_once() {
    let wrong = |name: &str| match name {
        "TABLE_NAME" => "t",
        "UNKNOWN_USERS" => "maybe",
        "SMS_PREFIXES" => "1",
        "EMAIL_FROM" | "TOKEN_ISSUER" | "TOKEN_AUDIENCE" | "BRAND" => "two\nlines",
        "SIGNING_KEY_ID" | "DIGEST_KEY_ID" => "",
        "TEST_IDENTITIES" => "reviewer@example.com=123456",
        "ORIGIN_HOST" => "https://example.com",
        _ => "neither number nor date",
    };
    let error = Settings::from_lookup(|name| Some(wrong(name).to_owned()), NOW);
    let error = error.unwrap_err().to_string();
    // Every text is a valid KMS key id.
    let any_text = ["SECOND_SIGNING_KEY_ID", "SECOND_DIGEST_KEY_ID"];
    for setting in table::ALL.iter().filter(|it| !any_text.contains(&it.name)) {
        assert!(
            error.contains(setting.name),
            "{} is not named in: {error}",
            setting.name
        );
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
fn a_wrong_origin_says_what_is_wrong_with_it() {
    for (value, said) in [
        ("https://*.com", "two labels"),
        ("https://www.example.com/", "without a path"),
        ("www.example.com", "begin with https://"),
        ("https://www.example.com,", "empty entry"),
    ] {
        let error = read(&[("ALLOWED_ORIGINS", value)]).unwrap_err().to_string();
        assert!(
            error.contains("ALLOWED_ORIGINS") && error.contains(said),
            "{error}"
        );
    }
}

#[test]
fn the_whole_of_north_america_is_a_warning() {
    let warned = |prefixes| {
        let settings = read(&[("SMS_PREFIXES", prefixes)]).unwrap();
        settings
            .warnings(NOW)
            .iter()
            .any(|text| text.contains("SMS_PREFIXES"))
    };
    assert!(warned("+1") && warned("+1,!+1900"));
    assert!(!warned("US,CA") && !warned(""));
}

#[test]
fn test_identities_that_have_ended_are_warned_about_and_stop_nothing() {
    let warned = |until| {
        let list = ("TEST_IDENTITIES", "reviewer@example.com=123456");
        let settings = read(&[list, ("TEST_IDENTITIES_UNTIL", until)]).unwrap();
        settings
            .warnings(NOW)
            .iter()
            .any(|said| said == TEST_IDENTITIES_ENDED)
    };
    assert!(warned("2026-01-01T00:10:00Z") && warned("1999-12-31T00:00:00Z"));
    assert!(!warned("2026-01-01T00:10:01Z"));
    let date_alone = read(&[("TEST_IDENTITIES_UNTIL", "1999-12-31T00:00:00Z")]).unwrap();
    assert!(date_alone.warnings(NOW).is_empty());
}

#[test]
fn an_empty_value_is_none() {
    assert!(read(&[("EMAIL_FROM", ""), ("OTP_LENGTH", " ")]).is_ok());
    assert!(read(&[("TABLE_NAME", "")]).is_err());
}

fn names() -> Vec<&'static str> {
    table::ALL.iter().map(|setting| setting.name).collect()
}

/// Valid values of every kind of setting, and values at the edges.
const VALUES: &[&str] = &[
    "6",
    "600",
    "18446744073709551615",
    "table",
    "Example",
    "login@example.com",
    "+1,!+1900",
    "US,CA,!+1900",
    "www.example.com",
    "0.05",
    "pt-BR",
    "on",
    "https://www.example.com/sign-in",
    "shop=FA+9qCX9VSu",
    "+44=Example,US=+18005550100,IN=EXMPLE;1101234;110712345",
    r#"{"de":"{code} ist Ihr {brand}-Code."}"#,
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
            prop::sample::select(names()),
            fuzz::text(VALUES).prop_map(|text| format!("{text}c4n4ry"))
                .boxed().prop_union(fuzz::text(VALUES).boxed()),
            0..6,
        ),
    ) {
        let changes: Vec<_> = changes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        match read(&changes) {
            Ok(settings) => {
                let policy = &settings.sessions.policy;
                prop_assert!((6..=10).contains(&policy.code_length));
                prop_assert!((1..=10).contains(&policy.max_attempts));
                prop_assert!((1..=600).contains(&policy.code_ttl.as_secs()));
                prop_assert!((1..=86_400).contains(&settings.sessions.tokens.ttl.as_secs()));
                for required in [&settings.sessions.table_name, &settings.sessions.tokens.issuer, &settings.sessions.tokens.signing_key_id] {
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
