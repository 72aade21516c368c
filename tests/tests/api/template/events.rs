//! How the events of users reach the bus.

use serde_json::{Value, json};

use super::{
    Stack,
    evaluator::Pipe,
    iam::{Request, allow, statements},
};

const STREAM: &str = "Table.StreamArn";
const BUS: &str = "arn:aws:events:eu-west-1:123456789012:event-bus/users";

fn stack() -> Stack {
    Stack::with(&[("EventBusName", "users")])
}

fn one(stack: &Stack, kind: &str, name: &str) -> Value {
    let mut found = stack.resources(kind);
    found.retain(|(known, _)| known == name);
    assert_eq!(found.len(), 1, "{kind}");
    found.remove(0).1
}

/// A record as the stream of the table has it.
fn record(name: &str, partition: &str, sort: &str, image: &Value) -> Value {
    json!({
        "eventID": "c4ca4238a0b923820dcc509a6f75849b", "eventName": name, "eventVersion": "1.1",
        "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_767_226_200,
            "Keys": { "pk": { "S": partition }, "sk": { "S": sort } },
            "NewImage": image,
            "SequenceNumber": "4421584500000000017450439091",
            "SizeBytes": 210, "StreamViewType": "NEW_IMAGE",
        },
    })
}

fn event(name: &str, sort: &str) -> Value {
    let image = json!({
        "pk": { "S": "user#a\\b" }, "sk": { "S": sort }, "owner": { "S": "a\\b" },
        "kind": { "S": "removed" }, "sequence": { "S": "1767226200000" },
        "session_id": { "S": "" }, "time": { "S": "2026-01-01T00:10:00Z" },
        "expires_at": { "N": "1767312600000" }, "expires_at_seconds": { "N": "1767312780" },
    });
    record(name, "user#a\\b", sort, &image)
}

#[test]
fn the_pipe_takes_inserts_of_events_alone_and_makes_them_what_the_page_says() {
    let pipe = Pipe::of_template();
    let sort = "event#1767226200000#removed#";
    let taken = pipe.event(&event("INSERT", sort)).expect("an event");
    let expected = json!({
        "source": "login-with-otp", "detail-type": "user", "resources": ["Table.Arn"],
        "detail": {
            "user_id": "a\\b", "kind": "removed", "sequence": "1767226200000",
            "time": "2026-01-01T00:10:00Z", "session_id": "",
        },
    });
    assert_eq!(taken, expected);

    let mut swept = event("REMOVE", sort);
    swept["userIdentity"] = json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" });
    swept["dynamodb"]
        .as_object_mut()
        .unwrap()
        .remove("NewImage");
    let nothing = json!({});
    for other in [
        event("MODIFY", sort),
        event("REMOVE", sort),
        swept,
        record("INSERT", "user#1", "user", &nothing),
        record("INSERT", "user#1", "session#abc", &nothing),
        record("INSERT", "email#alice@example.com", "user", &nothing),
        record(
            "INSERT",
            "email#event#@example.com",
            "challenge#abc",
            &nothing,
        ),
        record("INSERT", "client#203.0.113.7", "event#1", &nothing),
    ] {
        assert_eq!(pipe.event(&other), None, "{other}");
    }
}

#[test]
fn the_pipe_leads_from_the_tables_stream_to_the_bus_and_loses_nothing_in_silence() {
    let pipe = one(&stack(), "AWS::Pipes::Pipe", "UserEvents");
    assert_eq!(
        (&pipe["Source"], &pipe["Target"]),
        (&json!(STREAM), &json!(BUS))
    );
    assert_eq!(pipe["RoleArn"], "UserEventsRole.Arn");
    let source = &pipe["SourceParameters"]["DynamoDBStreamParameters"];
    let expected = json!({
        "StartingPosition": "TRIM_HORIZON", "OnPartialBatchItemFailure": "AUTOMATIC_BISECT",
        "MaximumRetryAttempts": 20, "DeadLetterConfig": { "Arn": "LostEvents.Arn" },
    });
    assert_eq!(*source, expected);
    let queue = one(&stack(), "AWS::SQS::Queue", "LostEvents");
    let two_weeks = 14 * 24 * 60 * 60;
    assert_eq!(queue["MessageRetentionPeriod"], two_weeks);
    assert_eq!(queue["SqsManagedSseEnabled"], true);
    let pipe = stack().all_resources().remove("UserEvents").unwrap();
    assert_eq!(pipe["DependsOn"], "UserEventsPolicy");
    let table = stack().part(&["Resources", "Table", "Properties"]);
    assert_eq!(
        table["StreamSpecification"],
        json!({ "StreamViewType": "NEW_IMAGE" })
    );
}

