//! How the reports of providers reach the login function.

use serde_json::{Value, json};

use super::Stack;

fn one(stack: &Stack, kind: &str) -> Value {
    let mut found = stack.resources(kind);
    assert_eq!(found.len(), 1, "{kind}");
    found.remove(0).1
}

const RULE: &str = "AWS::Events::Rule";

#[test]
fn the_events_of_ses_reach_the_login_function_or_the_queue() {
    let stack = Stack::full();
    let rule = one(&stack, RULE);
    let pattern = &rule["EventPattern"];
    assert_eq!(pattern["source"], json!(["aws.ses"]));
    let tags = &pattern["detail"]["mail"]["tags"];
    assert_eq!(tags["ses:configuration-set"], json!(["events"]));
    let kinds = [
        "Email Delivered",
        "Email Bounced",
        "Email Complaint Received",
        "Email Rejected",
        "Email Rendering Failed",
        "Email Delivery Delayed",
    ];
    assert_eq!(pattern["detail-type"], json!(kinds));
    let target = &rule["Targets"][0];
    assert_eq!(
        (&target["Arn"], &rule["Targets"][1]),
        (&json!("Login.Arn"), &Value::Null)
    );
    assert_eq!(target["DeadLetterConfig"]["Arn"], "LostReports.Arn");
}

#[test]
fn only_the_rule_and_the_two_log_groups_may_bring_reports() {
    let mut permissions = Stack::full().resources("AWS::Lambda::Permission");
    permissions.retain(|(name, _)| name.contains("Reports"));
    assert_eq!(permissions.len(), 2);
    let group = "sns/eu-west-1/123456789012/DirectPublishToPhoneNumber";
    for (_, permission) in permissions {
        assert_eq!(permission["FunctionName"], "Login");
        assert_eq!(permission["Action"], "lambda:InvokeFunction");
        let source = permission["SourceArn"].as_str().unwrap();
        match permission["Principal"].as_str().unwrap() {
            "events.amazonaws.com" => assert_eq!(source, "EmailReports.Arn"),
            "logs.amazonaws.com" => {
                let groups = format!("arn:aws:logs:eu-west-1:123456789012:log-group:{group}*");
                assert_eq!(source, groups);
                assert_eq!(permission["SourceAccount"], "123456789012");
            }
            other => panic!("{other} may bring reports"),
        }
    }
    let filters = Stack::full().resources("AWS::Logs::SubscriptionFilter");
    let groups: Vec<_> = filters
        .iter()
        .map(|(_, filter)| {
            assert_eq!(filter["DestinationArn"], "Login.Arn");
            filter["LogGroupName"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(groups, [group.to_owned(), format!("{group}/Failure")]);
}

#[test]
fn a_report_that_fails_three_times_ends_in_the_queue_for_two_weeks() {
    let stack = Stack::full();
    let retries = one(&stack, "AWS::Lambda::EventInvokeConfig");
    assert_eq!(
        (&retries["FunctionName"], &retries["Qualifier"]),
        (&json!("Login"), &json!("$LATEST"))
    );
    assert_eq!(retries["MaximumRetryAttempts"], 2);
    let lost = &retries["DestinationConfig"]["OnFailure"]["Destination"];
    assert_eq!(lost, "LostReports.Arn");
    let queue = one(&stack, "AWS::SQS::Queue");
    assert_eq!(queue["MessageRetentionPeriod"], 14 * 24 * 60 * 60);
    let policy = one(&stack, "AWS::SQS::QueuePolicy");
    let statement = &policy["PolicyDocument"]["Statement"][0];
    assert_eq!(
        statement["Principal"],
        json!({ "Service": "events.amazonaws.com" })
    );
    assert_eq!(statement["Action"], "sqs:SendMessage");
    let account = json!({ "StringEquals": { "aws:SourceAccount": "123456789012" } });
    assert_eq!(statement["Condition"], account);
}

#[test]
fn without_a_set_and_without_status_logs_nothing_is_heard() {
    let stack = Stack::with(&[("SmsPrefixes", "US"), ("EmailFrom", "login@example.com")]);
    for kind in [RULE, "AWS::Logs::SubscriptionFilter"] {
        assert_eq!(stack.resources(kind), [], "{kind}");
    }
}

#[test]
fn what_is_heard_of_e_mails_and_of_text_messages_is_set_one_by_one() {
    let both = [("SmsPrefixes", "US"), ("EmailFrom", "login@example.com")];
    for (own, rules, filters) in [
        (("ConfigurationSet", "events"), 1, 0),
        (("SmsStatusLogs", "on"), 0, 2),
    ] {
        let stack = Stack::with(&[&both[..], &[own]].concat());
        let heard = |kind| stack.resources(kind).len();
        assert_eq!(heard(RULE), rules);
        assert_eq!(heard("AWS::Logs::SubscriptionFilter"), filters);
        let mut permissions = stack.resources("AWS::Lambda::Permission");
        permissions.retain(|(name, _)| name.contains("Reports"));
        assert_eq!(permissions.len(), 1);
    }
}
