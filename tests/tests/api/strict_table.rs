//! Calls that the emulated table takes, or refuses in silence, and that fail a test all the same.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, Client, TestApp, app::START};

const AUTHORIZATION: (&str, &str) = (
    "authorization",
    "AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, \
     SignedHeaders=host;x-amz-date, Signature=00",
);

/// The start of an hour, in seconds, in which the clock of the tests stands.
const HOUR: u64 = START / 3_600_000 * 3600;

async fn call(app: &TestApp, operation: &str, body: &Value) -> Answer {
    let target = format!("DynamoDB_20120810.{operation}");
    let headers = [
        ("x-amz-target", target.as_str()),
        ("x-amz-date", "20260101T000000Z"),
        AUTHORIZATION,
    ];
    let client = Client::of(app.faults.address);
    client.post("/", &headers, body.to_string()).await
}

/// The one rule that a call breaks; empty for none.
async fn broken_by(app: &TestApp, operation: &str, body: &Value) -> String {
    call(app, operation, body).await;
    let broken = app.faults.broken_rules();
    assert!(broken.len() <= 1, "{}", broken.join("\n"));
    broken.into_iter().next().unwrap_or_default()
}

fn key(partition: &str, sort: &str) -> Value {
    json!({ "pk": { "S": partition }, "sk": { "S": sort } })
}

/// A transaction of puts and updates under a token.
fn transaction(token: &str, actions: &[Value]) -> Value {
    json!({ "ClientRequestToken": token, "TransactItems": actions })
}

/// The put of an item with more attributes than its key.
fn put(partition: &str, sort: &str, more: Value) -> Value {
    let mut item = key(partition, sort);
    let more: serde_json::Map<String, Value> = serde_json::from_value(more).unwrap();
    item.as_object_mut().unwrap().extend(more);
    json!({ "Put": { "TableName": "login-with-otp", "Item": item } })
}

fn number(value: u64) -> Value {
    json!({ "N": value.to_string() })
}

/// The count of a request in this hour.
fn count(update: &str, ttl: &Value) -> Value {
    let mut values = json!({ ":one": { "N": "1" } });
    if update.contains(":ttl") {
        values[":ttl"] = ttl.clone();
    }
    json!({
        "TableName": "login-with-otp",
        "Key": key("client#203.0.113.7", &format!("logins-hour#{HOUR}")),
        "UpdateExpression": update,
        "ExpressionAttributeValues": values,
    })
}