#[test]
fn the_role_of_the_pipe_reads_the_stream_and_writes_to_the_bus_and_its_queue() {
    let boundary = "arn:aws:iam::123456789012:policy/boundary";
    for (chosen, expected) in [("", Value::Null), (boundary, json!(boundary))] {
        let stack = Stack::with(&[("EventBusName", "users"), ("PermissionsBoundary", chosen)]);
        let role = one(&stack, "AWS::IAM::Role", "UserEventsRole");
        assert_eq!(role["PermissionsBoundary"], expected);
        let trust = json!([{
            "Effect": "Allow", "Principal": { "Service": "pipes.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "aws:SourceAccount": "123456789012" } },
        }]);
        let assumed = statements(&role["AssumeRolePolicyDocument"]);
        assert_eq!(json!(assumed), trust);
    }
    let policy = one(&stack(), "AWS::IAM::Policy", "UserEventsPolicy");
    assert_eq!(policy["Roles"], json!(["UserEventsRole"]));
    let granted = statements(&policy["PolicyDocument"]);
    let reads = [
        "DescribeStream",
        "GetRecords",
        "GetShardIterator",
        "ListStreams",
    ];
    let mut may: Vec<_> = reads
        .iter()
        .map(|action| (format!("dynamodb:{action}"), STREAM))
        .collect();
    may.push(("events:PutEvents".to_owned(), BUS));
    may.push(("sqs:SendMessage".to_owned(), "LostEvents.Arn"));
    let others = [
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "events:PutRule",
        "sqs:ReceiveMessage",
    ];
    let asked = may.iter().map(|(action, _)| action.as_str()).chain(others);
    for action in asked {
        for resource in [
            STREAM,
            BUS,
            "LostEvents.Arn",
            "Table.Arn",
            "LostReports.Arn",
        ] {
            let request = Request {
                account: "arn:aws:iam::123456789012:root",
                action,
                resource,
                context: Vec::new(),
            };
            let expected = may.contains(&(action.to_owned(), resource));
            assert_eq!(
                allow(&granted, &request),
                expected,
                "{action} on {resource}"
            );
        }
    }
}

#[test]
fn without_a_bus_there_is_no_stream_and_no_pipe() {
    let stack = Stack::with(&[]);
    let table = stack.part(&["Resources", "Table", "Properties"]);
    assert_eq!(table.get("StreamSpecification"), None);
    assert_eq!(stack.resources("AWS::Pipes::Pipe"), []);
}

#[test]
fn a_table_of_ones_own_needs_a_stream_for_events() {
    let arn =
        "arn:aws:dynamodb:eu-west-1:123456789012:table/restored/stream/2026-01-01T00:00:00.000";
    let base = [
        ("EmailFrom", "login@example.com"),
        ("ExistingTable", "restored"),
    ];
    let with = |more: &[(&'static str, &'static str)]| {
        let mut all = base.to_vec();
        all.extend(more);
        Stack::with(&all)
    };
    assert!(with(&[]).is_allowed());
    assert!(!with(&[("EventBusName", "users")]).is_allowed());
    let stack = with(&[("EventBusName", "users"), ("ExistingTableStreamArn", arn)]);
    assert!(stack.is_allowed());
    assert_eq!(one(&stack, "AWS::Pipes::Pipe", "UserEvents")["Source"], arn);
}
