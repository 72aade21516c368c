//! What all alarms have in common, and what the page says of each. The drill evaluates them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Stack, at, items, load, nested, number, text};

const PAGE: &str = include_str!("../../../../docs/operations.md");
const KIND: &str = "AWS::CloudWatch::Alarm";

#[test]
fn every_alarm_tells_the_topic_when_it_goes_off_and_when_it_ends() {
    let stack = Stack::full();
    let topic = stack.resources("AWS::SNS::Topic").remove(0);
    let subscription = json!([{ "Protocol": "email", "Endpoint": "operator@example.com" }]);
    assert_eq!(topic.1["Subscription"], subscription);
    for (name, alarm) in stack.resources(KIND) {
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions], json!([topic.0]), "{name}: {actions}");
        }
        assert!(
            alarm.get("ActionsEnabled").is_none_or(|is| *is == true),
            "{name}"
        );
        assert!(alarm.get("InsufficientDataActions").is_none(), "{name}");
    }
}

/// What the alarms' template takes is named as here, and is of the same type.
#[test]
fn a_parameter_of_the_alarms_is_a_number_if_the_operators_is() {
    for (name, parameter) in at(nested("Alarms"), &["Parameters"]).as_object().unwrap() {
        let operators = load()["Parameters"].get(name);
        let of_type = operators.map_or("String", |is| is["Type"].as_str().unwrap());
        assert_eq!(parameter["Type"], of_type, "{name}");
    }
}

#[test]
fn without_an_address_there_is_no_topic_and_every_alarm_is_left() {
    let stack = Stack::with(&[("EmailFrom", "login@example.com"), ("SmsPrefixes", "US")]);
    assert_eq!(stack.resources("AWS::SNS::Topic"), []);
    let alarms = stack.resources(KIND);
    assert_eq!(alarms.len(), Stack::full().resources(KIND).len());
    assert!(
        alarms
            .iter()
            .all(|(_, alarm)| alarm.get("AlarmActions").is_none())
    );
}

#[test]
fn only_a_channel_that_is_on_has_alarms_of_its_own() {
    let names = |parameters: &[(&str, &str)]| -> BTreeSet<String> {
        let alarms = Stack::with(parameters).resources(KIND);
        alarms.into_iter().map(|(name, _)| name).collect()
    };
    let neither = names(&[]);
    for (parameter, value, own) in [
        (
            "EmailFrom",
            "login@example.com",
            ["EmailBounces", "EmailComplaints"],
        ),
        ("SmsPrefixes", "US", ["SmsSpend", "SmsUndelivered"]),
    ] {
        let more: BTreeSet<_> = names(&[(parameter, value)])
            .difference(&neither)
            .cloned()
            .collect();
        assert_eq!(more, own.map(str::to_owned).into(), "{parameter}");
    }
}

/// When an alarm goes off, in the words of the page: `>= 5 in 4 of 24 × 5 min`.
fn condition(alarm: &Value) -> String {
    let comparison = match text(at(alarm, &["ComparisonOperator"])).as_str() {
        "GreaterThanOrEqualToThreshold" => "≥",
        "LessThanThreshold" => "<",
        other => panic!("the page has no sign for {other}"),
    };
    let metrics = items(&alarm["Metrics"]);
    let stats = metrics
        .iter()
        .flat_map(|query| [*query, &query["MetricStat"]]);
    let mut periods = stats
        .chain([alarm])
        .filter_map(|of| number::<u32>(of, "Period"));
    let all: u32 = number(alarm, "EvaluationPeriods").expect("periods");
    let bad = number(alarm, "DatapointsToAlarm").unwrap_or(all);
    format!(
        "{comparison} {} in {bad} of {all} × {} min",
        text(at(alarm, &["Threshold"])),
        periods.next().expect("a period") / 60
    )
}

#[test]
fn the_page_says_of_every_alarm_when_it_goes_off() {
    let mut alarms = Stack::full().resources(KIND);
    let table = PAGE
        .lines()
        .skip_while(|line| !line.starts_with("| `ServerErrors`"));
    for row in table.map_while(|line| line.strip_prefix("| `")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let nth = alarms
            .iter()
            .position(|(name, _)| cells[0] == format!("{name}`"));
        let (name, alarm) =
            alarms.remove(nth.unwrap_or_else(|| panic!("no alarm is {}", cells[0])));
        assert_eq!(cells[1], condition(&alarm), "{name}");
        for query in items(&alarm["Metrics"]) {
            let expression = query["Expression"].as_str().unwrap_or_default();
            if let Some((_, from)) = expression.split_once(">= ") {
                let least = from.split(',').next().unwrap();
                assert!(
                    cells[2].contains(&format!("at least {least} ")),
                    "{name}: {least}"
                );
            }
        }
    }
    assert_eq!(alarms, [], "the page has no row of these");
}

