//! The operator's tool, given the ids of the log.

use std::{ffi::OsString, time::Duration};

use admin::{Exit, Io, run};
use local::aws::clients;
use otp_domain::UnixTime;
use serde_json::Value;
use tests::{ALICE, PHONE, TestApp};

/// Runs a command line: how it ended, and what it printed.
async fn admin(app: &TestApp, line: &str) -> (Exit, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut io = Io {
        stdin: &mut [].as_slice(),
        stdout: &mut out,
        stderr: &mut err,
    };
    let args = line.split_whitespace().map(OsString::from);
    let table = Some(app.settings.sessions.table_name.clone());
    let aws = async || clients(app.operator.address);
    let exit = run(args, table, aws, UnixTime::from_millis(app.now()), &mut io).await;
    (exit, String::from_utf8(out).unwrap())
}

async fn admin_does(app: &TestApp, line: &str) -> String {
    let (exit, out) = admin(app, line).await;
    assert_eq!(exit, Exit::Done, "{line}");
    out
}

#[tokio::test]
async fn the_ids_of_a_log_line_lead_to_the_user_and_the_session() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let to = "stolen@by-id.example.com";
    let stolen = app.log_in(to).await["refresh_token"].clone();
    app.advance(Duration::from_secs(1));
    let other = app.log_in(to).await["refresh_token"].clone();
    app.log_in(ALICE).await;
    app.refresh(&stolen).await.assert_ok();
    let lines = app.log.lines_about("s***@b***.com");
    let line = lines.last().unwrap();
    let id = |name: &str| line[name].as_str().unwrap().to_owned();
    let (user, session) = (id("user_id"), id("session_id"));

    let shown = admin_does(&app, &format!("users show {user}")).await;
    assert!(shown.contains(to) && shown.lines().count() == 2, "{shown}");
    assert_eq!(admin_does(&app, &format!("users show {to}")).await, shown);
    let listed = admin_does(&app, &format!("sessions list {user}")).await;
    assert_eq!(listed.matches(to).count(), 2);
    assert!(listed.contains(&session));

    admin_does(&app, &format!("sessions end {user} --session {session}")).await;
    app.refresh(&stolen)
        .await
        .assert_problem(400, "invalid-refresh-token");
    app.refresh(&other).await.assert_ok();
    admin_does(&app, &format!("sessions end {user}")).await;
    assert_eq!(app.sessions_of(to).await, 0);
    assert_eq!(app.sessions_of(ALICE).await, 1);
}

#[tokio::test]
async fn a_user_is_disabled_enabled_and_removed_by_id_with_or_without_sessions() {
    for has_session in [true, false] {
        let app = TestApp::start().await;
        admin_does(&app, &format!("users add --email {ALICE} --phone {PHONE}")).await;
        admin_does(&app, "users add --email other@example.com").await;
        let user = app.log_in(PHONE).await["user_id"].clone();
        let user = user.as_str().unwrap();
        if !has_session {
            admin_does(&app, &format!("sessions end {user}")).await;
        }
        let is_disabled = async || {
            let shown = admin_does(&app, &format!("users show {ALICE}")).await;
            shown.trim_end().ends_with(",true,{}")
        };
        admin_does(&app, &format!("users disable {user}")).await;
        assert!(is_disabled().await);
        assert_eq!(app.sessions().await, 0);
        admin_does(&app, &format!("users enable {user}")).await;
        assert!(!is_disabled().await);
        admin_does(&app, &format!("users remove {user}")).await;
        for line in [
            "users show",
            "users remove",
            "sessions list",
            "sessions end",
        ] {
            let (exit, out) = admin(&app, &format!("{line} {user}")).await;
            assert_eq!((exit, out.as_str()), (Exit::Failed, ""), "{line}");
        }
        let left = admin_does(&app, "users list").await;
        assert_eq!(left.lines().count(), 2, "another user is gone");
    }
}

#[tokio::test]
async fn an_operator_who_may_use_the_key_computes_the_pseudonym_of_the_log() {
    let app = TestApp::start().await;
    app.login("named@by-key.example.com").await.assert_ok();
    let lines = app.log.lines_about("n***@b***.com");
    let key = &app.settings.sessions.digest_key_id;
    let line = format!("users pseudonym named@by-key.example.com --digest-key {key}");
    let printed = admin_does(&app, &line).await;
    assert_eq!(Value::from(printed.trim_end()), lines[0]["pseudonym"]);
}
