//! The operator's tool: why a code did not come, and what lets the next one arrive.

use std::{ffi::OsString, time::Duration};

use admin::{Exit, Io, run};
use local::aws::clients;
use otp_domain::UnixTime;
use tests::{ALICE, PHONE, TestApp};

const BOUNCE: &str = "bounce@simulator.amazonses.com";
const OPTED_OUT: &str = "+15005550003";
const MINUTE: Duration = Duration::from_mins(1);

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
    out.extend(err);
    (exit, String::from_utf8(out).unwrap())
}

/// What the tool prints, if it succeeds.
async fn said(app: &TestApp, line: &str) -> String {
    let (exit, said) = admin(app, line).await;
    assert_eq!(exit, Exit::Done, "{line}: {said}");
    said
}

async fn login_and_report(app: &TestApp, to: &str) -> String {
    let id = app.login(to).await.text("challenge_id");
    app.deliver_reports().await;
    app.advance(MINUTE);
    id
}

#[tokio::test]
async fn why_names_each_cause_of_a_code_that_never_came() {
    let app = TestApp::with(&[("SENDS_PER_HOUR", "5")]).await;
    let why = async |of: &str| said(&app, &format!("why {of}")).await;
    let nobody = why(ALICE).await;
    assert!(nobody.contains("user        none") && nobody.contains("none in seven days"));
    assert!(nobody.contains("next login  sends by email"), "{nobody}");

    login_and_report(&app, BOUNCE).await;
    let bounced = why(BOUNCE).await;
    assert!(bounced.contains("email bounced, challenge"), "{bounced}");
    assert!(bounced.contains("mark        email bounced since 2026-01-01T00:10:00Z, until"));
    assert!(
        bounced.contains("409 destination-undeliverable: bounced"),
        "{bounced}"
    );

    login_and_report(&app, OPTED_OUT).await;
    let opted_out = why(OPTED_OUT).await;
    assert!(opted_out.contains("until lifted"), "{opted_out}");
    assert!(
        opted_out.contains("undeliverable: opted-out"),
        "{opted_out}"
    );

    app.login(PHONE).await.assert_ok();
    let cooling = why(PHONE).await;
    assert!(
        cooling.contains("429 too-many-requests: cooldown until"),
        "{cooling}"
    );
    for _ in 0..4 {
        app.advance(MINUTE);
        app.login(PHONE).await.assert_ok();
    }
    app.advance(MINUTE);
    let full = why(PHONE).await;
    let end = "SENDS_PER_HOUR is 5, until 2026-01-01T01:00:00Z";
    assert!(full.contains(end), "{full}");
    app.advance(MINUTE * 60);
    for _ in 0..5 {
        app.advance(MINUTE);
        app.login(PHONE).await.assert_ok();
    }
    app.advance(MINUTE);
    let wait = app.login(PHONE).await.assert_too_many();
    for (wait, told) in [
        (wait - 1, "SENDS_PER_DAY is 10, until"),
        (1, "sends by sms"),
    ] {
        app.advance(Duration::from_secs(wait));
        let next = why(PHONE).await;
        assert!(next.contains(told), "{next}");
    }

    app.add_user(ALICE, true).await;
    let disabled = why(ALICE).await;
    assert!(
        disabled.contains("sends nothing: the user is disabled"),
        "{disabled}"
    );
}

#[tokio::test]
async fn a_destination_a_user_and_a_challenge_lead_to_the_same_messages() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.deliver_reports().await;
    let login = app.validate(ALICE, Some(&id), &code).await;
    let user = login.text("user_id");
    let expected = format!(
        "destination,at,way,state,challenge_id\n\
         {ALICE},2026-01-01T00:10:00Z,email,delivered,{id}\n"
    );
    for of in [ALICE, &user, &id] {
        assert_eq!(said(&app, &format!("deliveries {of}")).await, expected);
        let why = said(&app, &format!("why {of}")).await;
        assert!(why.starts_with(ALICE) && why.contains(&user), "{why}");
    }
    app.advance(MINUTE);
    // Long after the challenge is gone, its message is known.
    let again = login_and_report(&app, ALICE).await;
    app.advance(Duration::from_hours(24));
    let listed = said(&app, &format!("deliveries {again}")).await;
    assert_eq!(listed.lines().count(), 3);
    let (unknown, _) = admin(&app, "why AAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(unknown, Exit::Failed);
}

#[tokio::test]
async fn clearing_a_destination_lifts_its_marks_and_takes_it_off_the_list() {
    let app = TestApp::start().await;
    app.stack.messages.suppress(ALICE);
    app.login(ALICE).await.assert_ok();
    let reports = app.deliver_reports().await;
    app.advance(MINUTE);
    app.login(ALICE)
        .await
        .assert_problem(409, "destination-undeliverable");
    let shown = said(&app, &format!("destinations show {ALICE}")).await;
    let expected = format!(
        "destination,way,mark,since,until\n{ALICE},email,suppressed,2026-01-01T00:10:00Z,\n"
    );
    assert_eq!(shown, expected);
    let cleared = said(&app, &format!("destinations clear {ALICE}")).await;
    assert!(cleared.contains("email: no longer suppressed"), "{cleared}");
    assert!(cleared.contains("off the suppression list"), "{cleared}");
    // The same report once more is from before.
    for report in reports {
        app.invoke(otp_edge::route::Route::Login, &report)
            .await
            .unwrap();
    }
    login_and_report(&app, ALICE).await;
    assert_eq!(app.messages(ALICE)[0].state, "delivered");
    let nothing = said(&app, &format!("destinations clear {ALICE}")).await;
    assert!(nothing.contains("nothing to clear"), "{nothing}");
}

#[tokio::test]
async fn clearing_the_limits_lets_a_person_in_again() {
    let app = TestApp::with(&[("SENDS_PER_HOUR", "2")]).await;
    let sub_address = "alice+news@example.com";
    for to in [ALICE, PHONE, sub_address] {
        said(&app, &format!("limits clear {to}")).await;
        for _ in 0..2 {
            app.login(to).await.assert_ok();
            app.advance(MINUTE);
        }
        app.login(to).await.assert_too_many();
        said(&app, &format!("limits clear {to}")).await;
        // Another instance, which remembers no refusal.
        let other = app.cold_start().await;
        other.login(to).await.assert_ok();
        other.login(to).await.assert_too_many();
        said(&app, &format!("limits clear {to}")).await;
        app.cold_start().await.login(to).await.assert_ok();
    }
}

#[tokio::test]
async fn a_command_that_is_incomplete_is_wrong_usage() {
    let app = TestApp::start().await;
    for line in [
        "why ",
        "deliveries a b",
        "destinations ",
        "destinations drop a@example.com",
        "destinations show",
        "limits clear",
        "limits clear AAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert_eq!(admin(&app, line).await.0, Exit::Usage, "{line}");
    }
}
