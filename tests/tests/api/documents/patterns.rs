//! What the functions take for a setting, the template takes too, and the reverse.

use fancy_regex::Regex;
use otp_domain::{Country, UnixTime};
use otp_edge::settings::Settings;
use proptest::prelude::*;

use crate::template::{at, load, text};

/// Whether a function starts with this value of a setting.
fn starts(name: &str, value: &str) -> bool {
    let lookup = |asked: &str| match asked {
        _ if asked == name => Some(value.to_owned()),
        "TABLE_NAME" | "BRAND" | "TOKEN_ISSUER" | "TOKEN_AUDIENCE" | "SIGNING_KEY_ID"
        | "DIGEST_KEY_ID" => Some("example".to_owned()),
        _ => None,
    };
    let settings = Settings::from_lookup(lookup, UnixTime::from_secs(0));
    settings.is_ok_and(|settings| settings.login.is_ok())
}

/// The pattern of a template parameter, as `CloudFormation` applies it: to the whole value.
fn pattern(parameter: &str) -> Regex {
    let template = load();
    let pattern = text(at(template, &["Parameters", parameter, "AllowedPattern"]));
    Regex::new(&pattern).expect("a regular expression")
}

/// The names in a list of prefixes and countries are to be different, which no pattern can say.
fn repeats(list: &str) -> bool {
    let mut names: Vec<_> = list
        .split(',')
        .map(|entry| entry.trim().trim_start_matches('!'))
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    names.len() < count
}

#[test]
fn the_template_takes_the_code_of_every_country_and_no_other() {
    let pattern = pattern("SmsPrefixes");
    for first in 'A'..='Z' {
        for second in 'A'..='Z' {
            let code = format!("{first}{second}");
            let known = Country::parse(&code).is_some();
            for list in [code.clone(), format!("+44,{code}"), format!("+1,!{code}")] {
                assert_eq!(pattern.is_match(&list).unwrap(), known, "{list}");
            }
        }
    }
}

