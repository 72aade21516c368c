//! The log line of each request.

use std::time::Duration;

use serde_json::Value;
use tests::{ALICE, Call, CallFault, PHONE, TestApp, other_than};

use crate::tokens::claims;

#[tokio::test]
async fn each_request_logs_one_line_with_its_outcome() {
    let app = TestApp::start().await;
    let to = "log-reader@somewhere.example.org";

    let (id, code) = app.receive_code(to).await;
    app.login(to).await.assert_too_many();
    app.validate(to, Some(&id), &other_than(&code))
        .await
        .assert_problem(400, "invalid-otp");
    app.validate(to, Some(&id), &code).await.assert_ok();
    app.advance(Duration::from_mins(1));
    let (id, code) = app.receive_code(to).await;
    app.validate(to, Some(&id), &code).await.assert_ok();

    let lines = app.log.lines_about("l***@s***.org");
    let outcomes: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line["event"].as_str().unwrap(),
                line["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("login", "sent"),
            ("login", "too-many-requests"),
            ("validate", "invalid-otp"),
            ("validate", "signed-up"),
            ("login", "sent"),
            ("validate", "logged-in"),
        ]
    );
    for line in lines {
        assert_eq!(line["channel"], "email");
        assert!(line["duration_ms"].is_u64());
        assert!(!line["request_id"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_lines_of_one_victim_are_found_by_pseudonym_and_by_ids() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let to = "victim@found.example.net";
    let (id, code) = app.receive_code(to).await;
    app.validate(to, Some(&id), &other_than(&code)).await;
    let login = app.validate(to, Some(&id), &code).await;
    let login = login.assert_ok().clone();
    app.me(login["token"].as_str().unwrap()).await;
    let old = &login["refresh_token"];
    let renewed = app.refresh(old).await.assert_ok().clone();
    app.refresh(&renewed["refresh_token"]).await.assert_ok();
    app.refresh(old).await; // Reused: the session ends.
    app.refresh(old).await;
    let session = claims(&app, login["token"].as_str().unwrap()).await["sid"].clone();
    let message = Value::from(app.messages(to)[0].id.clone());
    let (user, challenge) = (&login["user_id"], Value::from(id));

    let lines = app.log.lines_about("v***@f***.net");
    let pseudonym = lines[0]["pseudonym"].clone();
    assert_eq!(pseudonym.as_str().map(str::len), Some(22));
    let none = Value::Null;
    // Event, user, challenge, session, message.
    let expected = [
        ("login", &none, &challenge, &none, &message),
        ("validate", &none, &challenge, &none, &none),
        ("validate", user, &challenge, &session, &none),
        ("me", user, &none, &session, &none),
        ("refresh", user, &none, &session, &none),
        ("refresh", user, &none, &session, &none),
        ("refresh", user, &none, &session, &none),
    ];
    assert_eq!(lines.len(), expected.len());
    for (line, (event, user, challenge, session, message)) in lines.iter().zip(expected) {
        assert_eq!(line["event"], event);
        assert_eq!(line["pseudonym"], pseudonym, "{event}");
        for (name, id) in [
            ("user_id", user),
            ("challenge_id", challenge),
            ("session_id", session),
            ("message_id", message),
        ] {
            assert_eq!(&line[name], id, "{event}: {name}");
        }
    }
    let all = app.log.lines();
    let of_session = all.iter().filter(|line| line["session_id"] == session);
    assert_eq!(of_session.count(), 6);
    // The user of the next login is known before the code is back.
    app.advance(Duration::from_secs(1));
    app.login(to).await.assert_ok();
    let lines = app.log.lines_about("v***@f***.net");
    assert_eq!(&lines.last().unwrap()["user_id"], user);
}

#[tokio::test]
async fn another_destination_and_another_key_have_another_pseudonym() {
    let app = TestApp::start().await;
    for to in ["one@pseudonym.example.org", "other@pseudonym.example.org"] {
        app.login(to).await.assert_ok();
    }
    let next = TestApp::start().await;
    next.login("one@pseudonym.example.org").await.assert_ok();
    let pseudonyms = |masked: &str| -> Vec<Value> {
        let lines = app.log.lines_about(masked);
        lines.iter().map(|line| line["pseudonym"].clone()).collect()
    };
    let mut all = pseudonyms("o***@p***.org");
    assert_eq!(all.len(), 3);
    all.sort_by_key(Value::to_string);
    all.dedup();
    assert_eq!(all.len(), 3, "a pseudonym stands for two destinations");
}

#[tokio::test]
async fn a_function_without_its_digest_key_logs_no_pseudonym_and_makes_no_call_for_it() {
    let app = TestApp::start().await;
    let cold = app.cold_start().await;
    cold.faults
        .inject(Call::FetchDigestKey, CallFault::Http500, usize::MAX);
    let to = "keyless@log.example.org";
    cold.login(to).await.assert_unavailable();
    let injected = cold.faults.injected();
    let lines = app.log.lines_about("k***@l***.org");
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["pseudonym"], Value::Null);
    assert_eq!(lines[0]["dependency"], "keys");
    assert_eq!(cold.faults.injected(), injected);
}

#[tokio::test]
async fn the_log_never_holds_a_code_a_token_or_an_unmasked_destination() {
    let app = TestApp::start().await;
    for to in [ALICE, PHONE] {
        let (id, code) = app.receive_code(to).await;
        let wrong = other_than(&code);
        app.validate(to, Some(&id), &wrong).await;
        let answer = app.validate(to, Some(&id), &code).await;
        let token = answer.assert_ok()["token"].as_str().unwrap();
        for secret in [to, &code, &wrong, &id, token] {
            app.log.assert_lacks(secret);
        }
    }
    assert!(!app.log.lines().is_empty(), "nothing was logged");
}
