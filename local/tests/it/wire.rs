//! The AWS endpoints, asked by the SDK as any program would.

use aws_sdk_dynamodb::{
    Client as DynamoDb,
    types::{KeyType, TimeToLiveStatus},
};
use local::stack::sdk_config;

use crate::harness::{ALICE, PHONE, TestApp};

#[tokio::test]
async fn the_table_is_the_templates_table() {
    let app = TestApp::start().await;
    let client = DynamoDb::new(&sdk_config(app.stack.aws));
    let name = &app.stack.config.table_name;

    let described = client
        .describe_table()
        .table_name(name)
        .send()
        .await
        .unwrap();
    let table = described.table.unwrap();
    let keys: Vec<_> = table
        .key_schema()
        .iter()
        .map(|key| (key.attribute_name(), key.key_type().clone()))
        .collect();
    assert_eq!(keys, [("pk", KeyType::Hash), ("sk", KeyType::Range)]);
    let ttl = client
        .describe_time_to_live()
        .table_name(name)
        .send()
        .await
        .unwrap();
    let ttl = ttl.time_to_live_description.unwrap();
    assert_eq!(ttl.attribute_name(), Some("expires_at_seconds"));
    assert_eq!(ttl.time_to_live_status(), Some(&TimeToLiveStatus::Enabled));

    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    if let Ok(template) = std::fs::read_to_string(template) {
        for attribute in [
            "AttributeName: pk",
            "AttributeName: sk",
            "AttributeName: expires_at_seconds",
        ] {
            assert!(
                template.contains(attribute),
                "template.yaml lacks {attribute}"
            );
        }
    }
}

#[tokio::test]
async fn everything_that_is_not_a_user_is_left_to_be_swept() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    app.receive_code(PHONE).await;

    let items = app.items().await;
    // A challenge, its cooldown, its hour and its day, twice; the user and their
    // login; the client's logins and validations; three limits of text messages.
    assert_eq!(items.len(), 2 * 4 + 2 + 2 + 3);
    for item in items {
        let is_user = item["sk"].as_s().unwrap() == "user";
        assert_eq!(item.contains_key("expires_at_seconds"), !is_user);
    }
}

#[tokio::test]
async fn the_table_holds_no_code() {
    let app = TestApp::start().await;
    let mut codes = Vec::new();
    for n in 0..20 {
        codes.push(app.receive_code(&format!("reader{n}@example.com")).await.1);
    }
    for item in app.items().await {
        for (name, value) in item {
            // Times and random ids hold six digits in a row now and then.
            if [
                "issued_at",
                "expires_at",
                "expires_at_seconds",
                "sent_at",
                "sk",
                "challenge_id",
            ]
            .contains(&name.as_str())
            {
                continue;
            }
            let shown = format!("{value:?}");
            assert!(
                codes.iter().all(|code| !shown.contains(code)),
                "a code in {name}"
            );
        }
    }
}
