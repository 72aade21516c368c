//! Known devices: who has logged in before does not share limits with strangers.

use std::time::Duration;

use serde_json::json;
use tests::{
    ALICE, Answer, Call, Gate, LOGIN, TestApp, VALIDATE, destination, other_than,
    table::{Item, number, partition_key},
    validation,
};

const STRANGER: &str = "203.0.113.9";
const BOB: &str = "bob@example.com";

async fn login_with(app: &TestApp, client: &str, to: &str, device: Option<&str>) -> Answer {
    let mut body = destination(to);
    if let Some(device) = device {
        body["device_token"] = json!(device);
    }
    app.post_from(client, LOGIN, &[], &body).await
}

/// Logs in and returns the token of the device.
async fn device_of(app: &TestApp, to: &str) -> String {
    app.log_in(to).await["device_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn validate_with(app: &TestApp, client: &str, id: &str, code: &str) -> Answer {
    let body = validation(ALICE, Some(id), code);
    app.post_from(client, VALIDATE, &[], &body).await
}

/// What is counted of the one device that has asked for codes since its last right one.
async fn past_of_device(app: &TestApp) -> Item {
    let items = app.partition(&partition_key(ALICE)).await;
    let mut pasts = items
        .into_iter()
        .filter(|(sort, _)| sort.starts_with("device#") && !sort.contains("sends"));
    let (_, past) = pasts.next().expect("a device");
    past
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

#[tokio::test]
async fn a_device_gets_its_code_whatever_strangers_have_used_up() {
    for mode in ["sign-up", "conceal"] {
        let settings = [("UNKNOWN_USERS", mode), ("REQUESTS_PER_IP_PER_HOUR", "3")];
        let app = TestApp::with(&settings).await;
        app.add_user(ALICE, false).await;
        let device = device_of(&app, ALICE).await;
        app.advance(minutes(1));
        // A stranger starts the cooldown and uses up the hour.
        for n in 0..5 {
            let client = format!("198.51.100.{n}");
            login_with(&app, &client, ALICE, None).await;
            app.advance(Duration::from_secs(31));
        }
        login_with(&app, STRANGER, ALICE, None)
            .await
            .assert_too_many();
        let before = app.messages(ALICE).len();
        // And the client's own limit is reached.
        for n in 0..3 {
            login_with(&app, "198.51.100.99", &format!("{n}@example.com"), None).await;
        }
        let answer = login_with(&app, "198.51.100.99", ALICE, Some(&device)).await;
        let id = answer.assert_ok()["challenge_id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(app.messages(ALICE).len(), before + 1, "{mode}");
        let code = app.newest_code(ALICE);
        let login = validate_with(&app, "198.51.100.99", &id, &code).await;
        assert!(login.assert_ok()["device_token"].is_string(), "{mode}");
    }
}

#[tokio::test]
async fn what_is_full_for_strangers_is_open_for_a_device_at_the_same_instance() {
    let app = TestApp::with(&[("EMAILS_PER_DAY", "100")]).await;
    let device = device_of(&app, ALICE).await;
    app.advance(minutes(1));
    let day = app.now() / 86_400_000 * 86_400;
    for shard in 0..2 {
        // Of a hundred, twenty are kept from strangers.
        let counts = [(&*format!("emails-day#{day}"), 40)];
        app.put_counts(&format!("deployment#email#{shard}"), "messages", &counts)
            .await;
    }
    let refused = login_with(&app, STRANGER, BOB, None).await;
    assert_eq!(refused.text("limit"), "deployment");
    login_with(&app, STRANGER, ALICE, Some(&device))
        .await
        .assert_ok();
}

#[tokio::test]
async fn a_device_has_a_cooldown_and_sends_of_its_own() {
    for limit in ["SENDS_PER_HOUR", "SENDS_PER_DAY"] {
        let app = TestApp::with(&[(limit, "2")]).await;
        let device = device_of(&app, ALICE).await;
        let with = async || login_with(&app, STRANGER, ALICE, Some(&device)).await;
        with().await.assert_ok();
        let cooling = with().await;
        assert_eq!(cooling.text("limit"), "cooldown");
        app.advance(Duration::from_secs(30));
        with().await.assert_ok();
        app.advance(Duration::from_secs(30));
        let full = with().await;
        assert_eq!(full.text("limit"), "destination", "{limit}");
        // The strangers' sends are untouched by all that.
        login_with(&app, STRANGER, ALICE, None).await.assert_ok();
    }
}

#[tokio::test]
async fn a_token_that_is_malformed_foreign_or_over_is_as_none() {
    let app = TestApp::with(&[("DEVICE_TTL_SECONDS", "3600")]).await;
    let device = device_of(&app, ALICE).await;
    let bobs = device_of(&app, BOB).await;
    app.advance(minutes(1));
    app.login(ALICE).await.assert_ok();
    let is_cooling = async |device: &str| {
        let answer = login_with(&app, STRANGER, ALICE, Some(device)).await;
        answer.status == 429
    };
    let mut forged = device.clone();
    forged.replace_range(30..31, if &device[30..31] == "A" { "B" } else { "A" });
    for token in ["", "x", &bobs, &forged, &device.repeat(2)] {
        assert!(is_cooling(token).await, "{token}");
    }
    assert!(!is_cooling(&device).await);
    app.advance(minutes(59));
    app.login(ALICE).await.assert_ok();
    assert!(is_cooling(&device).await, "the device is over");
}

#[tokio::test]
async fn a_device_ends_with_all_sessions_and_with_its_user_and_with_ten_others() {
    let app = TestApp::with(&[
        ("RESEND_COOLDOWN_SECONDS", "3600"),
        ("SENDS_PER_HOUR", "1000"),
        ("SENDS_PER_DAY", "1000"),
    ])
    .await;
    let hour = minutes(60);
    let is_known = async |device: &str| {
        login_with(&app, STRANGER, ALICE, None).await;
        let answer = login_with(&app, STRANGER, ALICE, Some(device)).await;
        let known = answer.status == 200;
        app.advance(hour);
        known
    };
    let login = app.log_in(ALICE).await;
    let device = login["device_token"].as_str().unwrap();
    app.advance(hour);
    assert!(is_known(device).await);
    let all = json!({ "refresh_token": login["refresh_token"], "all": true });
    assert_eq!(app.log_out(all).await.status, 204);
    assert!(!is_known(device).await, "all sessions have ended");

    let device = device_of(&app, ALICE).await;
    app.advance(hour);
    for _ in 0..9 {
        device_of(&app, ALICE).await;
        app.advance(hour);
    }
    assert!(is_known(&device).await, "one of ten");
    let newest = device_of(&app, ALICE).await;
    app.advance(hour);
    assert!(!is_known(&device).await, "ten are newer");
    assert!(is_known(&newest).await, "the newest");
}

#[tokio::test]
async fn a_device_that_logs_in_again_is_the_same_device() {
    let app = TestApp::with(&[("SENDS_PER_DAY", "100")]).await;
    let mut device = device_of(&app, ALICE).await;
    let first = device.clone();
    for _ in 0..12 {
        app.advance(minutes(30));
        let answer = login_with(&app, STRANGER, ALICE, Some(&device)).await;
        let id = answer.assert_ok()["challenge_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let code = app.newest_code(ALICE);
        let login = validate_with(&app, STRANGER, &id, &code).await;
        device = login.assert_ok()["device_token"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(device[..21], first[..21], "the device's name");
    }
    let items = app.partition(&partition_key(ALICE)).await;
    assert_eq!(items["user"]["devices"].as_n().unwrap(), "1");
    let pasts = items
        .keys()
        .filter(|sort| sort.starts_with("device#") && !sort.contains("sends"));
    assert_eq!(
        pasts.count(),
        0,
        "a right code ends what is counted of a device"
    );
}

#[tokio::test]
async fn a_devices_challenge_answers_to_its_id_alone() {
    let app = TestApp::start().await;
    let device = device_of(&app, ALICE).await;
    app.advance(minutes(1));
    let answer = login_with(&app, STRANGER, ALICE, Some(&device)).await;
    let id = answer.assert_ok()["challenge_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let code = app.newest_code(ALICE);
    // Not even the client that asked for it may leave the id out.
    for client in [STRANGER, "203.0.113.10"] {
        let guess = validation(ALICE, None, &code);
        let unnamed = app.post_from(client, VALIDATE, &[], &guess).await;
        unnamed.assert_problem(400, "invalid-otp");
    }
    assert_eq!(app.attempts_at(ALICE, &id).await, 0);
    validate_with(&app, STRANGER, &id, &code).await.assert_ok();
}

#[tokio::test]
async fn after_thirty_wrong_guesses_a_device_is_worth_nothing_and_a_right_code_begins_anew() {
    let settings = [
        ("RESEND_COOLDOWN_SECONDS", "30"),
        ("OTP_MAX_ATTEMPTS", "10"),
        ("SENDS_PER_HOUR", "1000"),
        ("SENDS_PER_DAY", "1000"),
    ];
    let app = TestApp::with(&settings).await;
    let device = device_of(&app, ALICE).await;
    app.advance(minutes(10));
    let spend = async |right_last: bool| {
        let answer = login_with(&app, STRANGER, ALICE, Some(&device)).await;
        let id = answer.assert_ok()["challenge_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let code = app.newest_code(ALICE);
        for _ in 0..9 {
            validate_with(&app, STRANGER, &id, &other_than(&code)).await;
        }
        let last = if right_last {
            code.clone()
        } else {
            other_than(&code)
        };
        let login = validate_with(&app, STRANGER, &id, &last).await;
        app.advance(minutes(10));
        (answer.json["code_length"].clone(), login.status)
    };
    // Attempts that nobody made in time count for nothing.
    for _ in 0..4 {
        login_with(&app, STRANGER, ALICE, Some(&device))
            .await
            .assert_ok();
        app.advance(minutes(10));
    }
    let past = past_of_device(&app).await;
    let open = past.keys().filter(|name| name.contains('#'));
    assert_eq!(open.count(), 4, "what is over is forgotten");
    assert_eq!(spend(false).await, (json!(6), 400.try_into().unwrap()));
    assert_eq!(spend(true).await.1, 200);
    for _ in 0..3 {
        assert_eq!(spend(false).await.0, 6, "a device's codes do not grow");
    }
    // The token counts for nothing now: the strangers' cooldown refuses.
    app.login(ALICE).await.assert_ok();
    let refused = login_with(&app, STRANGER, ALICE, Some(&device)).await;
    assert_eq!(refused.text("limit"), "cooldown");
}

#[tokio::test]
async fn the_attempts_of_two_logins_of_a_device_at_once_are_both_counted() {
    let settings = [
        ("RESEND_COOLDOWN_SECONDS", "0"),
        ("OTP_MAX_ATTEMPTS", "10"),
        ("SENDS_PER_HOUR", "1000"),
        ("SENDS_PER_DAY", "1000"),
    ];
    let app = TestApp::with(&settings).await;
    let device = device_of(&app, ALICE).await;
    let with = async || login_with(&app, STRANGER, ALICE, Some(&device)).await;
    for _ in 0..3 {
        with().await.assert_ok();
    }
    app.advance(minutes(10));
    // Thirty are counted, and are over. Both logins learn that, and count anew.
    let gate = Gate::of(2, Call::Admit, "guesses = ");
    app.faults.hold(&gate);
    for answer in <[Answer; 2]>::from(tokio::join!(with(), with())) {
        answer.assert_ok();
    }
    gate.assert_met();
    assert_eq!(number(&past_of_device(&app).await, "guesses"), Some(20));
}

#[tokio::test]
async fn a_login_of_a_device_is_admitted_by_one_transaction() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let device = device_of(&app, ALICE).await;
    for n in 0..2 {
        app.faults.stop();
        login_with(&app, STRANGER, ALICE, Some(&device))
            .await
            .assert_ok();
        let calls = app.faults.calls().into_iter();
        assert_eq!(calls.filter(|call| *call == Call::Admit).count(), 1, "{n}");
    }
}

#[tokio::test]
async fn a_device_that_moves_between_networks_leaves_no_trace_of_them() {
    let app = TestApp::start().await;
    let device = device_of(&app, ALICE).await;
    for n in 0..4 {
        app.advance(minutes(1));
        let client = format!("198.51.100.{n}");
        let answer = login_with(&app, &client, ALICE, Some(&device)).await;
        let id = answer.assert_ok()["challenge_id"].as_str().unwrap();
        let code = app.newest_code(ALICE);
        validate_with(&app, &client, id, &code).await.assert_ok();
    }
    let history = &app.partition(&partition_key(ALICE)).await["history"];
    let known = history.keys().filter(|name| name.starts_with("asked#"));
    assert_eq!(known.count(), 1, "only the client of the first login");
}

#[tokio::test]
async fn zero_switches_devices_off() {
    let app = TestApp::with(&[("DEVICE_TTL_SECONDS", "0")]).await;
    let login = app.log_in(ALICE).await;
    assert_eq!(login.get("device_token"), None);
}

#[tokio::test]
async fn a_repeated_validation_has_a_token_of_a_known_device_too() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    let key = "8e03978e-40d5-43dd-bc93-6894a57f9324";
    for _ in 0..2 {
        let login = app.validate_with_key(key, ALICE, Some(&id), &code).await;
        let device = login.assert_ok()["device_token"]
            .as_str()
            .unwrap()
            .to_owned();
        app.advance(minutes(1));
        app.login(ALICE).await.assert_ok();
        login_with(&app, STRANGER, ALICE, Some(&device))
            .await
            .assert_ok();
    }
}

#[tokio::test]
async fn a_token_of_a_removed_user_is_worth_nothing_to_the_next_one() {
    let app = TestApp::start().await;
    let device = device_of(&app, ALICE).await;
    app.remove_user(ALICE).await;
    app.advance(minutes(30));
    app.log_in(ALICE).await;
    app.advance(minutes(1));
    app.login(ALICE).await.assert_ok();
    let refused = login_with(&app, STRANGER, ALICE, Some(&device)).await;
    assert_eq!(refused.text("limit"), "cooldown");
}

#[tokio::test]
async fn no_token_reaches_the_log() {
    let app = TestApp::start().await;
    let device = device_of(&app, ALICE).await;
    app.advance(minutes(1));
    login_with(&app, STRANGER, ALICE, Some(&device))
        .await
        .assert_ok();
    app.log.assert_lacks(&device);
}

#[tokio::test]
async fn under_conceal_the_code_of_an_ended_device_counts_as_a_strangers() {
    let app = TestApp::with(&[("UNKNOWN_USERS", "conceal")]).await;
    app.add_user(ALICE, false).await;
    let login = app.log_in(ALICE).await;
    let device = login["device_token"].as_str().unwrap();
    let all = json!({ "refresh_token": login["refresh_token"], "all": true });
    assert_eq!(app.log_out(all).await.status, 204);
    app.advance(minutes(1));
    login_with(&app, STRANGER, ALICE, Some(device))
        .await
        .assert_ok();
    app.settle().await;
    let history = &app.partition(&partition_key(ALICE)).await["history"];
    assert_eq!(history["asked"].as_n().unwrap(), "1");
}