/// A parameter, its setting, and values of which some are right.
const VALUES: &[(&str, &str, &[&str])] = &[
    (
        "SignInUrl",
        "SIGN_IN_URL",
        &[
            "https://www.example.com/sign-in?a=1&b=2",
            "http://localhost:8080/",
            "https://www.example.com/#/sign-in?a=1",
            "https://www.example.com/#/sign-in#x",
            "https://www.example.com/#sign-in",
            "https://www.example.com/a b",
            "https://www.example.com/\"x",
            "ftp://www.example.com/",
            "https://",
        ],
    ),
    (
        "AndroidAppHashes",
        "ANDROID_APP_HASHES",
        &[
            "shop=FA+9qCX9VSu",
            "shop=FA+9qCX9VSu,com.example.beta=0123456789/",
            "shop=FA+9qCX9VS",
            "shop",
            "my shop=FA+9qCX9VSu",
            "shop=FA+9qCX9VSu,",
        ],
    ),
    (
        "EmailTemplate",
        "EMAIL_TEMPLATE",
        &["login", "Login_1-de", "log in", "login.de", "ä"],
    ),
    (
        "EmailFrom",
        "EMAIL_FROM",
        &[
            "login@example.com",
            "login",
            "Login <login@example.com>",
            "My Shop, Inc.<login@example.com>",
            "<login@example.com>",
            " <login@example.com>",
            "Login login@example.com>",
            "Login <login@example.com",
            "a@example.com <login@example.com>",
            "\"Login\" <login@example.com>",
            "a@b@example.com",
            "a@",
        ],
    ),
    (
        "EmailWays",
        "EMAIL_WAYS",
        &[
            "email",
            "smtp=arn:aws:sns:eu-west-1:123456789012:codes",
            "email,a=arn:aws:sns:eu-west-1:123456789012:a,b=arn:aws-cn:sns:cn-north-1:123456789012:b_-1",
            "email,a=arn:aws:sns:eu-west-1:123456789012:a,b=arn:aws:sns:eu-west-1:123456789012:b,c=arn:aws:sns:eu-west-1:123456789012:c",
            "email,a=arn:aws:sns:eu-west-1:123456789012:a,b=arn:aws:sns:eu-west-1:123456789012:b,c=arn:aws:sns:eu-west-1:123456789012:c,d=arn:aws:sns:eu-west-1:123456789012:d",
            "sms",
            "smtp",
            "email,",
            ",email",
            "email, smtp=arn:aws:sns:eu-west-1:123456789012:codes",
            "email=arn:aws:sns:eu-west-1:123456789012:codes",
            "sms=arn:aws:sns:eu-west-1:123456789012:codes",
            "sms2=arn:aws:sns:eu-west-1:123456789012:codes",
            "Smtp=arn:aws:sns:eu-west-1:123456789012:codes",
            "smtp=arn:aws:sns:eu-west-1:123456789012:codes.fifo",
            "smtp=arn:aws:sns:eu-west:123456789012:codes",
            "smtp=arn:aws:sqs:eu-west-1:123456789012:codes",
            "smtp=codes",
        ],
    ),
    (
        "PhoneWays",
        "PHONE_WAYS",
        &[
            "sms",
            "whatsapp=arn:aws:sns:eu-west-1:123456789012:codes,sms",
            "email",
            "email=arn:aws:sns:eu-west-1:123456789012:codes",
            "sms sms",
        ],
    ),
    (
        "SesRegion",
        "SES_REGION",
        &[
            "eu-west-1",
            "us-gov-west-1",
            "eusc-de-east-1",
            "eu-west",
            "west-1",
            "EU-WEST-1",
            "eu--1",
        ],
    ),
    (
        "SnsRegion",
        "SNS_REGION",
        &["eu-west-1", "us-gov-west-1", "eu-west", "eu-west-1a"],
    ),
    (
        "EmailIdentityArn",
        "EMAIL_IDENTITY_ARN",
        &[
            "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
            "arn:aws-us-gov:ses:us-gov-west-1:123456789012:identity/login@example.com",
            "arn:aws:ses:eu-west-1:123456789012:identity/",
            "arn:aws:ses:eu-west-1:12345678901:identity/example.com",
            "arn:aws:ses:eu-west:123456789012:identity/example.com",
            "arn:aws:ses:eu-west-1:123456789012:configuration-set/a",
            "arn:other:ses:eu-west-1:123456789012:identity/example.com",
            "example.com",
        ],
    ),
    (
        "ConfigurationSet",
        "CONFIGURATION_SET",
        &["events", "Events_1-a", "my events", "a/b"],
    ),
    (
        "AllowedHeaders",
        "ALLOWED_HEADERS",
        &[
            "baggage",
            "baggage, sentry-trace ,X_A",
            "baggage,",
            ",",
            "*",
            "a b",
            "a:b",
        ],
    ),
    (
        "EventBusName",
        "EVENT_BUS_NAME",
        &[
            "default",
            "aws.partner/example.com/1",
            "my_bus-2",
            "my bus",
            "arn:aws:events:eu-west-1:123456789012:event-bus/default",
            "a,b",
        ],
    ),
    (
        "OriginHost",
        "ORIGIN_HOST",
        &[
            "login.example.com",
            "https://login.example.com",
            "login.example.com/",
            "localhost",
        ],
    ),
    (
        "TokenClientId",
        "TOKEN_CLIENT_ID",
        &["shop", "a~!", "my shop", "shöp"],
    ),
    (
        "ClientAllowances",
        "CLIENT_ALLOWANCES",
        &[
            "203.0.113.0/24=2000",
            "203.0.113.0/24=2000,2001:db8::/32=500",
            "203.0.113.0/24",
            "203.0.113.0=2000",
            "203.0.113.0/24=0",
            "203.0.113.0/24=2000,",
            "school=2000",
        ],
    ),
    (
        "SmsMaxPrice",
        "SMS_MAX_PRICE",
        &["0.05", "1", "a", "0.05 USD", ".5", "1."],
    ),
];

#[test]
fn the_template_takes_what_the_functions_take_for_a_text() {
    for (parameter, name, values) in VALUES {
        let pattern = pattern(parameter);
        let has_default = at(load(), &["Parameters", parameter, "Default"]) != "";
        assert_eq!(pattern.is_match("").unwrap(), !has_default, "{parameter}");
        for value in *values {
            let taken = pattern.is_match(value).unwrap();
            assert_eq!(starts(name, value), taken, "{parameter}: {value}");
        }
    }
}

