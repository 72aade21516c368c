//! The operator's tool stops in the middle: after each of its calls, and in each call after the
//! service has done its work. Whatever comes next, no session outlives its user.

use std::{ffi::OsString, time::Duration};

use admin::{Exit, Io, run};
use local::aws::clients;
use otp_domain::UnixTime;
use serde_json::{Value, json};
use tests::{ALICE, CallFault, PHONE, TestApp};

/// The sessions that the user has before the tool runs.
const SESSIONS: usize = 3;

/// A user with an e-mail address and a number, and refresh tokens of both.
struct User {
    app: TestApp,
    tokens: Vec<Value>,
}

impl User {
    async fn with_sessions() -> Self {
        let settings = [
            ("RESEND_COOLDOWN_SECONDS", "0"),
            ("UNKNOWN_USERS", "reveal"),
        ];
        let app = TestApp::with(&settings).await;
        let mut user = Self {
            app,
            tokens: Vec::new(),
        };
        let add = format!("add --email {ALICE} --phone {PHONE}");
        assert_eq!(user.admin(&add).await, Exit::Done);
        for to in [ALICE, PHONE, ALICE] {
            user.app.advance(Duration::from_secs(1));
            let token = user.app.log_in(to).await["refresh_token"].clone();
            user.tokens.push(token);
        }
        assert_eq!(user.app.sessions().await, SESSIONS);
        user
    }

    /// Runs a command through the fault proxy.
    async fn admin(&self, line: &str) -> Exit {
        let mut io = Io {
            stdin: &mut [].as_slice(),
            stdout: &mut Vec::new(),
            stderr: &mut Vec::new(),
        };
        let args = format!("users {line}");
        let args = args.split_whitespace().map(OsString::from);
        let table = Some(self.app.settings.sessions.table_name.clone());
        let aws = async || clients(self.app.faults.address);
        let now = UnixTime::from_millis(self.app.now());
        run(args, table, aws, now, &mut io).await
    }

    /// Runs a command whose call number `nth` meets `fault`, and which makes no call after
    /// that. `None` if the command has fewer calls.
    async fn interrupted(&self, line: &str, nth: usize, fault: CallFault) -> Option<Exit> {
        let mut seen = 0;
        self.app.faults.inject_by(move |_, _| {
            seen += 1;
            (seen > nth).then_some(if seen == nth + 1 {
                fault
            } else {
                CallFault::Error(400, "AccessDeniedException")
            })
        });
        let exit = self.admin(line).await;
        let injected = self.app.faults.injected();
        self.app.faults.stop();
        (injected > 0).then_some(exit)
    }

    async fn is_disabled(&self) -> Option<bool> {
        let items = self.app.items().await;
        let users: Vec<bool> = items
            .iter()
            .filter(|item| item.contains_key("user_id") || item.contains_key("version"))
            .map(|item| item.contains_key("disabled_at"))
            .collect();
        assert!(users.is_empty() || users.len() == 3, "half a user");
        assert!(users.windows(2).all(|pair| pair[0] == pair[1]));
        users.first().copied()
    }

    async fn live_tokens(&self) -> usize {
        let mut live = 0;
        for token in &self.tokens {
            let answer = self.app.refresh(token).await;
            live += usize::from(answer.status == 200);
        }
        live
    }
}

/// The faults that end a run: the call does nothing, or does its work in secret.
const FAULTS: [CallFault; 2] = [
    CallFault::Error(400, "AccessDeniedException"),
    CallFault::ReplyReplacedBy500,
];

