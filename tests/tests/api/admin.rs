//! The operator's tool: users and sessions, and what its changes mean for logins.

mod csv;
mod people;
mod sessions;
mod tool;

use std::{collections::HashMap, ffi::OsString, fmt::Write, net::SocketAddr, time::Duration};

use admin::{Exit, Io, run};
use futures_util::future::join_all;
use local::aws::clients;
use otp_domain::UnixTime;
use serde_json::json;
use tests::{
    ALICE, Call, CallFault, Gate, PHONE, TestApp,
    table::{partition_key, sort_key},
};

use self::csv::many_users;
pub use self::tool::Admin;
use self::tool::HEADER;

const REVEAL: &[(&str, &str)] = &[
    ("UNKNOWN_USERS", "reveal"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
];
#[tokio::test]
async fn an_added_user_logs_in_where_unknown_users_cannot() {
    let app = TestApp::with(REVEAL).await;
    app.login(ALICE).await.assert_problem(404, "user-not-found");

    let added = app.admin("add --email Alice@Example.com").await;
    assert_eq!(added.exit, Exit::Done);
    let (user, is_new) = app.log_in_afresh(ALICE).await;
    assert!(!is_new);
    assert_eq!(
        added.err,
        format!("alice@example.com: added, user_id {user}\n")
    );
    let listed = app.listed().await;
    assert_eq!(
        listed,
        [format!(
            "{user},{ALICE},,2026-01-01T00:10:00Z,2026-01-01T00:10:00.001Z,false,{{}}"
        )]
    );
}

#[tokio::test]
async fn both_destinations_log_the_same_user_in() {
    let app = TestApp::with(REVEAL).await;
    app.admin_does(&format!("add --email {ALICE} --phone {PHONE}"))
        .await;
    let by_email = app.log_in_afresh(ALICE).await;
    let by_phone = app.log_in_afresh(PHONE).await;
    assert_eq!(by_email, by_phone);
    let listed = app.listed().await;
    assert_eq!(listed.len(), 1, "two destinations of one user are one line");
    let expected = format!("{},{ALICE},{PHONE},", by_email.0);
    assert!(listed[0].starts_with(&expected), "{listed:?}");
    assert!(
        listed[0].ends_with(",2026-01-01T00:10:00.002Z,false,{}"),
        "not the later of both logins: {listed:?}"
    );
}

#[tokio::test]
async fn a_disabled_user_gets_no_code_and_no_token_until_enabled() {
    let app = TestApp::with(REVEAL).await;
    app.admin_does(&format!("add --email {ALICE} --phone {PHONE}"))
        .await;
    let (id, code) = app.receive_code(ALICE).await;

    // One destination disables all of them. A second time changes nothing.
    app.admin_does(&format!("disable {PHONE}")).await;
    app.admin_does(&format!("disable {ALICE}")).await;
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
    for to in [ALICE, PHONE] {
        app.login(to).await.assert_problem(404, "user-not-found");
    }
    assert!(app.listed().await[0].ends_with(",true,{}"));

    app.admin_does(&format!("enable {ALICE}")).await;
    app.admin_does(&format!("enable {ALICE}")).await;
    assert_eq!(
        app.log_in_afresh(ALICE).await,
        app.log_in_afresh(PHONE).await
    );
    assert!(app.listed().await[0].ends_with(",false,{}"));
}

#[tokio::test]
async fn a_removed_user_loses_all_destinations() {
    let app = TestApp::with(REVEAL).await;
    app.admin_does(&format!("add --email {ALICE} --phone {PHONE}"))
        .await;
    let (id, code) = app.receive_code(ALICE).await;
    app.admin_does(&format!("remove {PHONE}")).await;

    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
    for to in [ALICE, PHONE] {
        app.login(to).await.assert_problem(404, "user-not-found");
        for command in ["remove", "disable", "enable"] {
            let ran = app.admin(&format!("{command} {to}")).await;
            assert_eq!(ran.exit, Exit::Failed);
            assert_eq!(ran.err, format!("{to}: failed: no such user\n"));
        }
    }
    assert!(app.listed().await.is_empty());
}

#[tokio::test]
async fn a_removed_user_leaves_only_the_time_of_the_last_login() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    app.admin_does(&format!("add --email {ALICE} --phone {PHONE}"))
        .await;
    app.admin_does(&format!(r#"set {ALICE} --claims {{"plan":"gold"}}"#))
        .await;
    app.advance(Duration::from_millis(1));
    let login = app.log_in(ALICE).await;
    let all = json!({ "refresh_token": login["refresh_token"], "all": true });
    assert_eq!(app.log_out(all).await.status, 204);
    app.admin_does(&format!("disable {ALICE}")).await;
    app.admin_does(&format!("remove {ALICE}")).await;
    for (to, left) in [(ALICE, &["last_login_at"][..]), (PHONE, &[])] {
        let item = &app.partition(&partition_key(to)).await["user"];
        let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
        names.retain(|name| !["pk", "sk", "expires_at_seconds"].contains(name));
        assert_eq!(names, left, "{to}");
    }

    // The next users have nothing of the last one.
    let (user, is_new) = app.log_in_afresh(PHONE).await;
    app.admin_does(&format!("add --email {ALICE}")).await;
    let listed = app.listed().await;
    let by_phone = format!("{user},,{PHONE},");
    let line = listed.iter().find(|line| line.starts_with(&by_phone));
    let has_logged_in = ",2026-01-01T00:10:00.002Z,false,{}";
    assert!(is_new && line.is_some_and(|line| line.ends_with(has_logged_in)));
    assert!(
        listed
            .iter()
            .any(|line| line.contains(&format!(",{ALICE},,")))
    );
}

#[tokio::test]
async fn a_code_from_before_a_removal_never_logs_the_removed_user_in() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let (old, is_new) = app.log_in_afresh(ALICE).await;
    assert!(is_new);
    app.advance(Duration::from_millis(1));
    let (id, code) = app.receive_code(ALICE).await;
    app.admin_does(&format!("remove {ALICE}")).await;
    let (user, is_new) = app.redeem(ALICE, &id, &code).await;
    assert!(
        is_new,
        "the code must log a new user in, because sign-up is on"
    );
    assert_ne!(user, old);

    app.admin_does(&format!("remove {ALICE}")).await;
    app.admin_does(&format!("add --email {ALICE}")).await;
    let (added, is_new) = app.log_in_afresh(ALICE).await;
    assert!(!is_new && added != user && added != old);
}

#[tokio::test]
async fn a_used_code_stays_used_when_its_user_is_removed() {
    let app = TestApp::start().await;
    let (void_id, void_code) = app.receive_code(ALICE).await;
    app.advance(Duration::from_secs(30));
    let (id, code) = app.receive_code(ALICE).await;
    app.redeem(ALICE, &id, &code).await;
    for command in ["remove", "add --email"] {
        app.admin_does(&format!("{command} {ALICE}")).await;
        for (id, code) in [(&id, &code), (&void_id, &void_code)] {
            app.validate(ALICE, Some(id), code)
                .await
                .assert_problem(400, "invalid-otp");
        }
    }
    let line = app.listed().await.pop().expect("the added user");
    assert!(
        line.ends_with("Z,,false,{}"),
        "the added user has logged in: {line}"
    );
    app.admin_does(&format!("remove {ALICE}")).await;
    assert!(app.listed().await.is_empty());

    app.advance(Duration::from_secs(30));
    let (_, is_new) = app.log_in_afresh(ALICE).await;
    assert!(is_new);
    let items = app.items().await;
    let users = items.iter().filter(|item| sort_key(item) == "user");
    let expire: Vec<_> = users
        .map(|it| it.contains_key("expires_at_seconds"))
        .collect();
    assert_eq!(expire, [false, false], "a user would expire");
}

#[tokio::test]
async fn an_instance_that_did_not_see_the_last_login_refuses_the_codes_from_before_it() {
    for removed in [true, false] {
        let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
        let void = app.receive_code(ALICE).await;
        app.advance(Duration::from_secs(1));
        let used = app.receive_code(ALICE).await;
        app.redeem(ALICE, &used.0, &used.1).await;
        if removed {
            app.admin_does(&format!("remove {ALICE}")).await;
        }
        for (id, code) in [used, void] {
            let other = app.cold_start().await;
            let answer = other.validate(ALICE, Some(&id), &code).await;
            answer.assert_problem(400, "invalid-otp");
        }
        assert_eq!(app.sessions().await, usize::from(!removed));
        assert_eq!(app.listed().await.is_empty(), removed);
    }
}

#[tokio::test]
async fn an_added_user_is_not_swept_in_place_of_the_removed_one() {
    let often = [("RESEND_COOLDOWN_SECONDS", "0"), ("SENDS_PER_HOUR", "9")];
    let app = TestApp::with(&often).await;
    let csv = format!("email,phone_number,disabled\n{ALICE},,true\n");
    let both = format!("email,phone_number,disabled\n{ALICE},{PHONE},true\n");
    for (add, stdin) in [
        (format!("--email {ALICE}"), ""),
        (format!(r#"--email {ALICE} --claims {{"plan":"gold"}}"#), ""),
        (format!("--email {ALICE} --phone {PHONE}"), ""),
        ("--csv -".to_owned(), csv.as_str()),
        ("--csv -".to_owned(), both.as_str()),
    ] {
        app.log_in_afresh(ALICE).await;
        app.admin_does(&format!("remove {ALICE}")).await;
        let ran = app.admin_reading(&format!("add {add}"), stdin).await;
        assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
        for item in app.items().await {
            let is_user = item.contains_key("user_id") || item.contains_key("version");
            assert!(
                !is_user || !item.contains_key("expires_at_seconds"),
                "{add}"
            );
        }
        app.admin_does(&format!("remove {ALICE}")).await;
    }
}

#[tokio::test]
async fn a_destination_of_one_user_cannot_be_given_to_another() {
    let app = TestApp::with(REVEAL).await;
    app.admin_does(&format!("add --email {ALICE}")).await;
    let before = app.items().await;
    for line in [
        format!("add --email {ALICE}"),
        format!("add --email {ALICE} --phone {PHONE}"),
    ] {
        let ran = app.admin(&line).await;
        assert_eq!(ran.exit, Exit::Failed, "{line}");
        assert!(ran.err.contains("already"), "{}", ran.err);
    }
    assert_eq!(
        app.items().await,
        before,
        "a refused command changed the table"
    );
    app.login(PHONE).await.assert_problem(404, "user-not-found");

    // A line with the destinations of two users changes neither.
    app.admin_does(&format!("add --phone {PHONE}")).await;
    let csv = format!("email,phone_number\n{ALICE},{PHONE}\n");
    for command in ["add", "disable", "remove"] {
        let ran = app.admin_reading(&format!("{command} --csv -"), &csv).await;
        assert_eq!(ran.exit, Exit::Failed, "{command}");
        assert!(ran.err.starts_with("line 2: "), "{}", ran.err);
    }
    app.log_in_afresh(ALICE).await;
    app.log_in_afresh(PHONE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_many_adds_of_one_address_at_once_one_wins_and_the_others_leave_nothing() {
    let app = TestApp::start().await;
    let lines: Vec<_> = (0..30)
        .map(|n| format!("add --email {ALICE} --phone +1415555{n:04}"))
        .collect();
    let gate = Gate::of(2, Call::AddUser, ALICE);
    app.faults.hold(&gate);
    let aws = app.faults.address;
    let ran = join_all(lines.iter().map(|line| app.admin_at(aws, line, ""))).await;
    gate.assert_met();
    let won = ran.iter().filter(|ran| ran.exit == Exit::Done).count();
    assert_eq!(won, 1);
    for lost in ran.iter().filter(|ran| ran.exit != Exit::Done) {
        assert!(
            lost.err
                .contains("alice@example.com already belongs to a user"),
            "{}",
            lost.err
        );
    }
    assert_eq!(
        app.items().await.len(),
        3,
        "the winner with two destinations"
    );
    assert_eq!(app.listed().await.len(), 1);
}

#[tokio::test]
async fn a_run_stops_at_the_first_failure_of_the_table() {
    let app = TestApp::start().await;
    let (csv, _) = many_users();
    let missing = CallFault::Error(400, "ResourceNotFoundException");
    app.operator.inject(Call::AddUser, missing, 1000);
    let ran = app.admin_reading("add --csv -", &csv).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains(" not tried\n"), "{}", ran.err);
    assert!(ran.err.contains("ResourceNotFoundException"), "{}", ran.err);
    let listed = app.admin("--table another list").await;
    assert_eq!(listed.exit, Exit::Failed);
    assert!(listed.err.contains("ResourceNotFoundException"));
}

#[tokio::test]
async fn wrong_usage_has_an_exit_code_of_its_own() {
    let app = TestApp::start().await;
    for line in ["add", "disable", "add --email alice", "list everything"] {
        assert_eq!(app.admin(line).await.exit, Exit::Usage, "{line}");
    }
    let help = app.admin("--help").await;
    assert_eq!(help.exit, Exit::Done);
    assert!(help.out.starts_with("Usage: admin "));
}
