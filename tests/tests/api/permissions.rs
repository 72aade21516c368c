//! What the functions do at the table, compared with what their roles let them do. The module
//! `template` holds the template to the same names.
//!
//! No emulator here evaluates `dynamodb:LeadingKeys`, so this test does.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tests::{ALICE, Call, CallFault, PHONE, TestApp};

use crate::template::{LOGIN_AT_TABLE, SESSIONS, VALIDATE_AT_TABLE};

const KEY: &str = "5d0c7a2b-6f0e-4b6e-8f43-1a2b3c4d5e6f";

/// Every partition key in a call.
fn partitions(call: &Value) -> Vec<String> {
    match call {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value["S"].as_str()) {
                ("pk" | ":pk", Some(key)) => vec![key.to_owned()],
                _ => partitions(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(partitions).collect(),
        _ => Vec::new(),
    }
}

/// Every partition that the functions' calls touch from now on.
fn touched(app: &TestApp) -> Arc<Mutex<Vec<String>>> {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&keys);
    app.faults.inject_by(move |_, body| {
        if let Ok(call) = serde_json::from_slice(body) {
            seen.lock().unwrap().extend(partitions(&call));
        }
        None
    });
    keys
}

#[tokio::test]
async fn a_login_touches_no_partition_that_its_role_denies() {
    for mode in ["sign-up", "conceal", "reveal"] {
        let settings = [
            ("UNKNOWN_USERS", mode),
            ("RESEND_COOLDOWN_SECONDS", "0"),
            ("SENDS_PER_HOUR", "4"),
        ];
        let app = TestApp::with(&settings).await;
        app.add_user(ALICE, false).await;
        app.add_user("carol@example.com", true).await;
        let keys = touched(&app);
        for to in [ALICE, PHONE, "bob@example.com", "carol@example.com"] {
            app.login(to).await;
        }
        for _ in 0..4 {
            app.login_with_key(KEY, ALICE).await;
            app.login(ALICE).await;
        }
        let keys = keys.lock().unwrap().clone();
        assert!(keys.len() > 20, "{mode}: {} keys", keys.len());
        assert!(keys.iter().all(|key| !key.starts_with(SESSIONS)), "{mode}");
    }
}

#[tokio::test]
async fn a_withdrawn_login_touches_no_partition_that_its_role_denies() {
    let app = TestApp::start().await;
    let keys = touched(&app);
    app.login(ALICE).await.assert_ok();
    let before = keys.lock().unwrap().len();
    let all = Arc::clone(&keys);
    app.faults.inject_by(move |call, body| {
        if let Ok(body) = serde_json::from_slice(body) {
            all.lock().unwrap().extend(partitions(&body));
        }
        (call == Call::SendEmail).then_some(CallFault::Throttled)
    });
    assert_eq!(app.login("bob@example.com").await.status, 502);
    let keys = keys.lock().unwrap().clone();
    let writes = keys.len() - before;
    // The look, the admission's three items, and the withdrawal's two.
    assert!(writes >= 6, "a login and its withdrawal: {writes}");
    assert!(keys.iter().all(|key| !key.starts_with(SESSIONS)));
}

/// The actions that IAM asks for, of a call of the table. Those of a transaction are
/// the actions in it.
fn actions(call: &Value) -> Vec<String> {
    if let Some(items) = call["TransactItems"].as_array() {
        let items = items.iter().filter_map(Value::as_object);
        let names = items.flat_map(|item| item.iter().filter(|(_, it)| !it.is_null()));
        return names
            .map(|(name, _)| match name.as_str() {
                "ConditionCheck" => "ConditionCheckItem".to_owned(),
                other => format!("{other}Item"),
            })
            .collect();
    }
    let named = [
        ("RequestItems", "BatchGetItem"),
        ("KeyConditionExpression", "Query"),
        ("UpdateExpression", "UpdateItem"),
        ("Item", "PutItem"),
        ("ConsistentRead", "GetItem"),
        ("Key", "DeleteItem"),
    ];
    let mut named = named
        .iter()
        .filter(|(member, _)| call.get(member).is_some());
    let name = named.next().filter(|_| call.get("TableName").is_some());
    let batch = call.get("RequestItems").map(|_| "BatchGetItem");
    let name = name.map(|(_, name)| *name).or(batch);
    name.map(str::to_owned).into_iter().collect()
}

/// Every action that the functions' calls need from now on.
fn needed(app: &TestApp) -> Arc<Mutex<BTreeSet<String>>> {
    let needed = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&needed);
    app.faults.inject_by(move |_, body| {
        if let Ok(call) = serde_json::from_slice(body) {
            seen.lock().unwrap().extend(actions(&call));
        }
        None
    });
    needed
}

const DAY: u64 = 86_400_000;

#[tokio::test]
async fn the_login_function_may_do_all_that_its_logins_need() {
    let settings = [("SMS_PER_DAY", "60"), ("CONVERSION_GUARD", "0")];
    let app = TestApp::with(&settings).await;
    app.advance(Duration::from_millis(DAY - 10_000 - app.now() % DAY));
    let needed = needed(&app);
    // Just before midnight, and again under its key, and during the cooldown.
    app.login_with_key(KEY, ALICE).await.assert_ok();
    app.login_with_key(KEY, ALICE).await.assert_ok();
    app.login(ALICE).await;
    app.stack.messages.set_refusing(true);
    assert_eq!(app.login_with_key(KEY, "bob@example.com").await.status, 502);
    app.stack.messages.set_refusing(false);
    for n in 0..61 {
        app.login(&format!("+1415555{n:04}")).await;
    }
    let needed = needed.lock().unwrap().clone();
    assert!(needed.contains("DeleteItem"), "{needed:?}");
    let allowed = |action: &String| LOGIN_AT_TABLE.contains(&action.as_str());
    assert!(needed.iter().all(allowed), "{needed:?}");
}

#[tokio::test]
async fn the_validation_function_may_do_all_that_its_requests_need() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    let needed = needed(&app);
    app.validate(ALICE, None, "000000").await;
    let login = app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
    app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
    let token = login.json["refresh_token"].clone();
    let refreshed = app.refresh(&token).await.json["refresh_token"].clone();
    app.log_out(json!({ "refresh_token": refreshed, "all": true }))
        .await;
    let needed = needed.lock().unwrap().clone();
    let allowed = |action: &String| VALIDATE_AT_TABLE.contains(&action.as_str());
    assert!(needed.len() > 3, "{needed:?}");
    assert!(needed.iter().all(allowed), "{needed:?}");
}

/// The control: the search sees a session.
#[tokio::test]
async fn a_validation_touches_a_partition_that_the_login_is_denied() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    let keys = touched(&app);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    assert!(
        keys.lock()
            .unwrap()
            .iter()
            .any(|key| key.starts_with(SESSIONS))
    );
}
