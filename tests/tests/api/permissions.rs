//! What the login function's role denies it, compared with what the function does.
//!
//! No emulator here evaluates `dynamodb:LeadingKeys`, so this test does.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tests::{ALICE, Call, CallFault, PHONE, TestApp};

const TEMPLATE: &str = include_str!("../../../template.yaml");
const KEY: &str = "5d0c7a2b-6f0e-4b6e-8f43-1a2b3c4d5e6f";

/// The start of the partition keys that the role denies.
fn denied() -> String {
    let statement = TEMPLATE.split("- Sid: LeaveSessionsAlone").nth(1);
    let pattern = statement.and_then(|text| text.split("dynamodb:LeadingKeys: [\"").nth(1));
    let pattern = pattern.and_then(|text| text.split('"').next());
    let prefix = pattern.and_then(|pattern| pattern.strip_suffix('*'));
    prefix.expect("a pattern that ends with *").to_owned()
}

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
    let denied = denied();
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
        assert!(keys.iter().all(|key| !key.starts_with(&denied)), "{mode}");
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
    assert!(keys.iter().all(|key| !key.starts_with(&denied())));
}

/// The control: the search sees a session.
#[tokio::test]
async fn a_validation_touches_a_partition_that_the_login_is_denied() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    let keys = touched(&app);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    let denied = denied();
    assert!(
        keys.lock()
            .unwrap()
            .iter()
            .any(|key| key.starts_with(&denied))
    );
}
