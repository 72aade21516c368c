//! Test identities: destinations with a fixed code.

use std::time::Duration;

use tests::{PHONE, TestApp};

const REVIEWER: &str = "reviewer@example.com";
/// The clock starts on 2026-01-01.
const SETTINGS: &[(&str, &str)] = &[
    (
        "TEST_IDENTITIES",
        "reviewer@example.com=012345,+14155550123=999999",
    ),
    ("TEST_IDENTITIES_UNTIL", "2026-01-20T00:00:00Z"),
];

#[tokio::test]
async fn a_test_identity_logs_in_with_its_fixed_code_and_gets_no_message() {
    let app = TestApp::with(SETTINGS).await;
    for (to, code) in [(REVIEWER, "012345"), (PHONE, "999999")] {
        let id = app.login(to).await.assert_ok()["challenge_id"].clone();
        assert!(app.messages(to).is_empty());
        app.validate(to, id.as_str(), "000000")
            .await
            .assert_problem(400, "invalid-otp");
        app.validate(to, id.as_str(), code).await.assert_ok();
        app.validate(to, id.as_str(), code)
            .await
            .assert_problem(400, "invalid-otp");
        app.log.assert_lacks(code);
    }
}

#[tokio::test]
async fn a_test_identity_needs_a_login_and_has_the_same_limits() {
    let app = TestApp::with(SETTINGS).await;
    app.validate(REVIEWER, None, "012345")
        .await
        .assert_problem(400, "invalid-otp");
    app.login(REVIEWER).await.assert_ok();
    app.login(REVIEWER).await.assert_too_many();
    for _ in 0..3 {
        app.validate(REVIEWER, None, "000000")
            .await
            .assert_problem(400, "invalid-otp");
    }
    app.validate(REVIEWER, None, "012345")
        .await
        .assert_problem(400, "invalid-otp");
}

#[tokio::test]
async fn after_its_last_day_a_test_identity_gets_messages_like_any_destination() {
    let app = TestApp::with(SETTINGS).await;
    app.advance(Duration::from_hours(24 * 19));
    app.login(REVIEWER).await.assert_ok();
    let code = app.newest_code(REVIEWER);
    app.validate(REVIEWER, None, &code).await.assert_ok();
}

#[tokio::test]
async fn a_session_of_a_test_identity_ends_on_its_last_day() {
    let app = TestApp::with(SETTINGS).await;
    app.advance(Duration::from_hours(24 * 18));
    let id = app.login(REVIEWER).await.assert_ok()["challenge_id"].clone();
    let login = app.validate(REVIEWER, id.as_str(), "012345").await;
    let left = login.assert_ok()["refresh_expires_in"].as_u64().unwrap();
    assert!(left < 24 * 60 * 60, "{left}");
    app.advance(Duration::from_secs(left));
    app.refresh(&login.json["refresh_token"])
        .await
        .assert_problem(400, "invalid-refresh-token");
}

#[tokio::test]
async fn a_function_that_starts_after_the_last_day_serves_everybody_and_warns() {
    let ended = [
        SETTINGS[0],
        ("TEST_IDENTITIES_UNTIL", "2025-12-31T00:00:00Z"),
    ];
    let app = TestApp::with(&ended).await;
    app.login(REVIEWER).await.assert_ok();
    let code = app.newest_code(REVIEWER);
    let login = app.validate(REVIEWER, None, &code).await;
    assert_eq!(login.assert_ok()["refresh_expires_in"], 604_800);
    otp_edge::log::warnings(&app.settings);
    let lines = app.log.lines();
    let warned = lines.iter().any(|line| {
        line["level"] == "WARN" && line["reason"] == otp_edge::settings::TEST_IDENTITIES_ENDED
    });
    assert!(warned, "no warning");
    app.log.assert_lacks("012345");
}

#[tokio::test]
async fn a_fixed_code_that_is_used_after_its_last_day_starts_no_session_that_lasts() {
    let app = TestApp::with(SETTINGS).await;
    app.advance(Duration::from_hours(24 * 19) - Duration::from_mins(11));
    let id = app.login(REVIEWER).await.assert_ok()["challenge_id"].clone();
    app.advance(Duration::from_mins(2));
    // A function that starts after the date.
    let app = app.cold_start().await;
    let login = app.validate(REVIEWER, id.as_str(), "012345").await;
    assert_eq!(login.assert_ok()["refresh_expires_in"], 0);
}
