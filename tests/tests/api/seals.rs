//! Sessions in the table: which of them this service accepts as its own.

use std::{mem, time::Duration};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use otp_edge::settings::Settings;
use serde_json::{Value, json};
use tests::{
    ALICE, TestApp,
    table::{Item, partition_key},
};

use crate::refresh::{assert_refused, next_token};

const VICTIM: &str = "victim@sealed.example.net";
const MALLORY: &str = "mallory@forged.example.net";
const TWO_DIGEST_KEYS: [(&str, &str); 2] = [
    ("SECOND_DIGEST_KEY_ID", "next-digest-key"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
];

/// The one session of a destination's user.
async fn session_of(app: &TestApp, to: &str) -> Item {
    let partition = format!("user#{}", user_of(app, to).await);
    let mut sessions = app.partition(&partition).await;
    sessions.retain(|sort, _| sort.starts_with("session#"));
    assert_eq!(sessions.len(), 1);
    sessions.into_values().next().unwrap()
}

async fn user_of(app: &TestApp, to: &str) -> String {
    let items = app.partition(&partition_key(to)).await;
    items["user"]["user_id"].as_s().unwrap().clone()
}

/// The refresh token with another user's id in it.
fn with_user(token: &Value, user: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.as_str().unwrap()).unwrap();
    let forged = [&bytes[..48], user.as_bytes()].concat();
    json!(URL_SAFE_NO_PAD.encode(forged))
}

#[tokio::test]
async fn a_writer_of_the_table_cannot_start_a_session_of_somebody_else() {
    let app = TestApp::start().await;
    let victims = app.log_in(VICTIM).await["refresh_token"].clone();
    let own = app.log_in(MALLORY).await["refresh_token"].clone();
    let victim = user_of(&app, VICTIM).await;
    // Her own session, moved to another user and another destination.
    let mut forged = session_of(&app, MALLORY).await;
    let text = |text: String| AttributeValue::S(text);
    forged.insert("pk".into(), text(format!("user#{victim}")));
    forged.insert("destination".into(), text(partition_key(VICTIM)));
    app.put(forged.clone()).await;
    assert_refused(&app.refresh(&with_user(&own, &victim)).await);
    // A seal of her choice.
    forged.insert("seal".into(), AttributeValue::B(Blob::new([7; 32])));
    app.put(forged.clone()).await;
    assert_refused(&app.refresh(&with_user(&own, &victim)).await);
    // No seal at all.
    forged.remove("seal");
    app.put(forged).await;
    assert_refused(&app.refresh(&with_user(&own, &victim)).await);

    let lines = app.log.lines_about("v***@s***.net");
    let sealed = |line: &&Value| line["reason"] == "not sealed by this service";
    assert_eq!(lines.iter().filter(sealed).count(), 3);
    next_token(&app.refresh(&victims).await);
    next_token(&app.refresh(&own).await);
}

fn swap(settings: &mut Settings) {
    let sessions = &mut settings.sessions;
    let second = sessions.second_digest_key_id.as_mut().expect("two keys");
    mem::swap(&mut sessions.digest_key_id, second);
    settings
        .login
        .as_mut()
        .unwrap()
        .digest_key_id
        .clone_from(&sessions.digest_key_id);
}

#[tokio::test]
async fn a_session_outlives_its_digest_key_once_it_was_refreshed() {
    let app = TestApp::with(&TWO_DIGEST_KEYS).await;
    let refreshed = app.log_in(ALICE).await["refresh_token"].clone();
    app.advance(Duration::from_millis(1));
    let idle = app.log_in(ALICE).await["refresh_token"].clone();
    let app = app.deploy(swap).await;
    let refreshed = next_token(&app.refresh(&refreshed).await);
    let retired = app.deploy(|settings| settings.sessions.second_digest_key_id = None);
    let app = retired.await;
    next_token(&app.refresh(&refreshed).await);
    assert_refused(&app.refresh(&idle).await);
    assert_eq!(app.sessions().await, 2, "it is no reuse");
}