proptest! {
    #[test]
    fn the_functions_and_the_template_take_the_same_origins(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "https://", "http://", "capacitor://", "tauri://", "chrome-extension://", "ftp://",
                "www.example.com", "[", "::1", "]", "a_b.example.com", "*.a_b.com", "localhost", ":5173", ":", "*", "*.", "*.preview.example.com", ".com", "*.com",
                "*.0.0.1", "1", "Z", "/", ",", ",", ",", " ",
            ]),
            0..7,
        ),
    ) {
        let list = parts.concat();
        let taken = pattern("AllowedOrigins").is_match(&list).unwrap();
        prop_assert_eq!(starts("ALLOWED_ORIGINS", &list), taken, "{:?}", list);
    }

    #[test]
    fn the_functions_and_the_template_take_the_same_prefixes(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "US", "CA", "GB", "UK", "us", "+1", "+44", "+1900", "+0", "+", "!", "!+1900", "!US",
                ",", ",", ",", ",", " ", "1", "+123456789012345", "+1234567890123456",
            ]),
            0..9,
        ),
    ) {
        let list = parts.concat();
        let taken = pattern("SmsPrefixes").is_match(&list).unwrap();
        prop_assert_eq!(starts("SMS_PREFIXES", &list), taken && !repeats(&list), "{:?}", list);
    }
}

/// A parameter, what it takes, and what it does not take.
const NAMED: &[(&str, &str, [&str; 3])] = &[
    (
        "TestIdentitiesUntil",
        "2026-01-31T00:00:00Z",
        [
            "tomorrow",
            "2026-01-31T00:00:00+01:00",
            "on 2026-01-31T00:00:00Z",
        ],
    ),
    (
        "AlarmEmail",
        "operator@example.com",
        ["operator", "a b@example.com", "a@example.com "],
    ),
    ("PhoneSignUp", "on", ["yes", "on off", "only"]),
    (
        "DomainName",
        "login.example.com",
        ["example", "https://login.example.com", "Login.example.com"],
    ),
    (
        "CertificateArn",
        "arn:aws:acm:eu-west-1:123456789012:certificate/a",
        [
            "a",
            "arn:aws:iam::123456789012:server-certificate/a",
            " arn:aws:acm:eu-west-1:123456789012:certificate/a",
        ],
    ),
    (
        "ExistingTable",
        "login-restored",
        [
            "ab",
            "login restored",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/a",
        ],
    ),
    (
        "ExistingTableStreamArn",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/a_b/stream/2026-01-01T00:00:00.000",
        [
            "stream",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/a_b",
            " arn:aws:dynamodb:eu-west-1:123456789012:table/a_b/stream/2026-01-01T00:00:00.000",
        ],
    ),
    (
        "PermissionsBoundary",
        "arn:aws:iam::123456789012:policy/boundary",
        [
            "boundary",
            "arn:aws:iam::123456789012:role/boundary",
            " arn:aws:iam::123456789012:policy/boundary",
        ],
    ),
    (
        "SenderKeyArns",
        "arn:aws:kms:eu-west-1:123456789012:key/a-1,arn:aws:kms:eu-west-1:123456789012:key/b",
        [
            "alias/codes",
            "arn:aws:kms:eu-west-1:123456789012:key/a,",
            "arn:aws:kms:eu-west-1:123456789012:key/a, arn:aws:kms:eu-west-1:123456789012:key/b",
        ],
    ),
    (
        "WebAclArn",
        "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/b",
        [
            "a",
            "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b",
            " arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/b",
        ],
    ),
];

#[test]
fn the_template_takes_no_other_than_what_a_parameter_names() {
    for (parameter, value, others) in NAMED {
        let pattern = pattern(parameter);
        assert!(pattern.is_match("").unwrap() && pattern.is_match(value).unwrap());
        for other in others {
            assert!(!pattern.is_match(other).unwrap(), "{parameter}: {other}");
        }
    }
}

/// The longest text that a parameter takes is the longest that the functions take.
#[test]
fn the_template_takes_a_text_as_long_as_the_functions_take_it() {
    for (parameter, name, end) in [
        ("Brand", "BRAND", ""),
        ("TokenClientId", "TOKEN_CLIENT_ID", ""),
    ] {
        let most = text(at(load(), &["Parameters", parameter, "MaxLength"]));
        let most: usize = most.parse().expect("a number");
        for (length, expected) in [(most, true), (most + 1, false)] {
            // A domain may be as long as this; what stands before the @ may not.
            let fill = length - end.len();
            let value = if end.is_empty() {
                "a".repeat(fill)
            } else {
                let labels = end.replace('@', &format!("@{}", "b.".repeat(fill / 2 - 1)));
                format!("{}{labels}", "a".repeat(2 + fill % 2))
            };
            assert_eq!(starts(name, &value), expected, "{parameter}: {length}");
        }
    }
}
