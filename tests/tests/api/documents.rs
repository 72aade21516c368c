//! Holds the documents and the template to the code: settings, routes, gateway
//! answers, metric filters; and the pages to each other.

mod links;
mod patterns;

use std::collections::{BTreeMap, BTreeSet};

use otp_domain::{Delivery, LimitKind, Refusal};
use otp_edge::{
    failure::Failure, problem::Problem, rejection::Rejection, settings::TEST_IDENTITIES_ENDED,
};
use otp_service::{
    fault::{Dependency, Fault},
    session::REUSED,
};
use otp_settings::table::{self, Kind, Setting};
use serde_json::Value;

use crate::template::{Stack, at, load, text};

const SETTINGS: &str = include_str!("../../../docs/settings.md");

fn keys(node: &Value) -> BTreeSet<&str> {
    let mapping = node.as_object().expect("a mapping");
    mapping.keys().map(String::as_str).collect()
}

/// What the table of settings says of one: its default and its range.
struct Row {
    default: String,
    range: String,
}

fn documented() -> BTreeMap<String, Row> {
    let mut rows = SETTINGS
        .lines()
        .skip_while(|line| *line != "| name | default | range | meaning |")
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let name = cells[1].trim_matches('`').to_owned();
            let (default, range) = (cells[2].to_owned(), cells[3].to_owned());
            (name, Row { default, range })
        });
    let rows: BTreeMap<_, _> = rows.by_ref().collect();
    assert!(
        !rows.is_empty(),
        "docs/settings.md has no table of settings"
    );
    rows
}

#[test]
fn the_settings_page_has_every_setting_with_its_default_and_range() {
    let mut rows = documented();
    for setting in table::ALL {
        let Setting { name, kind, .. } = setting;
        let row = rows.remove(*name);
        let row = row.unwrap_or_else(|| panic!("docs/settings.md does not list {name}"));
        let default = match kind {
            Kind::Number { default, .. } => default.to_string(),
            Kind::Required => "required".to_owned(),
            Kind::Optional { default: "", .. } => "-".to_owned(),
            Kind::Optional { default, .. } => (*default).to_owned(),
        };
        assert_eq!(row.default, default, "default of {name}");
        if let Kind::Number { min, max, unit, .. } = kind {
            let range = format!("{min} to {max} {unit}");
            assert_eq!(row.range, range.trim_end(), "range of {name}");
        }
    }
    let unknown: Vec<_> = rows.keys().collect();
    assert!(unknown.is_empty(), "not settings: {unknown:?}");
}

#[test]
fn the_template_passes_every_setting_and_repeats_its_default_and_range() {
    let template = load();
    let variables = at(
        template,
        &["Globals", "Function", "Environment", "Variables"],
    );
    let parameters = at(template, &["Parameters"]);
    for setting in table::ALL {
        let variable = at(variables, &[setting.name]);
        let Some(name) = variable.get("Ref").map(text) else {
            continue;
        };
        let Some(parameter) = parameters.get(&name) else {
            continue; // A resource.
        };
        let own = |key: &str| parameter.get(key).map(text);
        let expected = match setting.kind {
            Kind::Number {
                min, max, default, ..
            } => [
                Some(default.to_string()),
                Some(min.to_string()),
                Some(max.to_string()),
            ],
            Kind::Required => [None, None, None],
            Kind::Optional { default, .. } => [Some(default.to_owned()), None, None],
        };
        let found = ["Default", "MinValue", "MaxValue"].map(own);
        assert_eq!(
            found, expected,
            "{name}: default, smallest and largest value"
        );
    }
    let known: BTreeSet<_> = table::ALL.iter().map(|setting| setting.name).collect();
    let sdk = "AWS_ENDPOINT_URL";
    let unknown: Vec<_> = keys(variables)
        .into_iter()
        .filter(|name| !known.contains(name) && *name != sdk)
        .collect();
    assert!(
        unknown.is_empty(),
        "variables that are not settings: {unknown:?}"
    );
}

/// The problem of each failure that the gateway answers by itself.
fn problem_of(gateway_response: &str) -> Option<Failure> {
    Some(match gateway_response {
        "MISSING_AUTHENTICATION_TOKEN" | "RESOURCE_NOT_FOUND" => Rejection::NotFound.into(),
        "REQUEST_TOO_LARGE" | "DEFAULT_4XX" => Rejection::InvalidRequest("".into()).into(),
        "UNSUPPORTED_MEDIA_TYPE" => Rejection::UnsupportedMediaType.into(),
        "THROTTLED" => Refusal::TooManyRequests {
            limit: "",
            kind: LimitKind::Deployment,
            wait: std::time::Duration::from_secs(1),
        }
        .into(),
        "DEFAULT_5XX" | "INTEGRATION_FAILURE" | "INTEGRATION_TIMEOUT" => {
            otp_service::Error::from(Fault::new(Dependency::Table, "", "")).into()
        }
        _ => return None,
    })
}