/// Runs `line` interrupted at each call, then `then`; checks what is left.
async fn at_every_call<C>(line: &str, then: &[&str], check: C) -> usize
where
    C: AsyncFn(&User, &str),
{
    let mut points = 0;
    for fault in FAULTS {
        for nth in 0.. {
            let user = User::with_sessions().await;
            let exit = user.interrupted(line, nth, fault).await;
            let name = format!("{line}, call {nth}, {fault:?}, then {then:?}");
            let Some(exit) = exit else {
                assert_eq!(user.app.sessions().await, 0, "{name}: not interrupted");
                break;
            };
            points += 1;
            assert_eq!(exit, Exit::Failed, "{name}");
            for line in then {
                user.admin(line).await;
            }
            check(&user, &name).await;
        }
    }
    points
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_interrupted_removal_is_finished_by_its_repetition() {
    let remove = format!("remove {ALICE}");
    let points = at_every_call(&remove, &[&remove], async |user, name| {
        assert_eq!(user.app.sessions().await, 0, "{name}: sessions stay");
        assert_eq!(user.is_disabled().await, None, "{name}: the user stays");
        assert_eq!(user.live_tokens().await, 0, "{name}");
    })
    .await;
    // Find by two calls, disable, list in two pages, end three, remove; each in both ways.
    assert_eq!(points, 18);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_interrupted_disabling_is_finished_by_its_repetition() {
    let (by_email, by_phone) = (format!("disable {ALICE}"), format!("disable {PHONE}"));
    let points = at_every_call(&by_email, &[&by_phone], async |user, name| {
        assert_eq!(user.app.sessions().await, 0, "{name}: sessions stay");
        assert_eq!(user.is_disabled().await, Some(true), "{name}");
    })
    .await;
    assert_eq!(points, 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn enabling_after_an_interruption_brings_no_session_back() {
    let enable = format!("enable {PHONE}");
    for line in [format!("disable {ALICE}"), format!("remove {ALICE}")] {
        at_every_call(&line, &[], async |user, name| {
            let before = user.is_disabled().await;
            let exit = user.admin(&enable).await;
            let live = match before {
                // The interrupted command has changed nothing.
                Some(false) => SESSIONS,
                _ => 0,
            };
            assert_eq!(user.app.sessions().await, live, "{name}");
            assert_eq!(user.live_tokens().await, live, "{name}");
            // Only its last call removes the user.
            let expected = before.map_or(Exit::Failed, |_| Exit::Done);
            assert_eq!(exit, expected, "{name}");
            assert_eq!(user.is_disabled().await, before.map(|_| false), "{name}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_interrupted_enabling_brings_no_session_back_either() {
    let (disable, enable) = (format!("disable {ALICE}"), format!("enable {ALICE}"));
    for fault in FAULTS {
        for left in 0.. {
            let user = User::with_sessions().await;
            // Disabled, but every session is still there.
            user.interrupted(&disable, 3, CallFault::Error(400, "AccessDeniedException"))
                .await
                .expect("an interruption");
            assert_eq!(user.app.sessions().await, SESSIONS);
            let exit = user.interrupted(&enable, left, fault).await;
            if user.is_disabled().await == Some(false) {
                assert_eq!(user.app.sessions().await, 0, "call {left}, {fault:?}");
            }
            assert_eq!(user.admin(&enable).await, Exit::Done);
            assert_eq!(user.app.sessions().await, 0, "call {left}, {fault:?}");
            assert_eq!(user.live_tokens().await, 0);
            if exit.is_none() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn enabling_a_user_who_is_not_disabled_ends_nothing() {
    let user = User::with_sessions().await;
    assert_eq!(user.admin(&format!("enable {ALICE}")).await, Exit::Done);
    assert_eq!(user.app.sessions().await, SESSIONS);
    user.app
        .log_out(json!({ "refresh_token": user.tokens[0] }))
        .await;
    assert_eq!(user.live_tokens().await, SESSIONS - 1);
}

#[tokio::test]
async fn no_login_starts_a_session_while_a_removal_is_interrupted() {
    let user = User::with_sessions().await;
    user.app.advance(Duration::from_secs(1));
    let (id, code) = user.app.receive_code(ALICE).await;
    let fault = CallFault::Error(400, "AccessDeniedException");
    let remove = format!("remove {ALICE}");
    user.interrupted(&remove, 3, fault)
        .await
        .expect("an interruption");
    user.app
        .validate(ALICE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
    assert_eq!(user.app.sessions().await, SESSIONS);
    assert_eq!(user.admin(&remove).await, Exit::Done);
    assert_eq!(user.app.sessions().await, 0);
}
