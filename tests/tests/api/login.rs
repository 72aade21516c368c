//! Logging in: from the request for a code to the tokens.

use std::time::Duration;

use serde_json::json;
use tests::{ALICE, PHONE, TestApp, VALIDATE, other_than};

use crate::tokens::{claims, header};

#[tokio::test]
async fn a_code_by_email_logs_in() {
    let app = TestApp::start().await;

    let answer = app.login(ALICE).await;
    let sent = answer.assert_ok();
    let id = sent["challenge_id"].as_str().unwrap();
    assert_eq!(
        *sent,
        json!({
            "message": "OTP has been sent to your email.", "challenge_id": id,
            "channel": "email", "code_length": 6, "max_attempts": 3, "expires_in": 300, "resend_in": 30,
            "delivery": "confirmed", "destination": ALICE, "ways": ["email"],
        })
    );
    assert!(id.len() >= 22, "the id has fewer than 128 bits");

    let answer = app.validate(ALICE, Some(id), &app.newest_code(ALICE)).await;
    let login = answer.assert_ok();
    let (token, user) = (
        login["token"].as_str().unwrap(),
        login["user_id"].as_str().unwrap(),
    );
    let refresh_token = login["refresh_token"].as_str().unwrap();
    let device_token = login["device_token"].as_str().unwrap();
    assert!(
        *login
            == json!({
                "token": token, "token_type": "Bearer", "expires_in": 3600,
                "user_id": user, "new_user": true,
                "refresh_token": refresh_token, "refresh_expires_in": 604_800,
                "device_token": device_token,
            }),
        "the answer is not as documented"
    );

    assert_eq!(header(token)["typ"], "at+jwt");
    assert_eq!(header(token)["alg"], "RS256");
    let claims = claims(&app, token).await;
    assert_eq!(claims["sub"], user);
    assert_eq!(claims["amr"], json!(["otp"]));
    assert_eq!(
        (&claims["email"], &claims["email_verified"]),
        (&json!(ALICE), &json!(true))
    );
    assert_eq!(
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
        3600,
        "exp and expires_in differ"
    );
    assert!(claims["jti"].as_str().unwrap().len() >= 22);
}

#[tokio::test]
async fn a_code_by_text_message_logs_in() {
    let app = TestApp::with(&[("ORIGIN_HOST", "login.example.com")]).await;

    let answer = app.login(PHONE).await;
    let sent = answer.assert_ok();
    assert_eq!(sent["message"], "OTP has been sent to your phone.");
    assert_eq!(sent["channel"], "sms");
    let message = &app.messages(PHONE)[0];
    let code = message.code.as_deref().unwrap();
    let bound = format!("@login.example.com #{code}");
    assert_eq!(
        message.text.as_deref().unwrap().lines().last(),
        Some(bound.as_str())
    );

    let answer = app
        .validate(PHONE, sent["challenge_id"].as_str(), code)
        .await;
    let claims = claims(&app, answer.assert_ok()["token"].as_str().unwrap()).await;
    assert_eq!(claims["amr"], json!(["otp", "sms"]));
    assert_eq!(claims["phone_number"], PHONE);
    assert_eq!(claims["phone_number_verified"], true);
}

#[tokio::test]
async fn the_tutorials_requests_work_with_and_without_a_trailing_slash() {
    let app = TestApp::start().await;
    for (n, suffix) in ["", "/"].iter().enumerate() {
        let to = format!("user{n}@example.com");
        let body = format!("{{\"email\": \"{to}\"}}");
        app.post(&format!("/api/login-with-otp{suffix}"), body)
            .await
            .assert_ok();
        let otp = app.newest_code(&to);
        let body = format!("{{\"email\": \"{to}\", \"otp\": \"{otp}\"}}");
        let answer = app.post(&format!("/api/validate-otp{suffix}"), body).await;
        assert!(answer.assert_ok()["token"].is_string());
    }
}

#[tokio::test]
async fn one_destination_is_one_user_who_is_new_only_once() {
    let app = TestApp::start().await;
    let mut users = Vec::new();
    for to in [ALICE, "Alice@Example.COM"] {
        let (id, _) = app.receive_code(to).await;
        let answer = app.validate(to, Some(&id), &app.newest_code(ALICE)).await;
        let login = answer.assert_ok();
        users.push((
            login["user_id"].clone(),
            login["new_user"].as_bool().unwrap(),
        ));
        app.advance(Duration::from_mins(1));
    }
    assert_eq!(users[0].0, users[1].0);
    assert_eq!((users[0].1, users[1].1), (true, false));
}

