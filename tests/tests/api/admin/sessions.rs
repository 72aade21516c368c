//! Sessions, listed and ended.

use super::*;

/// The ids of a user's sessions, as the tool lists them.
async fn session_ids(app: &TestApp, of: &str) -> Vec<String> {
    let ran = app.admin(&format!("sessions list {of}")).await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    let lines = ran
        .out
        .strip_prefix("session,destination,created_at,refreshed_at,expires_at\n")
        .expect("the header");
    let ids = lines
        .lines()
        .map(|line| line.split(',').next().unwrap().to_owned());
    ids.collect()
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all_at_once() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(app.log_in(ALICE).await["refresh_token"].clone());
        app.advance(Duration::from_secs(1));
    }
    let other_users = app.log_in(PHONE).await["refresh_token"].clone();
    let ids = session_ids(&app, ALICE).await;
    assert_eq!(ids.len(), 3);

    app.admin_does(&format!("sessions end {ALICE} --session {}", ids[1]))
        .await;
    app.refresh(&tokens[1])
        .await
        .assert_problem(400, "invalid-refresh-token");
    app.refresh(&tokens[0]).await.assert_ok();
    let again = app
        .admin(&format!("sessions end {ALICE} --session {}", ids[1]))
        .await;
    assert_eq!(again.exit, Exit::Failed);

    app.admin_does(&format!("sessions end {ALICE}")).await;
    assert!(session_ids(&app, ALICE).await.is_empty());
    app.refresh(&tokens[2])
        .await
        .assert_problem(400, "invalid-refresh-token");
    app.refresh(&other_users).await.assert_ok();
    let nobody = app.admin("sessions list nobody@example.com").await;
    assert_eq!(nobody.exit, Exit::Failed);
    for wrong in [
        "sessions list",
        "sessions end",
        "sessions forget alice@example.com",
    ] {
        assert_eq!(app.admin(wrong).await.exit, Exit::Usage, "{wrong}");
    }
}

#[tokio::test]
async fn enabling_a_user_does_not_bring_the_old_sessions_back() {
    let app = TestApp::start().await;
    let token = app.log_in(ALICE).await["refresh_token"].clone();
    app.admin_does(&format!("disable {ALICE}")).await;
    app.admin_does(&format!("enable {ALICE}")).await;
    app.refresh(&token)
        .await
        .assert_problem(400, "invalid-refresh-token");
}
