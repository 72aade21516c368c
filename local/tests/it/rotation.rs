//! Keys change hands, and nobody notices.

use std::mem;

use otp::config::Config;

use crate::{
    harness::{ALICE, PHONE, TestApp},
    tokens::{claims, header, published},
};

const TWO_OF_EACH: [(&str, &str); 3] = [
    ("SECOND_SIGNING_KEY_ID", "next-signing-key"),
    ("SECOND_DIGEST_KEY_ID", "next-digest-key"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
];

/// The second keys take over.
fn swap(config: &mut Config) {
    let second = config.second_signing_key_id.as_mut().expect("two keys");
    mem::swap(&mut config.signing_key_id, second);
    let second = config.second_digest_key_id.as_mut().expect("two keys");
    mem::swap(&mut config.digest_key_id, second);
}

/// The old keys go.
fn retire(config: &mut Config) {
    config.second_signing_key_id = None;
    config.second_digest_key_id = None;
}

#[tokio::test]
async fn a_new_signing_key_is_known_before_it_signs_and_the_old_one_after() {
    let mut app = TestApp::with(&TWO_OF_EACH).await;
    let before = published(&app).await;
    let login = app.log_in(ALICE).await;
    let old = login["token"].as_str().unwrap();
    assert_eq!(before.keys.len(), 2);
    assert_eq!(
        header(old)["kid"],
        *before.keys[0].common.key_id.as_ref().unwrap()
    );

    app.redeploy(swap).await;
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

    app.redeploy(retire).await;
    assert_eq!(published(&app).await.keys, [before.keys[1].clone()]);
    app.me(new).await.assert_ok();
    app.me(old).await.assert_problem(401, "unauthorized");
}

#[tokio::test]
async fn a_code_is_good_for_its_life_whichever_digest_key_comes_next() {
    let mut app = TestApp::with(&TWO_OF_EACH).await;
    // Codes of the next key are known before it is taken, of the last one after.
    let (id, code) = app.receive_code(ALICE).await;
    app.redeploy(swap).await;
    let (next_id, next_code) = app.receive_code(PHONE).await;
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    app.redeploy(swap).await;
    app.validate(PHONE, Some(&next_id), &next_code)
        .await
        .assert_ok();

    let (id, code) = app.receive_code(PHONE).await;
    app.redeploy(|config| {
        swap(config);
        retire(config);
    })
    .await;
    app.validate(PHONE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
}