#[test]
fn an_alarm_of_the_gateway_watches_this_api_and_its_stage() {
    let stack = Stack::full();
    let api = json!([
        { "Name": "ApiName", "Value": stack.part(&["Resources", "Api", "Properties", "Name"]) },
        { "Name": "Stage", "Value": "v1" },
    ]);
    for (name, alarm) in stack.resources(KIND) {
        let metrics = items(&alarm["Metrics"]);
        let metrics = metrics
            .iter()
            .filter_map(|query| query["MetricStat"].get("Metric"));
        for metric in metrics.chain([&alarm]) {
            let expected = match metric["Namespace"].as_str() {
                Some("AWS/ApiGateway") => api.clone(),
                Some("AWS/Lambda") => {
                    let function = &metric["Dimensions"][0]["Value"];
                    json!([{ "Name": "FunctionName", "Value": function }])
                }
                Some("AWS/SQS") => {
                    json!([{ "Name": "QueueName", "Value": "LostReports.QueueName" }])
                }
                _ => Value::Null,
            };
            assert_eq!(metric["Dimensions"], expected, "{name}");
        }
    }
}

/// The metrics of an alarm, each with its statistic, under the names that its expression uses.
fn inputs(alarm: &Value) -> Vec<(String, String, Value)> {
    let queries = items(&alarm["Metrics"]).into_iter();
    let own = alarm.get("MetricName").map(|_| {
        (
            String::new(),
            text(at(alarm, &["Statistic"])),
            alarm.clone(),
        )
    });
    let inputs = queries.filter_map(|query| {
        let stat = query.get("MetricStat")?;
        Some((
            text(at(query, &["Id"])),
            text(at(stat, &["Stat"])),
            at(stat, &["Metric"]).clone(),
        ))
    });
    inputs.chain(own).collect()
}

/// Where each metric of the stack's own comes from.
const COUNTED: &[(&str, &[&str])] = &[
    ("CodesRedeemed", &["ValidateLog"]),
    ("CodesSent", &["LoginLog"]),
    ("DeliveryFailures", &["LoginLog"]),
    ("GatewayThrottles", &["ApiLog"]),
    ("MessagesCapped", &["LoginLog"]),
    ("ClientsRefused", &["LoginLog", "ValidateLog"]),
    ("ReusedRefreshTokens", &["ValidateLog"]),
    ("TestIdentitiesEnded", &["LoginLog"]),
    ("Unavailable", &["LoginLog", "ValidateLog"]),
];

#[test]
fn every_metric_of_an_alarm_exists_and_is_read_by_its_statistic() {
    let stack = Stack::full();
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for (name, alarm) in stack.resources(KIND) {
        for (_, statistic, metric) in inputs(&alarm) {
            let (space, metric) = (
                text(at(&metric, &["Namespace"])),
                text(at(&metric, &["MetricName"])),
            );
            let expected = match (space.as_str(), metric.as_str()) {
                ("AWS/ApiGateway", "Count" | "5XXError")
                | ("AWS/Lambda", "Invocations" | "Throttles") => "Sum",
                ("AWS/SNS", "SMSMonthToDateSpentUSD")
                | ("AWS/SQS", "ApproximateNumberOfMessagesVisible") => "Maximum",
                ("AWS/SES", "Reputation.BounceRate" | "Reputation.ComplaintRate") => "Average",
                ("AWS::StackName", own) => {
                    let counted = COUNTED.iter().find(|(counted, _)| *counted == own);
                    used.extend(counted.map(|(name, _)| *name));
                    if counted.is_some() { "Sum" } else { "" }
                }
                _ => "",
            };
            assert_eq!(statistic, expected, "{name}: {space} {metric}");
        }
    }
    assert_eq!(used.len(), COUNTED.len());
}

#[test]
fn every_metric_of_the_stack_is_counted_in_the_logs_that_have_its_lines() {
    let filters = Stack::full().resources("AWS::Logs::MetricFilter");
    let mut found = BTreeSet::new();
    for (_, filter) in filters {
        let transformation = json!({
            "MetricNamespace": "AWS::StackName",
            "MetricName": filter["MetricTransformations"][0]["MetricName"],
            "MetricValue": "1",
            "DefaultValue": 0,
        });
        assert_eq!(filter["MetricTransformations"], json!([transformation]));
        found.insert((
            text(&transformation["MetricName"]),
            text(&filter["LogGroupName"]),
        ));
    }
    let expected = COUNTED.iter().flat_map(|(name, logs)| {
        logs.iter()
            .map(|log| ((*name).to_owned(), (*log).to_owned()))
    });
    assert_eq!(found, expected.collect());
}