#[tokio::test]
async fn a_read_that_may_be_stale_breaks_a_rule() {
    let app = TestApp::start().await;
    let keys = json!({ "Keys": [key("email#a@example.com", "user")] });
    let condition = "pk = :pk AND begins_with(sk, :sk)";
    let values = json!({ ":pk": { "S": "user#1" }, ":sk": { "S": "session#" } });
    let reads = [
        (
            "GetItem",
            json!({ "Key": key("email#a@example.com", "user") }),
        ),
        ("BatchGetItem", keys),
        (
            "Query",
            json!({
                "KeyConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }),
        ),
        ("Scan", json!({})),
    ];
    for (operation, read) in reads {
        for (consistent, breaks) in [(true, false), (false, true)] {
            let mut read = read.clone();
            read["ConsistentRead"] = json!(consistent);
            let body = if operation == "BatchGetItem" {
                json!({ "RequestItems": { "login-with-otp": read } })
            } else {
                read["TableName"] = json!("login-with-otp");
                read
            };
            let broken = broken_by(&app, operation, &body).await;
            assert_eq!(broken.contains("is not consistent"), breaks, "{broken}");
            assert!(breaks || broken.is_empty(), "{broken}");
        }
    }
}

#[tokio::test]
async fn a_ttl_is_a_number_of_seconds_a_minute_after_the_end() {
    let app = TestApp::start().await;
    let late_enough = HOUR + 3600 + 60;
    for (ttl, says) in [
        (number(late_enough), ""),
        (number(late_enough - 1), "before the end of logins-hour"),
        (number(late_enough * 1000), "not in seconds"),
        (
            json!({ "S": late_enough.to_string() }),
            "no TTL that is a number",
        ),
    ] {
        let body = count("SET expires_at_seconds = :ttl ADD admitted :one", &ttl);
        let broken = broken_by(&app, "UpdateItem", &body).await;
        assert!(
            broken.contains(says) && broken.is_empty() == says.is_empty(),
            "{broken}"
        );
    }
    let removed = count("REMOVE expires_at_seconds ADD admitted :one", &Value::Null);
    let broken = broken_by(&app, "UpdateItem", &removed).await;
    assert!(broken.contains("no TTL that is a number"), "{broken}");
}

#[tokio::test]
async fn a_ttl_is_after_each_end_that_an_item_has() {
    let app = TestApp::start().await;
    let at = START / 1000;
    let (end, ttl) = (number(START), number(at));
    let challenge = json!({ "M": { "expires_at": end } });
    let items = [
        put(
            "email#a",
            "request#1",
            json!({ "expires_at": end, "expires_at_seconds": ttl }),
        ),
        put(
            "user#1",
            "session#1",
            json!({ "expires_at": end, "expires_at_seconds": ttl }),
        ),
        put(
            "email#a",
            "sends#0",
            json!({ "challenge#1": challenge, "expires_at_seconds": ttl }),
        ),
        put(
            "email#b",
            "sends#0",
            json!({ "sends-day#1767225600": end, "expires_at_seconds": ttl }),
        ),
        put(
            "prefix#1",
            "sms-unproven",
            json!({ "sent_at": end, "expires_at_seconds": ttl }),
        ),
        put(
            "email#a",
            "user",
            json!({ "last_login_at": end, "expires_at_seconds": ttl }),
        ),
        put(
            "email#c",
            "destination",
            json!({ "blocked_until": end, "expires_at_seconds": ttl }),
        ),
    ];
    for (nth, item) in items.into_iter().enumerate() {
        let body = transaction(&format!("end-{nth}"), &[item]);
        let broken = broken_by(&app, "TransactWriteItems", &body).await;
        assert!(broken.contains("before the end of"), "item {nth}: {broken}");
    }
}

#[tokio::test]
async fn a_ttl_stands_in_items_that_tell_an_end_and_in_no_item_that_lasts() {
    let app = TestApp::start().await;
    let ttl = number(START / 1000);
    for (nth, item) in [
        put("email#d", "sends#0", json!({ "expires_at_seconds": ttl })),
        put(
            "email#e",
            "user",
            json!({ "user_id": { "S": "1" }, "expires_at_seconds": ttl }),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let says = [
            "nothing in an item with a TTL says",
            "an item that lasts has a TTL",
        ][nth];
        let body = transaction(&format!("other-{nth}"), &[item]);
        let broken = broken_by(&app, "TransactWriteItems", &body).await;
        assert!(broken.contains(says), "{broken}");
    }
}

#[tokio::test]
async fn a_transaction_has_a_short_token_of_its_own() {
    let app = TestApp::start().await;
    let action = || [put("user#1", "user", json!({}))];
    let mut without = transaction("", &action());
    without
        .as_object_mut()
        .unwrap()
        .remove("ClientRequestToken");
    let says = "no request token of its own";
    for body in [
        without,
        transaction("6fa459ea-ee8a-4ca4-894e-db77e160355e", &action()),
    ] {
        let broken = broken_by(&app, "TransactWriteItems", &body).await;
        assert!(broken.contains(says), "{broken}");
    }
    let long = transaction(&"t".repeat(37), &action());
    call(&app, "TransactWriteItems", &long).await;
    assert!(app.faults.broken_rules()[0].contains(says));
}

#[tokio::test]
async fn a_call_that_the_table_refuses_as_malformed_breaks_a_rule() {
    let app = TestApp::start().await;
    let item = |nth: usize| {
        put(
            "user#1",
            &format!("claims#{nth}"),
            json!({ "user_id": { "S": "1" } }),
        )
    };
    call(&app, "TransactWriteItems", &transaction("used", &[item(0)])).await;
    let keys = |keys: Vec<Value>| {
        let asked = json!({ "Keys": keys, "ConsistentRead": true });
        (
            "BatchGetItem",
            json!({ "RequestItems": { "login-with-otp": asked } }),
        )
    };
    let update = |update: &str, more: Value| {
        let mut body = count(update, &number(HOUR + 3660));
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap());
        ("UpdateItem", body)
    };
    let counted = "SET expires_at_seconds = :ttl ADD admitted :one";
    let all: Vec<Value> = (0..101).map(item).collect();
    let calls = [
        update(
            "SET expires_at_seconds = :ttl, ttl = :ttl ADD admitted :one",
            json!({}),
        ),
        update(counted, json!({ "ConditionExpression": "count < :one" })),
        update(
            counted,
            json!({ "ExpressionAttributeNames": { "#unused": "x" } }),
        ),
        update(
            "SET expires_at_seconds = :ttl ADD admitted :one, #undefined :one",
            json!({}),
        ),
        update(
            "SET expires_at_seconds = :ttl, admitted = :one ADD admitted :one",
            json!({}),
        ),
        (
            "TransactWriteItems",
            transaction("twice", &[item(1), item(1)]),
        ),
        ("TransactWriteItems", transaction("used", &[item(1)])),
        ("TransactWriteItems", transaction("many", &all)),
        keys(vec![key("email#a", "user"), key("email#a", "user")]),
        keys(
            (0..101)
                .map(|nth| key("email#a", &nth.to_string()))
                .collect(),
        ),
    ];
    for (nth, (operation, body)) in calls.into_iter().enumerate() {
        let broken = broken_by(&app, operation, &body).await;
        assert!(broken.contains("the table refuses"), "call {nth}: {broken}");
    }
}

#[tokio::test]
async fn an_item_stays_far_below_the_limit_of_its_size() {
    let app = TestApp::start().await;
    let large = json!({ "user": { "S": "c".repeat(70_000) } });
    let body = transaction("large", &[put("user#1", "user", large)]);
    let broken = broken_by(&app, "TransactWriteItems", &body).await;
    assert!(broken.contains("an item has 70"), "{broken}");
}

#[tokio::test]
async fn writes_at_the_item_of_a_transaction_meet_conflicts() {
    let app = TestApp::start().await;
    let item = || put("user#1", "user", json!({}));
    let other = || put("user#2", "user", json!({}));
    let delete = json!({ "TableName": "login-with-otp", "Key": key("user#1", "user"),
        "ConditionExpression": "pk <> :session",
        "ExpressionAttributeValues": { ":session": { "S": "session#" } } });
    let repeated = transaction("again", &[put("user#3", "user", json!({}))]);
    let mut writes = Vec::new();
    for nth in 0..20 {
        writes.push((
            "TransactWriteItems",
            transaction(&format!("t-{nth}"), &[other(), item()]),
        ));
        writes.push(("DeleteItem", delete.clone()));
        writes.push(("TransactWriteItems", repeated.clone()));
    }
    let answers = writes
        .iter()
        .map(|(operation, body)| call(&app, operation, body));
    let answers = join_all(answers).await;
    let says: Vec<String> = answers
        .iter()
        .map(|answer| answer.json.to_string())
        .collect();
    for error in [
        r#"[{"Code":"TransactionConflict"},{"Code":"TransactionConflict"}]"#,
        "TransactionConflictException",
        "TransactionInProgressException",
    ] {
        assert!(says.iter().any(|says| says.contains(error)), "no {error}");
    }
    let refused = answers.iter().filter(|answer| answer.status != 200).count();
    assert_eq!(app.faults.conflicts(), refused);
}

#[tokio::test]
async fn pages_are_small_and_batches_are_left_incomplete() {
    let app = TestApp::start().await;
    let puts: Vec<Value> = (0..3)
        .map(|nth| {
            put(
                "user#1",
                &format!("claims{nth}"),
                json!({ "user_id": { "S": "1" } }),
            )
        })
        .collect();
    call(&app, "TransactWriteItems", &transaction("three", &puts)).await;
    let scan = json!({ "TableName": "login-with-otp", "ConsistentRead": true });
    let page = call(&app, "Scan", &scan).await.json;
    assert_eq!(page["Items"].as_array().unwrap().len(), 2);
    assert!(page["LastEvaluatedKey"].is_object());
    let keys = [key("user#1", "claims0"), key("user#1", "claims1")];
    let asked = json!({ "login-with-otp": { "Keys": keys, "ConsistentRead": true } });
    let batch = json!({ "RequestItems": asked });
    let mut left = 0;
    for _ in 0..2 {
        let read = call(&app, "BatchGetItem", &batch).await.json;
        let unprocessed = &read["UnprocessedKeys"]["login-with-otp"]["Keys"];
        left += unprocessed.as_array().map_or(0, Vec::len);
    }
    assert_eq!(left, 1);
}
