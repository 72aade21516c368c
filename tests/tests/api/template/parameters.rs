//! The parameters: what an operator may choose.

use std::collections::BTreeSet;

use otp_settings::table::{self, Kind};
use serde_json::{Value, json};

use super::{Stack, at, items, load, text};

const DEPLOYING: &str = include_str!("../../../../docs/deploying.md");
const SETTINGS: &str = include_str!("../../../../docs/settings.md");

fn parameters() -> &'static serde_json::Map<String, Value> {
    at(load(), &["Parameters"]).as_object().unwrap()
}

/// The cells of each row of a page's table whose first cell names this.
fn rows(page: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        row.split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect()
    })
}

#[test]
fn the_page_has_the_default_of_each_parameter_that_is_no_setting() {
    let mut found = 0;
    for row in rows(DEPLOYING) {
        let default = if row[2] == "-" { "" } else { row[2] };
        for name in row[1].split("`, `") {
            let parameter = parameters().get(name);
            let parameter = parameter.unwrap_or_else(|| panic!("there is no parameter {name}"));
            assert_eq!(text(at(parameter, &["Default"])), default, "{name}");
            found += 1;
        }
    }
    let settings = table::ALL
        .iter()
        .map(|setting| setting.name.replace('_', "").to_lowercase());
    let settings: BTreeSet<_> = settings.collect();
    let others = parameters()
        .keys()
        .filter(|name| !settings.contains(&name.to_lowercase()));
    assert_eq!(others.count(), found, "parameters that are no settings");
}

/// Those of AWS, and the two places for a key.
#[test]
fn a_parameter_that_is_no_setting_takes_what_aws_takes() {
    for (name, least, most) in [
        ("LoginRequestsPerSecond", 1, 5000),
        ("ValidateRequestsPerSecond", 1, 5000),
        ("WebAclRequests", 0, 2_000_000_000),
        ("MemorySize", 128, 10_240),
        ("SmsMonthlyQuotaUsd", 1, 10_000_000),
    ] {
        let parameter = &parameters()[name];
        let bounds = [&parameter["MinValue"], &parameter["MaxValue"]];
        assert_eq!(bounds, [&json!(least), &json!(most)], "{name}");
    }
    let days = [
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653,
    ];
    for (name, values) in [
        ("SigningKeys", json!(["A", "A,B", "B,A", "B"])),
        ("DigestKeys", json!(["A", "A,B", "B,A", "B"])),
        ("Architecture", json!(["arm64", "x86_64"])),
        ("GatewayLogRole", json!(["create", "existing"])),
        ("SmsStatusLogs", json!(["off", "on"])),
        ("LogRetentionDays", json!(days)),
    ] {
        assert_eq!(parameters()[name]["AllowedValues"], values, "{name}");
    }
}

#[test]
fn an_operator_must_give_only_the_brand_and_the_audience() {
    let all = parameters().iter();
    let required = all.filter(|(_, parameter)| parameter.get("Default").is_none());
    let required: Vec<_> = required.map(|(name, _)| name.as_str()).collect();
    assert_eq!(required, ["Brand", "TokenAudience"]);
}

/// The parameter of a setting.
fn of(setting: &str) -> Option<&'static Value> {
    let name = setting.replace('_', "");
    let mut all = parameters().iter();
    all.find_map(|(other, parameter)| other.eq_ignore_ascii_case(&name).then_some(parameter))
}

#[test]
fn a_setting_of_a_few_words_is_a_choice_of_those_words() {
    for row in rows(SETTINGS) {
        let Some(parameter) = table::ALL
            .iter()
            .find(|s| s.name == row[1])
            .and_then(|s| of(s.name))
        else {
            continue;
        };
        let words: Vec<_> = items(&parameter["AllowedValues"])
            .into_iter()
            .map(text)
            .collect();
        let said: Vec<_> = row[3].split(", ").collect();
        if said.contains(&row[2]) || !words.is_empty() {
            assert_eq!(words, said, "{}", row[1]);
        }
    }
}

#[test]
fn a_parameter_is_a_number_if_its_default_is_one() {
    for (name, parameter) in parameters() {
        let is_number = parameter.get("Default").is_some_and(Value::is_number);
        let of_type = if is_number { "Number" } else { "String" };
        assert_eq!(parameter["Type"], of_type, "{name}");
    }
}

#[test]
fn only_a_brand_must_be_short() {
    for (name, parameter) in parameters() {
        let most = parameter.get("MaxLength").and_then(Value::as_u64);
        assert!(
            name == "Brand" || most.is_none_or(|most| most >= 254),
            "{name}"
        );
    }
}

#[test]
fn a_required_text_is_not_empty_and_a_secret_is_not_shown() {
    for setting in table::ALL {
        let Some(parameter) = of(setting.name) else {
            continue;
        };
        let least = parameter.get("MinLength").and_then(Value::as_u64);
        match setting.kind {
            Kind::Required if setting.name != "TOKEN_ISSUER" => {
                assert_eq!(least, Some(1), "{}", setting.name);
            }
            Kind::Optional { default, .. } => {
                let default = u64::try_from(default.len()).unwrap();
                assert!(
                    least.is_none_or(|least| least <= default),
                    "{}",
                    setting.name
                );
            }
            _ => {}
        }
        let is_secret = setting.name == "TEST_IDENTITIES";
        assert_eq!(parameter["NoEcho"] == true, is_secret, "{}", setting.name);
    }
}

#[test]
fn the_cookie_needs_the_origins_of_its_pages() {
    for (cookie, origins, allowed) in [
        ("off", "", true),
        ("on", "", false),
        ("on", "https://www.example.com", true),
        ("off", "https://www.example.com", true),
    ] {
        let email = ("EmailFrom", "login@example.com");
        let stack = Stack::with(&[
            email,
            ("RefreshCookie", cookie),
            ("AllowedOrigins", origins),
        ]);
        assert_eq!(stack.is_allowed(), allowed, "{cookie} {origins}");
    }
}

#[test]
fn a_stack_that_can_send_nothing_is_refused() {
    let (email, sms) = (("EmailFrom", "login@example.com"), ("SmsPrefixes", "US"));
    for (chosen, allowed) in [
        (&[][..], false),
        (&[email], true),
        (&[sms], true),
        (&[email, sms], true),
    ] {
        assert_eq!(Stack::with(chosen).is_allowed(), allowed, "{chosen:?}");
    }
}
