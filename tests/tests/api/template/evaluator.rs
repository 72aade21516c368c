//! What a pipe does, as far as ours uses it: the filter of its source and the template of its
//! target.

use std::net::SocketAddr;

use axum::http::Method;
use serde_json::{Value, json};
use tests::Client;

use super::{Stack, at};

/// The pipe of the template.
pub struct Pipe {
    pattern: Value,
    target: Value,
}

impl Pipe {
    /// The pipe of a stack with events.
    pub fn of_template() -> Self {
        let stack = Stack::with(&[("EventBusName", "default")]);
        let mut pipes = stack.resources("AWS::Pipes::Pipe");
        let (_, pipe) = pipes.remove(0);
        let filters = &pipe["SourceParameters"]["FilterCriteria"]["Filters"];
        assert_eq!((pipes.len(), filters.as_array().unwrap().len()), (0, 1));
        let pattern = at(&filters[0], &["Pattern"]).as_str().unwrap();
        Self {
            pattern: serde_json::from_str(pattern).expect("JSON"),
            target: pipe["TargetParameters"].clone(),
        }
    }

    /// What reaches the bus of a record of the stream; `None` if the filter keeps it back.
    pub fn event(&self, record: &Value) -> Option<Value> {
        let bus = &self.target["EventBridgeEventBusParameters"];
        matches(&self.pattern, record).then(|| {
            let detail = filled(self.target["InputTemplate"].as_str().unwrap(), record);
            json!({
                "source": bus["Source"],
                "detail-type": bus["DetailType"],
                "resources": bus["Resources"],
                "detail": serde_json::from_str::<Value>(&detail).expect("JSON"),
            })
        })
    }
}

/// Whether a pattern of `EventBridge` matches: a list is a choice of texts and prefixes, an
/// object names members.
fn matches(pattern: &Value, value: &Value) -> bool {
    match pattern {
        Value::Object(members) => members
            .iter()
            .all(|(name, pattern)| value.get(name).is_some_and(|value| matches(pattern, value))),
        Value::Array(choices) => choices.iter().any(|choice| match choice {
            Value::String(_) => choice == value,
            other => {
                let prefix = other["prefix"].as_str().expect("a prefix");
                assert_eq!(other.as_object().unwrap().len(), 1, "{other}");
                value.as_str().is_some_and(|text| text.starts_with(prefix))
            }
        }),
        other => panic!("{other} is no pattern"),
    }
}

/// Fills in each `<$.path>`. The place of what is not there stays empty.
fn filled(template: &str, record: &Value) -> String {
    let mut parts = template.split("<$.");
    let mut filled = parts.next().unwrap().to_owned();
    for part in parts {
        let (path, rest) = part.split_once('>').expect("the end of a path");
        let value = path
            .split('.')
            .try_fold(record, |value, name| value.get(name));
        let text = value.map_or("", |value| value.as_str().expect("a text"));
        let quoted = json!(text).to_string();
        filled.push_str(&quoted[1..quoted.len() - 1]);
        filled.push_str(rest);
    }
    filled
}

/// All records of the stream of a table of the local stack.
pub async fn records(aws: SocketAddr, table: &str) -> Vec<Value> {
    let client = Client::of(aws);
    let call = async |operation: &str, body: Value| {
        let target = format!("DynamoDBStreams_20120810.{operation}");
        let headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", target.as_str()),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=0",
            ),
            ("x-amz-date", "20260101T000000Z"),
        ];
        let answer = client
            .request(Method::POST, "/", &headers, body.to_string())
            .await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.json);
        answer.json
    };
    let streams = call("ListStreams", json!({ "TableName": table })).await;
    let arn = &streams["Streams"][0]["StreamArn"];
    let stream = call("DescribeStream", json!({ "StreamArn": arn })).await;
    let shard = &stream["StreamDescription"]["Shards"][0]["ShardId"];
    let start = json!({
        "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON",
    });
    let start = call("GetShardIterator", start).await;
    let read = json!({ "ShardIterator": start["ShardIterator"] });
    let records = call("GetRecords", read).await;
    records["Records"].as_array().unwrap().clone()
}
