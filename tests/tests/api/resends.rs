//! A login that names its challenge: the same code again.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{
    ALICE, Answer, Call, Gate, LOGIN, PHONE, TestApp, destination, other_than, table::partition_key,
};

const STRANGER: &str = "203.0.113.9";
const NO_COOLDOWN: &[(&str, &str)] = &[("RESEND_COOLDOWN_SECONDS", "0")];
const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

fn naming(to: &str, id: &str) -> Value {
    let mut body = destination(to);
    body["challenge_id"] = json!(id);
    body
}

async fn again(app: &TestApp, to: &str, id: &str) -> Answer {
    app.post(LOGIN, naming(to, id).to_string()).await
}

async fn again_from(app: &TestApp, client: &str, id: &str) -> Answer {
    app.post_from(client, LOGIN, &[], &naming(ALICE, id)).await
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Asks for a code again. Such a call about it waits until `meanwhile` is over.
async fn again_beside(app: &TestApp, id: &str, call: Call, meanwhile: impl Future) -> Answer {
    let gate = Gate::closed(call, id);
    app.faults.hold(&gate);
    let (answer, ()) = tokio::join!(again(app, ALICE, id), async {
        gate.reached().await;
        meanwhile.await;
        gate.open();
    });
    gate.assert_met();
    answer
}

/// What another instance does to a challenge meanwhile.
#[derive(Clone, Copy, Debug)]
enum Change {
    Use,
    Spend,
    Withdraw,
    /// Its clock is ahead.
    Extend,
}

impl Change {
    const ENDS: [Self; 3] = [Self::Use, Self::Spend, Self::Withdraw];

    async fn happens(self, app: &TestApp, id: &str) {
        let (partition, sort) = (partition_key(ALICE), format!("challenge#{id}"));
        let items = &mut app.partition(&partition).await;
        let mut item = items.remove(&sort).expect("the challenge");
        let time = |time: u64| AttributeValue::N(time.to_string());
        let change = match self {
            Self::Use => ("used_at", time(app.now())),
            Self::Spend => {
                let attempts = ["one", "two", "three"].map(str::to_owned);
                ("spent_by", AttributeValue::Ss(attempts.to_vec()))
            }
            Self::Extend => {
                let end = app.now() + 360_000;
                let sweep = time(end / 1000 + 60);
                item.insert("expires_at_seconds".to_owned(), sweep);
                ("expires_at", time(end))
            }
            Self::Withdraw => return app.delete(&partition, &sort).await,
        };
        item.insert(change.0.to_owned(), change.1);
        app.put(item).await;
    }
}

#[tokio::test]
async fn the_same_code_is_sent_again_and_either_message_logs_in() {
    let app = TestApp::start().await;
    for (to, advance) in [(ALICE, 30), (PHONE, 30)] {
        let (id, code) = app.receive_code(to).await;
        app.advance(seconds(advance));
        let answer = again(&app, to, &id).await;
        assert_eq!(answer.assert_ok()["challenge_id"], id);
        assert_eq!(answer.json["destination"], to);
        assert_eq!(answer.json["expires_in"], 300, "a life from now on");
        assert_eq!(app.messages(to).len(), 2);
        assert_eq!(app.newest_code(to), code);
        app.validate(to, Some(&id), &code).await.assert_ok();
    }
}

#[tokio::test]
async fn a_code_lives_ten_minutes_from_its_first_issue_however_often_it_is_sent() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    for (at, left) in [(290, 300), (440, 160)] {
        app.advance(seconds(if at == 290 { 290 } else { 150 }));
        let answer = again(&app, ALICE, &id).await;
        assert_eq!(answer.assert_ok()["challenge_id"], id, "{at}");
        assert_eq!(answer.json["expires_in"], left, "{at}");
    }
    app.advance(seconds(31));
    // Less than half of a life is left.
    let fresh = again(&app, ALICE, &id).await;
    assert_ne!(fresh.assert_ok()["challenge_id"], id);
    app.advance(seconds(128));
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn a_code_is_void_ten_minutes_after_its_first_issue() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.advance(seconds(290));
    again(&app, ALICE, &id).await.assert_ok();
    app.advance(seconds(150));
    again(&app, ALICE, &id).await.assert_ok();
    app.advance(seconds(160));
    let late = app.validate(ALICE, Some(&id), &code).await;
    late.assert_problem(400, "invalid-otp");
}