#[tokio::test]
async fn what_phones_write_around_and_within_a_destination_changes_nothing() {
    let app = TestApp::start().await;
    for (typed, other, sent_to) in [
        ("Alice@example.com ", " alice@example.com", ALICE),
        ("+1 (415) 555-0123", "+1.415.555.0123 ", PHONE),
    ] {
        let answer = app.login(typed).await;
        let id = answer.assert_ok()["challenge_id"].as_str();
        let code = app.newest_code(sent_to);
        let login = app.validate(other, id, &code).await;
        let token = login.assert_ok()["token"].as_str().unwrap().to_owned();
        let claims = claims(&app, &token).await;
        let claimed = claims.get("email").unwrap_or(&claims["phone_number"]);
        assert_eq!(claimed, sent_to);
    }
}

#[tokio::test]
async fn a_code_is_good_once() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
    app.validate(ALICE, None, &code)
        .await
        .assert_problem(400, "invalid-otp");
}

#[tokio::test]
async fn several_codes_of_one_destination_are_valid_until_one_of_them_is_used() {
    let app = TestApp::start().await;
    let (first, first_code) = app.receive_code(ALICE).await;
    app.advance(Duration::from_secs(30));
    let (second, second_code) = app.receive_code(ALICE).await;
    app.advance(Duration::from_secs(30));
    let (third, third_code) = app.receive_code(ALICE).await;

    app.validate(ALICE, Some(&second), &second_code)
        .await
        .assert_ok();
    for (id, code) in [(first, first_code), (third, third_code)] {
        app.validate(ALICE, Some(&id), &code)
            .await
            .assert_problem(400, "invalid-otp");
    }

    app.advance(Duration::from_secs(30));
    let (id, code) = app.receive_code(ALICE).await;
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn without_a_challenge_id_the_newest_live_challenge_is_validated() {
    let app = TestApp::start().await;
    let (_, older) = app.receive_code(ALICE).await;
    app.advance(Duration::from_secs(30));
    let (newer_id, newer) = app.receive_code(ALICE).await;

    if older != newer {
        app.validate(ALICE, None, &older)
            .await
            .assert_problem(400, "invalid-otp");
    }
    // Without an attempt left, the newer challenge is not live.
    for _ in 0..3 {
        app.validate(ALICE, Some(&newer_id), &other_than(&newer))
            .await;
    }
    app.validate(ALICE, None, &older).await.assert_ok();
}

#[tokio::test]
async fn a_code_is_valid_only_for_its_own_destination_and_challenge() {
    let app = TestApp::start().await;
    let (alice, code) = app.receive_code(ALICE).await;
    let (bob, bobs_code) = app.receive_code("bob@example.com").await;

    app.validate("bob@example.com", Some(&alice), &code)
        .await
        .assert_problem(400, "invalid-otp");
    if code != bobs_code {
        app.validate(ALICE, Some(&alice), &bobs_code)
            .await
            .assert_problem(400, "invalid-otp");
    }
    app.validate(ALICE, Some(&bob), &code)
        .await
        .assert_problem(400, "invalid-otp");
    app.validate(ALICE, Some(&alice), &code).await.assert_ok();
}

#[tokio::test]
async fn every_failed_validation_gets_the_same_body_and_headers() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    let unknown = "AAAAAAAAAAAAAAAAAAAAAA";
    let mut answers = vec![
        app.validate(ALICE, Some(&id), &other_than(&code)).await,
        app.validate(ALICE, Some(&id), "1").await,
        app.validate(ALICE, Some(unknown), &code).await,
        app.validate("nobody@example.com", None, &code).await,
    ];
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    answers.push(app.validate(ALICE, Some(&id), &code).await);
    app.advance(Duration::from_mins(10));
    answers.push(app.validate(ALICE, Some(&id), &code).await);

    for answer in &answers {
        answer.assert_problem(400, "invalid-otp");
        assert_eq!(answer.json["error"], "Invalid OTP.");
        assert_eq!(answer.bytes, answers[0].bytes);
        let mut headers = answer.headers.clone();
        let mut expected = answers[0].headers.clone();
        for headers in [&mut headers, &mut expected] {
            headers.remove("date");
        }
        assert_eq!(headers, expected);
    }
}

#[tokio::test]
async fn the_last_attempt_can_log_in() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    for _ in 0..2 {
        app.validate(ALICE, Some(&id), &other_than(&code)).await;
    }
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn a_challenge_without_attempts_left_refuses_the_right_code() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    for _ in 0..3 {
        app.validate(ALICE, Some(&id), &other_than(&code)).await;
    }
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
}

#[tokio::test]
async fn the_length_of_codes_is_a_setting() {
    let app = TestApp::with(&[("OTP_LENGTH", "8")]).await;
    let answer = app.login(ALICE).await;
    assert_eq!(answer.assert_ok()["code_length"], 8);
    let code = app.newest_code(ALICE);
    assert_eq!(code.len(), 8);
    let body = json!({ "email": ALICE, "otp": code });
    app.post(VALIDATE, body.to_string()).await.assert_ok();
}