/// The drill evaluates the expressions; here is what it would not miss.
#[test]
fn every_expression_is_of_its_own_metrics_and_a_share_is_in_percent() {
    for (name, alarm) in Stack::full().resources(KIND) {
        let queries = items(&alarm["Metrics"]);
        let expressions: Vec<_> = queries
            .iter()
            .filter_map(|query| query["Expression"].as_str())
            .collect();
        let [expression] = expressions[..] else {
            assert!(queries.is_empty(), "{name}");
            continue;
        };
        let shares = expression.matches('/').count() - usize::from(expression.contains("AWS/"));
        assert_eq!(expression.matches("100 * ").count(), shares, "{name}");
        let words = expression.split(|c: char| !c.is_ascii_alphanumeric());
        let names = words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
        let names: BTreeSet<_> = names.map(str::to_owned).collect();
        let ids: BTreeSet<_> = inputs(&alarm).into_iter().map(|(id, ..)| id).collect();
        assert_eq!(names, ids, "{name}");
        assert!(
            queries.iter().all(|query| query["Id"].is_string()),
            "{name}"
        );
    }
}

#[test]
fn an_alarm_of_a_function_watches_the_one_that_it_is_about() {
    for (name, alarm) in Stack::full().resources(KIND) {
        for (_, _, metric) in inputs(&alarm) {
            if metric["Namespace"] == "AWS/Lambda" {
                let is_logins = name == "LoginThrottles" || name == "DeliveryFailures";
                let function = if is_logins { "Login" } else { "Validate" };
                assert_eq!(metric["Dimensions"][0]["Value"], function, "{name}");
            }
        }
    }
}

/// Those of AWS's own metrics that the dashboard shows.
const OF_AWS: &[&str] = &[
    "AWS/ApiGateway 4XXError",
    "AWS/ApiGateway 5XXError",
    "AWS/ApiGateway Count",
    "AWS/ApiGateway Latency",
    "AWS/SES Reputation.BounceRate",
    "AWS/SES Reputation.ComplaintRate",
    "AWS/SNS SMSMonthToDateSpentUSD",
];

#[test]
fn every_metric_log_and_word_of_the_dashboard_exists() {
    let (_, dashboard) = Stack::full()
        .resources("AWS::CloudWatch::Dashboard")
        .remove(0);
    assert_eq!(dashboard["DashboardName"], "AWS::StackName");
    let body: Value = text(&dashboard["DashboardBody"]).parse().unwrap();
    let mut shown = BTreeSet::new();
    for widget in items(&body["widgets"]) {
        let properties = &widget["properties"];
        assert_eq!(properties["region"], "eu-west-1", "{properties}");
        if widget["type"] == "log" {
            // Whatever stands in quotes is a log, or a word that the page on the log explains.
            let query = properties["query"].as_str().unwrap();
            assert!(query.starts_with("SOURCE '"), "{query}");
            for word in query.split('\'').skip(1).step_by(2) {
                let is_known = ["LoginLog", "ValidateLog", "INFO"].contains(&word)
                    || PAGE.contains(&format!("`{word}`"));
                assert!(is_known, "{word}");
            }
            continue;
        }
        // A dot repeats the word above, three dots the whole row.
        let mut above: Vec<&str> = Vec::new();
        for metric in items(&properties["metrics"]) {
            let row: Vec<_> = items(metric)
                .into_iter()
                .filter_map(Value::as_str)
                .collect();
            if row.first() != Some(&"...") {
                let words = row.iter().enumerate();
                above = words
                    .map(|(nth, word)| if *word == "." { above[nth] } else { word })
                    .collect();
            }
            if let [space, name, ..] = above[..] {
                shown.insert(format!("{space} {name}"));
            }
        }
    }
    let own = [
        "CodesRedeemed",
        "CodesSent",
        "DeliveryFailures",
        "GatewayThrottles",
    ];
    let own = own.into_iter().chain(["MessagesCapped", "Unavailable"]);
    let expected = own.map(|name| {
        assert!(
            COUNTED.iter().any(|(counted, _)| *counted == name),
            "{name}"
        );
        format!("AWS::StackName {name}")
    });
    let expected: BTreeSet<_> = OF_AWS
        .iter()
        .map(|name| (*name).to_owned())
        .chain(expected)
        .collect();
    assert_eq!(shown, expected);
}
