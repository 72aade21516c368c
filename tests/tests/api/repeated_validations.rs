//! A client that got no answer repeats its validation under the same idempotency key.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use otp_domain::IdempotencyKey;
use serde_json::{Value, json};
use tests::{ALICE, Answer, PHONE, TestApp, other_than};

use crate::{admin::Admin, tokens::claims};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";
const ANOTHER_KEY: &str = "b0f6c0c1-6a3e-4f0e-8f5b-3b1f5d1f6a55";

#[track_caller]
fn assert_invalid(answer: &Answer) {
    answer.assert_problem(400, "invalid-otp");
}

/// What a repeat must not change. The access token differs: it has an id of its own.
fn login(body: &Value) -> Vec<Value> {
    let members = ["user_id", "new_user", "refresh_token", "token_type"];
    members.map(|member| body[member].clone()).into()
}

#[tokio::test]
async fn a_repeated_validation_gets_the_same_login() {
    let app = TestApp::start().await;
    for to in [ALICE, PHONE] {
        for expected_new in [true, false] {
            let (id, code) = app.receive_code(to).await;
            let first = app.validate_with_key(KEY, to, Some(&id), &code).await;
            app.advance(Duration::from_secs(90));
            let again = app.validate_with_key(KEY, to, Some(&id), &code).await;
            assert_eq!(first.assert_ok()["new_user"], expected_new);
            assert!(login(again.assert_ok()) == login(&first.json));
            // The rest of the refresh token's life.
            assert_eq!(again.json["refresh_expires_in"], 604_800 - 90);
            assert_eq!(again.json["expires_in"], 3600);
            let [old, new] = [&first, &again].map(|answer| answer.text("token"));
            let (old, new) = (claims(&app, &old).await, claims(&app, &new).await);
            for same in ["sub", "sid", "auth_time", "amr", "email", "phone_number"] {
                assert_eq!(new[same], old[same], "{same}");
            }
            assert_eq!(new["iat"].as_u64(), old["iat"].as_u64().map(|at| at + 90));
            assert!(new["jti"] != old["jti"]);

            assert_eq!(app.attempts_at(to, &id).await, 1);
            assert_eq!(app.sessions_of(to).await, 1);
            let token = &again.json["refresh_token"];
            let next = app.refresh(token).await.assert_ok()["refresh_token"].clone();
            app.log_out(json!({ "refresh_token": next })).await;
        }
    }
}

#[tokio::test]
async fn another_key_another_code_or_no_key_is_another_request() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    let first = app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
    first.assert_ok();
    // A wrong code under the good key is a guess: it spends an attempt, and gets nothing.
    let wrong = other_than(&code);
    assert_invalid(&app.validate_with_key(KEY, ALICE, Some(&id), &wrong).await);
    assert_eq!(app.attempts_at(ALICE, &id).await, 2);
    assert_invalid(
        &app.validate_with_key(ANOTHER_KEY, ALICE, Some(&id), &code)
            .await,
    );
    assert_eq!(app.attempts_at(ALICE, &id).await, 3);
    assert_invalid(&app.validate(ALICE, Some(&id), &code).await);
    // Others have used the attempts up. The repeat has one already.
    let again = app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
    assert!(login(again.assert_ok()) == login(&first.json));
    assert_eq!(app.attempts_at(ALICE, &id).await, 3);
    assert_eq!(app.sessions_of(ALICE).await, 1);
}

#[tokio::test]
async fn a_key_buys_no_guesses() {
    let app = TestApp::start().await;
    let to = "keyed@guesses.example.net";
    let (id, code) = app.receive_code(to).await;
    let wrong = other_than(&code);
    // A repeated wrong guess learns nothing, and spends one attempt.
    for _ in 0..5 {
        assert_invalid(&app.validate_with_key(KEY, to, Some(&id), &wrong).await);
    }
    assert_eq!(app.attempts_at(to, &id).await, 1);
    let codes = (0..10).map(|n| format!("{n}{}", &code[1..]));
    for guess in codes.filter(|guess| *guess != code && *guess != wrong) {
        assert_invalid(&app.validate_with_key(KEY, to, Some(&id), &guess).await);
    }
    assert_invalid(&app.validate_with_key(KEY, to, Some(&id), &code).await);
    assert_eq!(app.attempts_at(to, &id).await, 3);
}

