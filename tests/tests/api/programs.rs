//! The functions' programs, invoked as Lambda invokes them. A program answers any JSON. A runtime
//! error would be a 502 for the client and a stack trace in the log.

mod connections;

use std::time::Duration;

use otp_service::{ambient::Stopwatch, login::HOLD};
use tests::{ALICE, Call, CallFault, LOGIN as PATH, Program, TestApp, destination};
use tokio::process::Command;

const LOGIN: &str = include_str!("../../../events/login-email.json");
const VALIDATE: &str = include_str!("../../../events/validate-email.json");

/// A part of each malformed event. Neither an answer nor the log may repeat it.
const CANARY: &str = "c4n4ry";

fn start(path: &str, app: &TestApp) -> Program {
    Program::start(Command::new(path), app.faults.address, &[])
}

async fn assert_answers(program: &mut Program, event: &str, status: u16) {
    program.send(event);
    let answer = program.answer().await;
    assert_eq!(answer["statusCode"], status, "{answer}");
    assert!(!answer.to_string().contains(CANARY), "{answer}");
}

/// Ends the program; returns what it has logged.
async fn end(program: Program) -> String {
    let log = program.end().await;
    assert!(!log.contains(CANARY), "the log repeats an event");
    log
}

/// An event whose body is not the base64 that it should be.
fn with_wrong_base64(event: &str) -> String {
    let body = event.replace("\"body\": \"", "\"body\": \"c4n4ry!");
    let marked = body.replace("\"isBase64Encoded\": false", "\"isBase64Encoded\": true");
    assert!(body != event && marked != body, "the event was not changed");
    marked
}

const MALFORMED: [&str; 4] = ["null", r#"{"headers": "c4n4ry"}"#, r#""\ud800""#, "1e999"];

#[tokio::test]
async fn the_login_program_answers_any_json() {
    let app = TestApp::start().await;
    let mut program = start(env!("CARGO_BIN_EXE_login-function"), &app);
    assert_answers(&mut program, &with_wrong_base64(LOGIN), 400).await;
    for event in MALFORMED {
        assert_answers(&mut program, event, 400).await;
    }
    let strange_host = LOGIN.replace("\"Host\": \"", "\"Host\": \"c4n4ry[@::");
    assert!(strange_host != LOGIN, "the event was not changed");
    assert_answers(&mut program, &strange_host, 200).await;
    assert_answers(&mut program, LOGIN, 429).await;
    assert_eq!(app.stack.messages.messages(None).len(), 1);

    let log = end(program).await;
    assert_eq!(log.matches("\"invalid-request\"").count(), 5, "{log}");
    assert_eq!(log.matches("\"outcome\"").count(), 7, "{log}");
}

#[tokio::test]
async fn the_validate_program_answers_any_json() {
    let app = TestApp::start().await;
    let mut program = start(env!("CARGO_BIN_EXE_validate-function"), &app);
    for event in [&with_wrong_base64(VALIDATE), "{}"]
        .into_iter()
        .chain(MALFORMED)
    {
        assert_answers(&mut program, event, 400).await;
    }
    assert_answers(&mut program, VALIDATE, 400).await;

    let log = end(program).await;
    assert_eq!(log.matches("\"invalid-request\"").count(), 6, "{log}");
    assert_eq!(log.matches("\"invalid-otp\"").count(), 1, "{log}");
}

/// A function that conceals, and whose calls go through the proxy of `app`.
fn concealing(app: &TestApp) -> Program {
    let program = Command::new(env!("CARGO_BIN_EXE_login-function"));
    Program::start(program, app.faults.address, &[("UNKNOWN_USERS", "conceal")])
}

#[tokio::test]
async fn an_instance_takes_its_next_event_after_the_same_time_whoever_logged_in() {
    let app = TestApp::start().await;
    app.add_user(ALICE, false).await;
    let silent = "silent@example.com";
    app.add_user(silent, false).await;
    app.faults.inject_by(move |call, body| {
        let is_silent = String::from_utf8_lossy(body).contains(silent);
        (call == Call::SendEmail && is_silent).then_some(CallFault::NoReply)
    });
    let wait = async |to: &str| {
        let mut program = concealing(&app);
        program.send(&Program::event(PATH, &destination(to)));
        assert_eq!(program.answer().await["statusCode"], 200);
        let answered = Stopwatch::start();
        program.send(&Program::event(PATH, &destination(to)));
        assert_eq!(program.answer().await["statusCode"], 429);
        let waited = answered.elapsed();
        program.end().await;
        waited
    };
    let (user, stranger, silent) = tokio::join!(
        wait(ALICE),
        wait("stranger@example.com"),
        wait("silent@example.com"),
    );
    for waited in [user, stranger, silent] {
        assert!(waited >= HOLD, "{waited:?}");
        // The machine may be busy.
        assert!(waited < HOLD + Duration::from_secs(1), "{waited:?}");
    }
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn a_refused_and_a_repeated_login_do_not_hold_the_instance() {
    let app = TestApp::start().await;
    app.add_user(ALICE, false).await;
    let mut program = concealing(&app);
    for to in [ALICE, "stranger@example.com"] {
        let login = destination(to);
        let keyed = Program::event_with(
            PATH,
            &login,
            &[("idempotency-key", "another-key-of-a-client")],
        );
        program.send(&keyed);
        assert_eq!(program.answer().await["statusCode"], 200);
        for (event, status) in [(&keyed, 200), (&Program::event(PATH, &login), 429)] {
            // The first of these two waits for the login before them.
            program.send(event);
            assert_eq!(program.answer().await["statusCode"], status);
            let answered = Stopwatch::start();
            program.send("{}");
            assert_eq!(program.answer().await["statusCode"], 400);
            assert!(answered.elapsed() < HOLD / 2, "{:?}", answered.elapsed());
        }
    }
    program.end().await;
}
