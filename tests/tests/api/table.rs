//! The table: its keys, and what it holds.

use aws_sdk_dynamodb::{
    Client as DynamoDb,
    types::{AttributeValue, KeyType, TimeToLiveStatus},
};
use local::aws::clients;
use tests::{ALICE, PHONE, TestApp, other_than, table::sort_key};

#[tokio::test]
async fn the_local_table_is_that_of_the_template() {
    let app = TestApp::start().await;
    let client = DynamoDb::new(clients(app.stack.aws).sdk());
    let name = &app.settings.sessions.table_name;

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
}

#[tokio::test]
async fn every_item_but_a_user_expires() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.validate(ALICE, Some(&id), &other_than(&code)).await;
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    app.receive_code(PHONE).await;

    let items = app.items().await;
    // The challenge, the cooldown and the day's sends of two destinations. Then the user, its copy
    // and the session, the client's logins, its network's messages, the wrong guesses, and the
    // counters of e-mails and, two, of text messages.
    assert_eq!(items.len(), 2 * 3 + 3 + 1 + 1 + 1 + 1 + 2);
    for item in items {
        let is_user = sort_key(&item) == "user";
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
    let mut challenges = 0;
    for item in app.items().await {
        challenges += usize::from(sort_key(&item).starts_with("challenge#"));
        for (name, value) in item {
            assert_holds_no_code(&name, &value, &codes);
        }
    }
    assert_eq!(challenges, 20);
}

fn assert_holds_no_code(name: &str, value: &AttributeValue, codes: &[String]) {
    // In times and random ids, six digits in a row occur by chance.
    let by_chance = [
        "issued_at",
        "expires_at",
        "expires_at_seconds",
        "sent_at",
        "sk",
        "challenge_id",
    ];
    if by_chance.contains(&name) {
        return;
    }
    let shown = format!("{value:?}");
    assert!(
        codes.iter().all(|code| !shown.contains(code)),
        "attribute {name} holds a code"
    );
}
