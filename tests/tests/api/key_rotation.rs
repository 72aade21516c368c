//! A rotation of the signing key and of the digest key, step by step.

use std::mem;

use otp_edge::settings::Settings;
use tests::{ALICE, PHONE, TestApp};

use crate::tokens::{claims, header, published};

const TWO_OF_EACH: [(&str, &str); 3] = [
    ("SECOND_SIGNING_KEY_ID", "next-signing-key"),
    ("SECOND_DIGEST_KEY_ID", "next-digest-key"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
];

/// Makes the second keys the first.
pub fn swap(settings: &mut Settings) {
    let login = settings.login.as_mut().unwrap();
    let sessions = &mut settings.sessions;
    let second = sessions.tokens.second_signing_key_id.as_mut();
    mem::swap(
        &mut sessions.tokens.signing_key_id,
        second.expect("two keys"),
    );
    let second = sessions.second_digest_key_id.as_mut().expect("two keys");
    mem::swap(&mut sessions.digest_key_id, second);
    login.digest_key_id.clone_from(&sessions.digest_key_id);
}

/// Removes the second keys.
fn retire(settings: &mut Settings) {
    settings.sessions.tokens.second_signing_key_id = None;
    settings.sessions.second_digest_key_id = None;
}

#[tokio::test]
async fn a_signing_key_is_published_before_it_signs_and_after_it_was_replaced() {
    let app = TestApp::with(&TWO_OF_EACH).await;
    let before = published(&app).await;
    let login = app.log_in(ALICE).await;
    let old = login["token"].as_str().unwrap();
    assert_eq!(before.keys.len(), 2);
    assert_eq!(
        header(old)["kid"],
        *before.keys[0].common.key_id.as_ref().unwrap()
    );

    let app = app.deploy(swap).await;
    let login = app
        .refresh(&login["refresh_token"])
        .await
        .assert_ok()
        .clone();
    let new = login["token"].as_str().unwrap();
    assert_eq!(
        header(new)["kid"],
        *before.keys[1].common.key_id.as_ref().unwrap()
    );
    for token in [old, new] {
        claims(&app, token).await;
        app.me(token).await.assert_ok();
    }

    let app = app.deploy(retire).await;
    assert_eq!(published(&app).await.keys, [before.keys[1].clone()]);
    app.me(new).await.assert_ok();
    app.me(old).await.assert_problem(401, "unauthorized");
}

#[tokio::test]
async fn a_code_stays_valid_when_the_digest_keys_are_swapped_and_not_when_its_key_is_gone() {
    let app = TestApp::with(&TWO_OF_EACH).await;
    // Both keys' codes are valid, whichever key makes new ones.
    let (id, code) = app.receive_code(ALICE).await;
    let app = app.deploy(swap).await;
    let (next_id, next_code) = app.receive_code(PHONE).await;
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    let app = app.deploy(swap).await;
    app.validate(PHONE, Some(&next_id), &next_code)
        .await
        .assert_ok();

    let (id, code) = app.receive_code(PHONE).await;
    let retired = app.deploy(|config| {
        swap(config);
        retire(config);
    });
    let app = retired.await;
    app.validate(PHONE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
}