#[tokio::test]
async fn without_a_challenge_id_a_repeat_finds_the_challenge_of_the_first_request() {
    let app = TestApp::with(&[("OTP_MAX_ATTEMPTS", "1")]).await;
    let (_, code) = app.receive_code(ALICE).await;
    let first = app.validate_with_key(KEY, ALICE, None, &code).await;
    let again = app.validate_with_key(KEY, ALICE, None, &code).await;
    assert!(login(again.assert_ok()) == login(first.assert_ok()));
    // A stranger requests a newer code.
    app.advance(Duration::from_secs(30));
    app.receive_code(ALICE).await;
    let later = app.validate_with_key(KEY, ALICE, None, &code).await;
    assert!(login(later.assert_ok()) == login(&first.json));
}

#[derive(Debug)]
enum Change {
    Refreshed,
    LoggedOut,
    CodeExpired,
    UserDisabled,
    UserRemoved,
    AnotherUserAdded,
}

#[tokio::test]
async fn a_repeat_is_refused_once_the_session_or_its_user_has_moved_on() {
    for change in [
        Change::Refreshed,
        Change::LoggedOut,
        Change::CodeExpired,
        Change::UserDisabled,
        Change::UserRemoved,
        Change::AnotherUserAdded,
    ] {
        let app = TestApp::start().await;
        let (id, code) = app.receive_code(ALICE).await;
        let first = app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
        let token = first.assert_ok()["refresh_token"].clone();
        match change {
            Change::Refreshed => {
                app.refresh(&token).await.assert_ok();
            }
            Change::LoggedOut => {
                app.log_out(json!({ "refresh_token": token })).await;
            }
            Change::CodeExpired => app.advance(Duration::from_mins(5)),
            Change::UserDisabled => app.disable_user(ALICE).await,
            Change::UserRemoved => app.admin_does(&format!("remove {ALICE}")).await,
            Change::AnotherUserAdded => {
                app.admin_does(&format!("remove {ALICE}")).await;
                app.admin_does(&format!("add --email {ALICE}")).await;
            }
        }
        let again = app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
        assert_eq!(again.status, 400, "{change:?}");
        assert_invalid(&again);
    }
}

#[tokio::test]
async fn a_repeat_that_outlives_a_swap_of_the_digest_keys_gets_the_same_login() {
    let app = TestApp::with(&[("SECOND_DIGEST_KEY_ID", "next-digest-key")]).await;
    let (id, code) = app.receive_code(ALICE).await;
    let first = app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
    let swapped = app.deploy(|settings| {
        let sessions = &mut settings.sessions;
        let second = sessions.second_digest_key_id.as_mut().unwrap();
        std::mem::swap(&mut sessions.digest_key_id, second);
    });
    let app = swapped.await;
    let again = app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
    assert!(login(again.assert_ok()) == login(first.assert_ok()));
    assert_eq!(app.sessions().await, 1);
}

#[tokio::test]
async fn the_table_holds_nothing_that_leads_back_to_the_key_or_to_the_token() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    let answer = app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
    let token = answer.text("refresh_token");
    let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
    let (session, secret) = bytes[..48].split_at(16);
    let table = format!("{:?}", app.items().await);
    for secret in [
        KEY.as_bytes(),
        IdempotencyKey::parse(KEY).unwrap().hash(),
        session,
        secret,
        code.as_bytes(),
    ] {
        let text = String::from_utf8_lossy(secret);
        let written = [
            text.into_owned(),
            URL_SAFE_NO_PAD.encode(secret),
            format!("{secret:?}"),
        ];
        assert!(written.iter().all(|it| !table.contains(it)));
    }
}

#[tokio::test]
async fn a_malformed_key_is_an_invalid_request_and_spends_no_attempt() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    for key in ["", "short", "sixteen with a space", &"k".repeat(129)] {
        let answer = app.validate_with_key(key, ALICE, Some(&id), &code).await;
        answer.assert_problem(400, "invalid-request");
    }
    assert_eq!(app.attempts_at(ALICE, &id).await, 0);
}
