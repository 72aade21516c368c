//! The bound on guesses at a destination, and whose attempts are whose.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use tests::{
    ALICE, Answer, Call, Gate, LOGIN, TestApp, VALIDATE, destination, other_than,
    table::{number, partition_key},
    validation,
};

const STRANGER: &str = "203.0.113.9";
const FREE: &[(&str, &str)] = &[
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("SENDS_PER_HOUR", "1000"),
    ("SENDS_PER_DAY", "1000"),
];

async fn login_from(app: &TestApp, client: &str) -> Answer {
    app.post_from(client, LOGIN, &[], &destination(ALICE)).await
}

async fn guess_from(app: &TestApp, client: &str, id: Option<&str>, code: &str) -> Answer {
    let body = validation(ALICE, id, code);
    app.post_from(client, VALIDATE, &[], &body).await
}

/// Asks for a code and guesses wrong until no attempt is left. The length of the code.
async fn spend(app: &TestApp, client: &str) -> u64 {
    let answer = login_from(app, client).await;
    let id = answer.assert_ok()["challenge_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let wrong = other_than(&app.newest_code(ALICE));
    for _ in 0..3 {
        let guess = guess_from(app, client, Some(&id), &wrong).await;
        guess.assert_problem(400, "invalid-otp");
    }
    answer.json["code_length"].as_u64().unwrap()
}

async fn length(app: &TestApp) -> u64 {
    let answer = login_from(app, "198.51.100.1").await;
    let code = app.newest_code(ALICE);
    let length = answer.assert_ok()["code_length"].as_u64().unwrap();
    assert_eq!(code.len() as u64, length);
    length
}

#[tokio::test]
async fn codes_grow_with_the_wrong_guesses_at_their_destination() {
    let app = TestApp::with(FREE).await;
    for n in 0..9 {
        assert_eq!(spend(&app, STRANGER).await, 6, "{n}");
    }
    // 27 wrong guesses, and three at this code.
    for n in 9..19 {
        assert_eq!(spend(&app, STRANGER).await, 8, "{n}");
    }
    for n in 19..22 {
        assert_eq!(spend(&app, STRANGER).await, 10, "{n}");
    }
    assert_eq!(length(&app).await, 10);
    assert_eq!(app.login("bob@example.com").await.json["code_length"], 6);
    let ten_days = Duration::from_secs(400 * 24 * 3600 - 1);
    app.advance(ten_days);
    assert_eq!(length(&app).await, 10);
    app.advance(Duration::from_hours(1));
    assert_eq!(length(&app).await, 6, "400 days after the last guess");
}

#[tokio::test]
async fn open_attempts_count_until_nobody_can_make_them() {
    let app = TestApp::with(FREE).await;
    for n in 0..9 {
        assert_eq!(length(&app).await, 6, "{n}");
    }
    assert_eq!(length(&app).await, 8, "27 are open, and three are its own");
    app.advance(Duration::from_secs(400));
    assert_eq!(length(&app).await, 6);
    let guesses = &app.partition(&partition_key(ALICE)).await["guesses"];
    let open = guesses.keys().filter(|name| name.starts_with("ends#"));
    assert_eq!(open.count(), 1, "what is over is forgotten");
}

#[tokio::test]
async fn nobody_can_make_the_attempts_at_a_used_code() {
    let app = TestApp::with(FREE).await;
    for n in 0..12 {
        app.advance(Duration::from_secs(1));
        assert_eq!(length(&app).await, 6, "{n}");
        let code = app.newest_code(ALICE);
        guess_from(&app, "198.51.100.1", None, &code)
            .await
            .assert_ok();
    }
}

#[tokio::test]
async fn the_attempts_of_two_logins_at_once_are_both_counted() {
    let app = TestApp::with(FREE).await;
    for counted in [6, 12] {
        let gate = Gate::of(2, Call::Admit, "");
        app.faults.hold(&gate);
        let (one, other) = tokio::join!(app.login(ALICE), app.login(ALICE));
        assert_eq!(
            (one.status, other.status),
            (200.try_into().unwrap(), 200.try_into().unwrap())
        );
        gate.assert_met();
        let guesses = &app.partition(&partition_key(ALICE)).await["guesses"];
        assert_eq!(number(guesses, "guesses"), Some(counted));
    }
}

#[tokio::test]
async fn a_login_is_admitted_by_one_transaction() {
    for mode in ["sign-up", "conceal"] {
        let settings = [FREE, &[("UNKNOWN_USERS", mode)]].concat();
        let app = TestApp::with(&settings).await;
        for n in 0..3 {
            app.faults.stop();
            app.login(ALICE).await.assert_ok();
            let calls = app.faults.calls().into_iter();
            assert_eq!(
                calls.filter(|call| *call == Call::Admit).count(),
                1,
                "{mode}, {n}"
            );
        }
    }
}

#[tokio::test]
async fn a_right_code_takes_off_the_guesses_of_its_own_client_and_no_others() {
    let app = TestApp::with(FREE).await;
    let own = "198.51.100.7";
    for client in [STRANGER, own, STRANGER, own, own, own] {
        spend(&app, client).await;
    }
    // The second takes nothing off.
    for _ in 0..2 {
        app.advance(Duration::from_secs(1));
        let id = login_from(&app, own).await.text("challenge_id");
        let code = app.newest_code(ALICE);
        guess_from(&app, own, Some(&id), &code).await.assert_ok();
    }
    app.advance(Duration::from_mins(10));
    // Six are the stranger's. 21 more, and three: the thirtieth.
    for n in 0..7 {
        assert_eq!(spend(&app, STRANGER).await, 6, "{n}");
    }
    assert_eq!(length(&app).await, 8);
}

#[tokio::test]
async fn under_conceal_nothing_but_time_takes_guesses_off() {
    let settings = [FREE, &[("UNKNOWN_USERS", "conceal")]].concat();
    let app = TestApp::with(&settings).await;
    app.add_user(ALICE, false).await;
    for _ in 0..9 {
        spend(&app, STRANGER).await;
    }
    let answer = login_from(&app, STRANGER).await;
    assert_eq!(answer.assert_ok()["code_length"], 8);
    let id = answer.text("challenge_id");
    let code = app.newest_code(ALICE);
    guess_from(&app, STRANGER, Some(&id), &code)
        .await
        .assert_ok();
    app.advance(Duration::from_mins(10));
    assert_eq!(length(&app).await, 8);
}

#[tokio::test]
async fn known_and_unknown_destinations_get_codes_of_the_same_length_under_conceal() {
    let settings = [FREE, &[("UNKNOWN_USERS", "conceal")]].concat();
    let app = TestApp::with(&settings).await;
    app.add_user(ALICE, false).await;
    for to in [ALICE, "nobody@example.com"] {
        let mut lengths = Vec::new();
        for _ in 0..12 {
            let answer = app.post(LOGIN, destination(to).to_string()).await;
            let id = answer.assert_ok()["challenge_id"]
                .as_str()
                .unwrap()
                .to_owned();
            lengths.push(answer.json["code_length"].as_u64().unwrap());
            for _ in 0..3 {
                app.validate(to, Some(&id), "00000000").await;
                app.validate(to, Some(&id), "000000").await;
            }
        }
        assert_eq!(lengths, [6, 6, 6, 6, 6, 6, 6, 6, 6, 8, 8, 8], "{to}");
    }
}

#[tokio::test]
async fn a_guess_of_another_length_spends_no_attempt() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    for guess in [
        format!("{code}0"),
        format!("00{code}"),
        "0123456789".to_owned(),
    ] {
        let answer = app.validate(ALICE, Some(&id), &guess).await;
        answer.assert_problem(400, "invalid-otp");
    }
    assert_eq!(app.attempts_at(ALICE, &id).await, 0);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn a_guess_without_an_id_meets_the_clients_own_challenge_first() {
    let app = TestApp::with(FREE).await;
    let own = "198.51.100.7";
    login_from(&app, own).await.assert_ok();
    let code = app.newest_code(ALICE);
    app.advance(Duration::from_secs(1));
    login_from(&app, STRANGER).await.assert_ok();
    guess_from(&app, own, None, &code).await.assert_ok();
}

#[tokio::test]
async fn a_strangers_guess_without_an_id_never_spends_the_last_attempt() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    for n in 0..6 {
        let client = format!("203.0.113.{n}");
        let guess = guess_from(&app, &client, None, &other_than(&code)).await;
        guess.assert_problem(400, "invalid-otp");
    }
    assert_eq!(app.attempts_at(ALICE, &id).await, 2);
    // Even the right code is answered as a wrong one, and spends nothing.
    let right = guess_from(&app, STRANGER, None, &code).await;
    right.assert_problem(400, "invalid-otp");
    assert_eq!(app.attempts_at(ALICE, &id).await, 2);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn a_client_whose_address_changes_names_its_challenge() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    for n in 0..2 {
        let client = format!("203.0.113.{n}");
        guess_from(&app, &client, None, &other_than(&code)).await;
    }
    let moved = guess_from(&app, STRANGER, Some(&id), &code).await;
    moved.assert_ok();
}