#[tokio::test]
async fn a_resend_gives_no_attempt_back_and_without_one_there_is_a_new_challenge() {
    for mode in ["sign-up", "conceal"] {
        let app = TestApp::with(&[NO_COOLDOWN[0], ("UNKNOWN_USERS", mode)]).await;
        app.add_user(ALICE, false).await;
        let (id, code) = app.receive_code(ALICE).await;
        let guess = async |otp: &str| app.validate(ALICE, Some(&id), otp).await;
        for n in 0..2 {
            guess(&other_than(&code))
                .await
                .assert_problem(400, "invalid-otp");
            let sent = again(&app, ALICE, &id).await;
            assert_eq!(sent.assert_ok()["challenge_id"], id);
            assert_eq!(app.messages(ALICE).len(), n + 2, "{mode}");
        }
        guess(&other_than(&code))
            .await
            .assert_problem(400, "invalid-otp");
        guess(&code).await.assert_problem(400, "invalid-otp");
        let fresh = again(&app, ALICE, &id).await;
        assert_ne!(fresh.assert_ok()["challenge_id"], id);
        let id = fresh.text("challenge_id");
        let code = app.newest_code(ALICE);
        app.validate(ALICE, Some(&id), &code).await.assert_ok();
    }
}

#[tokio::test]
async fn a_right_code_on_the_last_attempt_after_a_resend_logs_in() {
    let app = TestApp::with(NO_COOLDOWN).await;
    let (id, code) = app.receive_code(ALICE).await;
    for _ in 0..2 {
        let wrong = app.validate(ALICE, Some(&id), &other_than(&code)).await;
        wrong.assert_problem(400, "invalid-otp");
    }
    assert_eq!(
        again(&app, ALICE, &id).await.assert_ok()["challenge_id"],
        id
    );
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn an_id_that_names_no_live_challenge_of_the_destination_counts_as_none() {
    for mode in ["sign-up", "conceal"] {
        let settings = [
            ("UNKNOWN_USERS", mode),
            NO_COOLDOWN[0],
            ("SENDS_PER_HOUR", "100"),
        ];
        let app = TestApp::with(&settings).await;
        for to in [ALICE, "bob@example.com"] {
            app.add_user(to, false).await;
        }
        let (used, code) = app.receive_code(ALICE).await;
        app.validate(ALICE, Some(&used), &code).await.assert_ok();
        let (bobs, _) = app.receive_code("bob@example.com").await;
        let (over, _) = app.receive_code(ALICE).await;
        app.advance(seconds(300));
        let mut seen = Vec::new();
        for id in [&*used, &bobs, &over, "AAAAAAAAAAAAAAAAAAAAAA"] {
            app.faults.stop();
            let mut answer = again(&app, ALICE, id).await;
            let calls = app.faults.calls();
            let fresh = answer.assert_ok()["challenge_id"].clone();
            assert!(
                [&used, &bobs, &over].iter().all(|known| fresh != **known),
                "{mode}"
            );
            answer.json["challenge_id"] = Value::Null;
            let first = calls.iter().position(|call| *call == Call::Admit);
            seen.push((answer.json.clone(), first));
        }
        assert!(seen.iter().all(|it| *it == seen[0]), "{mode}: {seen:?}");
    }
    let app = TestApp::start().await;
    let malformed = again(&app, ALICE, "x").await;
    malformed.assert_problem(400, "invalid-request");
}

#[tokio::test]
async fn a_login_voids_the_challenges_before_it_and_they_are_not_sent_again() {
    let app = TestApp::with(NO_COOLDOWN).await;
    let (first, _) = app.receive_code(ALICE).await;
    app.advance(seconds(1));
    app.log_in(ALICE).await;
    let fresh = again(&app, ALICE, &first).await;
    assert_ne!(fresh.assert_ok()["challenge_id"], first);
}

#[tokio::test]
async fn a_used_challenge_is_not_sent_again() {
    for mode in ["sign-up", "conceal"] {
        let app = TestApp::with(&[NO_COOLDOWN[0], ("UNKNOWN_USERS", mode)]).await;
        app.add_user(ALICE, false).await;
        let (id, code) = app.receive_code(ALICE).await;
        app.validate(ALICE, Some(&id), &code).await.assert_ok();
        app.advance(seconds(1));
        let fresh = again(&app, ALICE, &id).await;
        assert_ne!(fresh.assert_ok()["challenge_id"], id, "{mode}");
    }
}

#[tokio::test]
async fn a_challenge_that_ends_before_the_admission_is_not_sent_again() {
    for change in Change::ENDS {
        let app = TestApp::with(NO_COOLDOWN).await;
        let (id, _) = app.receive_code(ALICE).await;
        let answer = again_beside(&app, &id, Call::Admit, change.happens(&app, &id)).await;
        assert_ne!(answer.assert_ok()["challenge_id"], id, "{change:?}");
    }
}

#[tokio::test]
async fn under_conceal_no_message_leaves_for_a_challenge_that_ends_after_the_answer() {
    let settings = [NO_COOLDOWN[0], ("UNKNOWN_USERS", "conceal")];
    for change in Change::ENDS {
        let app = TestApp::with(&settings).await;
        app.add_user(ALICE, false).await;
        let (id, _) = app.receive_code(ALICE).await;
        let answer = again_beside(&app, &id, Call::AdmitMessage, change.happens(&app, &id)).await;
        assert_eq!(answer.assert_ok()["challenge_id"], id);
        app.settle().await;
        assert_eq!(app.messages(ALICE).len(), 1, "{change:?}");
    }
}

#[tokio::test]
async fn a_resend_shortens_no_life_that_a_clock_ahead_has_extended() {
    let app = TestApp::with(NO_COOLDOWN).await;
    let (id, code) = app.receive_code(ALICE).await;
    app.advance(seconds(100));
    let extends = Change::Extend.happens(&app, &id);
    let answer = again_beside(&app, &id, Call::Admit, extends).await;
    assert_ne!(answer.assert_ok()["challenge_id"], id);
    app.advance(seconds(320));
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn another_client_gets_the_same_code_sent_without_more_time() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.advance(seconds(100));
    let answer = again_from(&app, STRANGER, &id).await;
    assert_eq!(answer.assert_ok()["challenge_id"], id);
    assert_eq!(answer.json["expires_in"], 200);
    assert_eq!(app.newest_code(ALICE), code);
    // The requester stays who it was: the client of the first login guesses uncounted.
    app.faults.stop();
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    assert!(!app.faults.calls().contains(&Call::CountValidation));
}

#[tokio::test]
async fn every_limit_of_a_send_counts_a_resend() {
    let app = TestApp::start().await;
    let (id, _) = app.receive_code(ALICE).await;
    let cooling = again(&app, ALICE, &id).await;
    assert_eq!(cooling.text("limit"), "cooldown");
    let settings = [NO_COOLDOWN[0], ("SENDS_PER_HOUR", "3")];
    let app = TestApp::with(&settings).await;
    let (id, _) = app.receive_code(ALICE).await;
    for _ in 0..2 {
        again(&app, ALICE, &id).await.assert_ok();
    }
    let full = again(&app, ALICE, &id).await;
    assert_eq!(full.text("limit"), "destination");
    assert_eq!(app.messages(ALICE).len(), 3);
}

#[tokio::test]
async fn a_resend_under_an_idempotency_key_is_replayed() {
    let app = TestApp::with(NO_COOLDOWN).await;
    let (id, code) = app.receive_code(ALICE).await;
    let send = async || {
        let headers = [("idempotency-key", KEY)];
        let body = naming(ALICE, &id).to_string();
        app.client.post(LOGIN, &headers, body).await
    };
    let (first, repeat) = (send().await, send().await);
    assert_eq!(first.assert_ok(), repeat.assert_ok());
    assert_eq!(first.json["challenge_id"], id);
    assert_eq!(app.messages(ALICE).len(), 2);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn a_fixed_code_that_is_listed_no_longer_is_not_sent_again() {
    let settings = [
        ("TEST_IDENTITIES", "alice@example.com=123456"),
        ("TEST_IDENTITIES_UNTIL", "2026-01-20T00:00:00Z"),
    ];
    let app = TestApp::with(&settings).await;
    let id = app.login(ALICE).await.text("challenge_id");
    app.advance(seconds(30));
    let delisted = app
        .deploy(|settings| {
            let login = settings.login.as_mut().expect("right settings");
            login.test_identities = otp_domain::TestIdentities::default();
        })
        .await;
    let fresh = again(&delisted, ALICE, &id).await;
    assert_ne!(fresh.assert_ok()["challenge_id"], id);
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn a_resend_that_fails_leaves_the_code_of_the_first_message() {
    let app = TestApp::with(&[("CONVERSION_GUARD", "1")]).await;
    let (id, code) = app.receive_code(ALICE).await;
    app.validate(ALICE, Some(&id), &other_than(&code)).await;
    app.advance(seconds(30));
    app.stack.messages.set_refusing(true);
    let failed = again(&app, ALICE, &id).await;
    assert!(
        [429, 502].contains(&failed.status.as_u16()),
        "{}",
        failed.json
    );
    app.stack.messages.set_refusing(false);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn across_midnight_a_resend_is_of_the_new_day_and_the_code_stays() {
    let app = TestApp::start().await;
    app.advance(seconds(24 * 3600 - 600 - 10));
    let (id, code) = app.receive_code(ALICE).await;
    app.advance(seconds(40));
    let answer = again(&app, ALICE, &id).await;
    assert_eq!(answer.assert_ok()["challenge_id"], id);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn under_another_digest_key_a_resend_is_a_new_challenge_and_the_first_code_stays() {
    let settings = [
        ("SECOND_SIGNING_KEY_ID", "next-signing-key"),
        ("SECOND_DIGEST_KEY_ID", "next-digest-key"),
    ];
    let app = TestApp::with(&settings).await;
    let (id, code) = app.receive_code(ALICE).await;
    app.advance(seconds(30));
    let swapped = app.deploy(crate::key_rotation::swap).await;
    let fresh = again(&swapped, ALICE, &id).await;
    assert_ne!(fresh.assert_ok()["challenge_id"], id);
    swapped.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_resends_at_once_the_cooldown_lets_one_pass() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.advance(seconds(30));
    let answers = join_all((0..50).map(|_| again(&app, ALICE, &id))).await;
    let sent = answers.iter().filter(|answer| answer.status == 200);
    let sent: Vec<_> = sent.map(|answer| answer.text("challenge_id")).collect();
    assert_eq!(sent, std::slice::from_ref(&id));
    assert_eq!(app.messages(ALICE).len(), 2);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn each_message_of_a_challenge_is_off_the_guard_when_its_code_comes_back() {
    for mode in ["sign-up", "conceal"] {
        let settings = [
            ("CONVERSION_GUARD", "50"),
            ("UNKNOWN_USERS", mode),
            NO_COOLDOWN[0],
        ];
        let app = TestApp::with(&settings).await;
        app.add_user(ALICE, false).await;
        let (id, code) = app.receive_code(ALICE).await;
        again(&app, ALICE, &id).await.assert_ok();
        app.validate(ALICE, Some(&id), &code).await.assert_ok();
        let items = app.items().await;
        let guards = items
            .iter()
            .filter(|item| item["sk"].as_s().unwrap() == "messages");
        let unproven = guards.filter_map(|item| tests::table::number(item, "unproven"));
        assert_eq!(unproven.sum::<i64>(), 0, "{mode}");
    }
}
