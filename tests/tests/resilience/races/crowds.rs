//! Fifty requests at once, each in a task of its own, over HTTP.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use tests::{ALICE, Answer, Call, Gate, TestApp, app::START, other_than, table::number};

use super::successes;

const CROWD: usize = 50;
const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

/// The whole crowd is one client.
const ONE_CLIENT: (&str, &str) = ("REQUESTS_PER_IP_PER_HOUR", "1000");
const NO_COOLDOWN: (&str, &str) = ("RESEND_COOLDOWN_SECONDS", "0");

async fn crowd<F>(request: impl Fn(usize) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let tasks = (0..CROWD).map(|n| tokio::spawn(request(n)));
    join_all(tasks)
        .await
        .into_iter()
        .map(|answer| answer.expect("the task does not panic"))
        .collect()
}

/// Whether the machine was too busy for some of a crowd.
fn is_busy(answers: &[Answer]) -> bool {
    answers.iter().any(|answer| answer.status == 503)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_fifty_right_codes_at_once_one_logs_in() {
    let app = Arc::new(TestApp::with(&[ONE_CLIENT, ("OTP_MAX_ATTEMPTS", "10")]).await);
    let (id, code) = app.receive_code(ALICE).await;

    let gate = Gate::of(2, Call::Redeem, ALICE);
    app.faults.hold(&gate);
    let answers = crowd(|_| {
        let (app, id, code) = (Arc::clone(&app), id.clone(), code.clone());
        async move { app.validate(ALICE, Some(&id), &code).await }
    })
    .await;
    gate.assert_met();

    assert_eq!(successes(&answers), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.assert_problem(400, "invalid-otp");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_repeats_of_a_validation_at_once_get_the_same_login() {
    // One attempt is enough for all of them.
    let app = Arc::new(TestApp::with(&[ONE_CLIENT, ("OTP_MAX_ATTEMPTS", "1")]).await);
    for expected_new in [true, false] {
        let (id, code) = app.receive_code(ALICE).await;
        let gate = Gate::of(2, Call::Redeem, ALICE);
        app.faults.hold(&gate);
        let answers = crowd(|_| {
            let (app, id, code) = (Arc::clone(&app), id.clone(), code.clone());
            async move { app.validate_with_key(KEY, ALICE, Some(&id), &code).await }
        })
        .await;
        gate.assert_met();

        // A busy machine may answer some of them with 503.
        let after = app.validate_with_key(KEY, ALICE, Some(&id), &code).await;
        assert_eq!(after.assert_ok()["new_user"], expected_new);
        assert!(successes(&answers) > 0, "nobody logged in");
        for answer in &answers {
            if answer.status == 200 {
                let same = answer.json["refresh_token"] == after.json["refresh_token"];
                assert!(same, "two sessions of one validation");
                assert_eq!(answer.json["user_id"], after.json["user_id"]);
                assert_eq!(answer.json["new_user"], expected_new);
            } else {
                answer.assert_problem(503, "unavailable");
            }
        }
        assert_eq!(app.sessions_of(ALICE).await, 1);
        assert_eq!(app.attempts_at(ALICE, &id).await, 1);
        let refreshed = app.refresh(&after.json["refresh_token"]).await;
        assert_eq!(refreshed.status, 200);
        app.log_out(json!({ "refresh_token": refreshed.json["refresh_token"] }))
            .await;
        app.advance(Duration::from_secs(30));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_wrong_codes_at_once_use_the_attempts_up() {
    let app = Arc::new(TestApp::with(&[ONE_CLIENT]).await);
    let (id, code) = app.receive_code(ALICE).await;
    let before = app.log.lines().len();

    let gate = Gate::of(4, Call::SpendAttempt, ALICE);
    app.faults.hold(&gate);
    let answers = crowd(|_| {
        let (app, id, wrong) = (Arc::clone(&app), id.clone(), other_than(&code));
        async move { app.validate(ALICE, Some(&id), &wrong).await }
    })
    .await;
    gate.assert_met();

    assert_eq!(successes(&answers), 0);
    assert_eq!(
        app.attempts_at(ALICE, &id).await,
        3,
        "attempts in the table"
    );
    let logged = app.log.lines().len() - before;
    assert!(logged >= CROWD, "{logged} log lines");
    app.validate(ALICE, Some(&id), &code)
        .await
        .assert_problem(400, "invalid-otp");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_fifty_right_and_wrong_codes_at_once_one_at_most_logs_in() {
    let app = Arc::new(TestApp::with(&[ONE_CLIENT]).await);
    for round in 0..10 {
        let to = format!("round{round}@example.com");
        let (id, code) = app.receive_code(&to).await;
        let gate = Gate::of(4, Call::SpendAttempt, &to);
        app.faults.hold(&gate);
        let answers = crowd(|n| {
            let (app, to, id) = (Arc::clone(&app), to.clone(), id.clone());
            let guess = if n % 2 == 0 {
                code.clone()
            } else {
                other_than(&code)
            };
            async move { app.validate(&to, Some(&id), &guess).await }
        })
        .await;
        gate.assert_met();
        assert!(successes(&answers) <= 1, "one code logged in twice");
        let attempts = app.attempts_at(&to, &id).await;
        assert!(attempts <= 3, "{attempts} attempts in the table");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_logins_at_once_send_one_message() {
    let app = Arc::new(TestApp::with(&[ONE_CLIENT]).await);
    let gate = Gate::of(2, Call::Admit, ALICE);
    app.faults.hold(&gate);
    let answers = crowd(|_| {
        let app = Arc::clone(&app);
        async move { app.login(ALICE).await }
    })
    .await;
    gate.assert_met();

    assert_eq!(successes(&answers), 1);
    assert_eq!(app.messages(ALICE).len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.assert_too_many(), 30);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_logins_at_once_without_a_cooldown_send_as_many_messages_as_the_hours_limit() {
    let app = Arc::new(TestApp::with(&[ONE_CLIENT, NO_COOLDOWN]).await);
    let gate = Gate::of(6, Call::Admit, ALICE);
    app.faults.hold(&gate);
    let answers = crowd(|_| {
        let app = Arc::clone(&app);
        async move { app.login(ALICE).await }
    })
    .await;
    gate.assert_met();
    // A busy machine may answer some of them with 503.
    let sent = successes(&answers);
    assert!(
        sent == 5 || sent < 5 && is_busy(&answers),
        "{sent} messages"
    );
    assert_eq!(app.messages(ALICE).len(), sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_two_codes_of_one_destination_at_once_one_logs_in() {
    let app = Arc::new(TestApp::with(&[ONE_CLIENT, NO_COOLDOWN]).await);
    for round in 0..10 {
        let to = format!("pair{round}@example.com");
        let codes = [app.receive_code(&to).await, app.receive_code(&to).await];
        let gate = Gate::of(4, Call::Redeem, &to);
        app.faults.hold(&gate);
        let answers = crowd(|n| {
            let (app, to, (id, code)) = (Arc::clone(&app), to.clone(), codes[n % 2].clone());
            async move { app.validate(&to, Some(&id), &code).await }
        })
        .await;
        gate.assert_met();
        let logins = successes(&answers);
        assert!(
            logins == 1 || logins == 0 && is_busy(&answers),
            "{logins} logins by two codes"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_logins_at_once_at_two_deployments_send_as_many_messages_as_the_guard_has_room() {
    let app = Arc::new(TestApp::with(&[ONE_CLIENT, ("CONVERSION_GUARD", "10")]).await);
    // It remembers nothing of what the first one has refused.
    let other = Arc::new(app.cold_start().await);
    let gate = Gate::of(11, Call::Admit, "");
    app.faults.hold(&gate);
    other.faults.hold(&gate);
    let answers = crowd(|n| {
        let app = Arc::clone(if n % 2 == 0 { &app } else { &other });
        async move { app.login(&format!("guarded{n}@example.com")).await }
    })
    .await;
    gate.assert_met();
    // A busy machine may answer some of them with 503.
    let sent = successes(&answers);
    assert!((1..=10).contains(&sent), "{sent} messages");
    assert_eq!(app.stack.messages.messages(None).len(), sent);
}

/// The start of the day of a crowd, in seconds.
const TODAY: u64 = START / 86_400_000 * 86_400;

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_logins_at_once_use_up_the_last_places_of_many_counters_exactly() {
    let settings = [
        ONE_CLIENT,
        ("SMS_PER_DAY", "1200"),
        ("SMS_PER_PREFIX_PER_DAY", "1200"),
        ("CONVERSION_GUARD", "1200"),
        ("SMS_PREFIXES", "+1"),
    ];
    let app = Arc::new(TestApp::with(&settings).await);
    // Four counters for each limit, filled unevenly. Strangers have 240 of the 300 of each cap,
    // and all of the guard's: 12 places, but 9 of the guard's.
    for (shard, [deployment, cap, unproven]) in (0..).zip([
        [240, 232, 300],
        [230, 240, 290],
        [240, 238, 298],
        [238, 231, 293],
    ]) {
        let partition = format!("deployment#phone#{shard}");
        let counts = [(&*format!("sms-day#{TODAY}"), deployment)];
        app.put_counts(&partition, "messages", &counts).await;
        let cap = (&*format!("sms-prefix-day#{TODAY}"), cap);
        let counts = [cap, ("unproven", unproven), ("sent_at", START)];
        let partition = format!("prefix#+1#{shard}");
        app.put_counts(&partition, "messages", &counts).await;
    }
    // It remembers nothing of what the first one has refused.
    let other = Arc::new(app.cold_start().await);
    let gate = Gate::of(10, Call::Admit, "");
    app.faults.hold(&gate);
    other.faults.hold(&gate);
    let answers = crowd(|n| {
        let app = Arc::clone(if n % 2 == 0 { &app } else { &other });
        async move { app.login(&format!("+1415555{n:04}")).await }
    })
    .await;
    gate.assert_met();
    // A counter has what is least of its cap and its guard: 0, 0, 2 and 7 places. A busy machine
    // may answer some with 503, which leave their places to later logins or keep them unsent.
    let unavailable = answers.iter().any(|answer| answer.status == 503);
    let mut sent = successes(&answers);
    for n in 0..9 {
        let answer = app.login(&format!("+1416555{n:04}")).await;
        sent += usize::from(answer.status == 200);
    }
    assert!(sent == 9 || sent < 9 && unavailable, "{sent} messages");
    assert_eq!(app.stack.messages.messages(None).len(), sent);
    let mut counted = 0;
    for shard in 0..4 {
        let items = app.partition(&format!("deployment#phone#{shard}")).await;
        counted += number(&items["messages"], &format!("sms-day#{TODAY}")).unwrap();
    }
    assert_eq!(counted, 240 + 230 + 240 + 238 + 9);
}