#[tokio::test]
async fn a_fixed_code_does_not_grow() {
    let settings = [
        FREE,
        &[
            ("TEST_IDENTITIES", "alice@example.com=123456"),
            ("TEST_IDENTITIES_UNTIL", "2026-01-20T00:00:00Z"),
        ],
    ]
    .concat();
    let app = TestApp::with(&settings).await;
    for _ in 0..12 {
        let answer = login_from(&app, STRANGER).await;
        assert_eq!(answer.assert_ok()["code_length"], 6);
        let id = answer.text("challenge_id");
        for _ in 0..3 {
            guess_from(&app, STRANGER, Some(&id), "000000").await;
        }
    }
    let id = login_from(&app, STRANGER).await.text("challenge_id");
    guess_from(&app, STRANGER, Some(&id), "123456")
        .await
        .assert_ok();
    let items = app.partition(&partition_key(ALICE)).await;
    let mut named = items
        .get("guesses")
        .into_iter()
        .flat_map(|item| item.keys());
    assert!(
        !named.any(|name| name.contains('#')),
        "nothing is kept of a fixed code's challenge"
    );
}

#[tokio::test]
async fn a_crowd_of_guessers_is_forgotten_by_name_and_its_guesses_count() {
    let app = TestApp::with(FREE).await;
    for n in 0..20 {
        spend(&app, &format!("203.0.113.{n}")).await;
    }
    let mut items = app.partition(&partition_key(ALICE)).await;
    let mut history = items.remove("guesses").unwrap();
    for n in 0..40 {
        let one = AttributeValue::N("1".to_owned());
        history.insert(format!("wrong#{n:016}"), one);
    }
    app.put(history).await;
    assert_eq!(length(&app).await, 10);
    let history = &app.partition(&partition_key(ALICE)).await["guesses"];
    assert!(!history.keys().any(|name| name.starts_with("wrong#")));
}
