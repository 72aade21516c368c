//! The life of codes.

use std::time::Duration;

use tests::{ALICE, TestApp};

#[tokio::test]
async fn a_code_is_good_until_the_last_moment_of_its_life() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.advance(Duration::from_millis(299_999));
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn an_expired_code_is_refused_while_the_table_still_holds_it() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.advance(Duration::from_mins(5));
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
    app.validate(ALICE, None, &code)
        .await
        .assert_problem(400, "invalid-otp");
    let attempts = app.attempts_at(ALICE, &id).await;
    assert_eq!(attempts, 0, "the write's own condition must refuse");
}

#[tokio::test]
async fn the_life_of_codes_is_a_setting() {
    let app = TestApp::with(&[("OTP_TTL_SECONDS", "1")]).await;
    let (id, code) = app.receive_code(ALICE).await;
    app.advance(Duration::from_secs(1));
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
}