#[test]
fn the_gateways_own_answers_are_the_functions_problems() {
    let template = load();
    let responses = at(
        template,
        &["Resources", "Api", "Properties", "GatewayResponses"],
    );
    for name in keys(responses) {
        let response = at(responses, &[name]);
        let body = text(at(response, &["ResponseTemplates", "application/json"]));
        let body: Value = serde_json::from_str(&body).expect(name);
        assert_eq!(
            body["status"].to_string(),
            text(at(response, &["StatusCode"])),
            "{name}"
        );
        assert_eq!(body["detail"], body["error"], "{name}");
        let headers = at(response, &["ResponseParameters", "Headers"]);
        for (header, value) in [
            (
                "Access-Control-Allow-Origin",
                "method.request.header.Origin",
            ),
            ("Access-Control-Expose-Headers", "'retry-after'"),
            ("Vary", "'origin'"),
        ] {
            assert_eq!(text(at(headers, &[header])), value, "{name}");
        }
        let retry_after = headers.get("Retry-After").map(text);
        let expected = body
            .get("retry_after")
            .map(|seconds| format!("'{seconds}'"));
        assert_eq!(retry_after, expected, "{name}");
        let Some(failure) = problem_of(name) else {
            assert_eq!(body["type"], "about:blank", "{name}");
            continue;
        };
        let ours = Problem::of(&failure).response();
        let ours: Value = serde_json::from_slice(ours.body()).expect("JSON");
        let members = ["type", "title", "status", "limit", "retry_after"];
        for member in members {
            assert_eq!(body[member], ours[member], "{name}: {member}");
        }
        // The gateway has its own sentence where it knows better.
        if ours["detail"] != "" {
            assert_eq!(body["detail"], ours["detail"], "{name}: detail");
        }
    }
}

#[test]
fn each_metric_filter_looks_for_a_value_that_the_log_can_have() {
    let outcomes: BTreeSet<_> = [
        Problem::DELIVERY_FAILED,
        Problem::UNAVAILABLE,
        Delivery::Unconfirmed.as_str(),
        "sent",
        "logged-in",
        "signed-up",
    ]
    .into();
    let stack = Stack::full();
    let mut sought = BTreeSet::new();
    for (name, filter) in stack.resources("AWS::Logs::MetricFilter") {
        let pattern = text(at(&filter, &["FilterPattern"]));
        let inner = pattern.trim_matches(|c| "{} ".contains(c));
        for comparison in inner.split(" || ") {
            let (field, value) = comparison.split_once(" = ").expect("a comparison");
            let value = value.trim_matches('"');
            sought.insert((field.to_owned(), value.to_owned()));
            match (field, value) {
                ("$.outcome", outcome) => assert!(outcomes.contains(outcome), "{name}: {outcome}"),
                ("$.reason", reason) if reason == REUSED => {}
                ("$.reason", reason) if reason == TEST_IDENTITIES_ENDED => {}
                ("$.reason", "sms-*" | "email*" | "logins-hour" | "validations-hour") => {}
                // Of the gateway's log, which names the kind of each answer of its own.
                ("$.error", "THROTTLED") => {
                    let path = [
                        "Resources",
                        "Api",
                        "Properties",
                        "AccessLogSetting",
                        "Format",
                    ];
                    let member = "\"error\":\"$context.error.responseType\"";
                    assert!(text(&stack.part(&path)).contains(member), "{name}");
                }
                other => panic!("{name} looks for {other:?}"),
            }
        }
    }
    let outcomes = outcomes.iter().map(|outcome| ("$.outcome", *outcome));
    let reasons = [
        REUSED,
        TEST_IDENTITIES_ENDED,
        "sms-*",
        "email*",
        "logins-hour",
        "validations-hour",
    ];
    let reasons = reasons.iter().map(|reason| ("$.reason", *reason));
    let all = outcomes.chain(reasons).chain([("$.error", "THROTTLED")]);
    let all = all.map(|(field, value)| (field.to_owned(), value.to_owned()));
    assert_eq!(sought, all.collect());
}
