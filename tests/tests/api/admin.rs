//! The operator's tool: users and sessions, and what its changes mean for logins.

use std::{collections::HashMap, ffi::OsString, fmt::Write, time::Duration};

use admin::{Exit, Io, run};
use futures_util::future::join_all;
use local::aws::sdk_config;
use otp_domain::UnixTime;
use tests::{ALICE, PHONE, TestApp, table::sort_key};

const REVEAL: &[(&str, &str)] = &[
    ("UNKNOWN_USERS", "reveal"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
];
const HEADER: &str = "user_id,email,phone_number,created_at,last_login_at,disabled,claims\n";

/// What one run of the tool left.
pub struct Ran {
    exit: Exit,
    out: String,
    err: String,
}

/// The tool on an app's table.
pub trait Admin {
    /// Runs a command line, with this standard input.
    async fn admin_reading(&self, line: &str, stdin: &str) -> Ran;
    /// Runs a command line.
    async fn admin(&self, line: &str) -> Ran;
    /// Runs a command line that must succeed.
    async fn admin_does(&self, line: &str);
    /// The lines of `users list`, without the header.
    async fn listed(&self) -> Vec<String>;
    /// Logs in by a fresh code: the user's id, and whether the user is new.
    async fn log_in_afresh(&self, to: &str) -> (String, bool);
    /// Brings a code back: the user's id, and whether the user is new.
    async fn redeem(&self, to: &str, id: &str, code: &str) -> (String, bool);
}

impl Admin for TestApp {
    async fn admin_reading(&self, line: &str, stdin: &str) -> Ran {
        let (mut stdin, mut out, mut err) = (stdin.as_bytes(), Vec::new(), Vec::new());
        let mut io = Io {
            stdin: &mut stdin,
            stdout: &mut out,
            stderr: &mut err,
        };
        let group = if line.starts_with("sessions ") || line.starts_with("logins ") {
            ""
        } else {
            "users "
        };
        let args = format!("{group}{line}");
        let args = args.split_whitespace().map(OsString::from);
        let table = Some(self.settings.login.table_name.clone());
        let sdk = async || sdk_config(self.stack.aws);
        let exit = run(args, table, sdk, UnixTime::from_secs(0), &mut io).await;
        Ran {
            exit,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
    }

    async fn admin(&self, line: &str) -> Ran {
        self.admin_reading(line, "").await
    }

    async fn admin_does(&self, line: &str) {
        let ran = self.admin(line).await;
        assert_eq!(ran.exit, Exit::Done, "{line}: {}", ran.err);
    }

    async fn log_in_afresh(&self, to: &str) -> (String, bool) {
        self.advance(Duration::from_millis(1));
        let (id, code) = self.receive_code(to).await;
        self.redeem(to, &id, &code).await
    }

    async fn redeem(&self, to: &str, id: &str, code: &str) -> (String, bool) {
        let answer = self.validate(to, Some(id), code).await;
        let json = answer.assert_ok();
        let user = json["user_id"].as_str().unwrap().to_owned();
        (user, json["new_user"].as_bool().unwrap())
    }

    async fn listed(&self) -> Vec<String> {
        let ran = self.admin("list").await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
        let lines = ran.out.strip_prefix(HEADER).expect("the header");
        lines.lines().map(str::to_owned).collect()
    }
}

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
            "{user},{ALICE},,1970-01-01T00:00:00Z,2026-01-01T00:10:00.001Z,false,{{}}"
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
    let user = items.iter().find(|item| sort_key(item) == "user");
    let user = user.expect("the new user");
    assert!(
        !user.contains_key("expires_at_seconds"),
        "a user would expire"
    );
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
    let ran = join_all(lines.iter().map(|line| app.admin(line))).await;
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
    assert_eq!(app.items().await.len(), 2, "two destinations of the winner");
    assert_eq!(app.listed().await.len(), 1);
}

/// The columns e-mail, number and disabled of each line, sorted.
fn columns(lines: &[String]) -> Vec<(String, String, String)> {
    let mut columns: Vec<_> = lines
        .iter()
        .map(|line| {
            let fields: Vec<_> = line.split(',').map(str::to_owned).collect();
            (fields[1].clone(), fields[2].clone(), fields[5].clone())
        })
        .collect();
    columns.sort();
    columns
}

/// Enough for two pages of a scan, because most users have two items.
const MANY: usize = 300;

fn many_users() -> (String, Vec<(String, String, String)>) {
    let (mut csv, mut expected) = ("phone_number,email,disabled\r\n".to_owned(), Vec::new());
    for n in 0..MANY {
        let phone = match n % 10 {
            0 => String::new(),
            _ => format!("+1415{n:07}"),
        };
        let (email, disabled) = (format!("user{n:04}@example.com"), n % 7 == 0);
        write!(csv, "\"{phone}\",{email},{disabled}\r\n").unwrap();
        expected.push((email, phone, disabled.to_string()));
    }
    (csv, expected)
}

#[tokio::test]
async fn users_go_in_and_out_as_csv() {
    let app = TestApp::start().await;
    let (csv, expected) = many_users();
    let ran = app.admin_reading("add --csv -", &csv).await;
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    let lines: Vec<_> = ran.err.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], "100 of 300");
    assert_eq!(lines[2], "300 added, 0 unchanged, 0 failed");
    let listed = app.listed().await;
    assert_eq!(columns(&listed), expected);

    let out = app.admin("list").await.out;
    let again = app.admin_reading("add --csv -", &out).await;
    assert_eq!(
        again.exit,
        Exit::Done,
        "a user that exists already is an error"
    );
    assert!(
        again
            .err
            .starts_with("ignored columns: user_id, created_at, last_login_at\n")
    );
    assert!(again.err.ends_with("\n0 added, 300 unchanged, 0 failed\n"));
    assert_eq!(
        again.err.matches(": already exists, user_id ").count(),
        MANY
    );

    let elsewhere = TestApp::start().await;
    let ran = elsewhere.admin_reading("add --csv -", &out).await;
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    assert_eq!(columns(&elsewhere.listed().await), expected);

    for command in ["remove", "remove"] {
        let ran = app.admin_reading(&format!("{command} --csv -"), &out).await;
        assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    }
    assert!(app.listed().await.is_empty());
    let swept = |item: &HashMap<_, _>| item.contains_key("expires_at_seconds");
    let items = app.items().await;
    assert!(items.iter().all(swept), "an item of a removed user stays");
}

#[tokio::test]
async fn a_malformed_csv_file_writes_nothing() {
    let app = TestApp::start().await;
    let csv = "email,phone_number\nalice@example.com,\nbob,\n,\ncarol@example.com,+1\n";
    let ran = app.admin_reading("add --csv -", csv).await;
    assert_eq!(ran.exit, Exit::Failed);
    for line in ["line 3: ", "line 4: ", "line 5: ", "nothing was written"] {
        assert!(ran.err.contains(line), "{}", ran.err);
    }
    assert!(app.items().await.is_empty());

    let missing = app.admin("add --csv /no/such/file.csv").await;
    assert_eq!(missing.exit, Exit::Failed);
    assert!(missing.err.starts_with("/no/such/file.csv: "));
}

#[tokio::test]
async fn a_run_stops_at_the_first_failure_of_the_table() {
    let app = TestApp::start().await;
    let (csv, _) = many_users();
    let ran = app.admin_reading("--table another add --csv -", &csv).await;
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
