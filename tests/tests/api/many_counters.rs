//! Limits that many counters share: a full counter leads to one with room.

use tests::{ALICE, Call, CallFault, PHONE, TestApp};

/// 128 counters for each limit, the most.
const MANY: &str = "38400";
const COUNTERS: usize = 128;
const SHARE: u64 = 300;
/// What strangers have of a counter of a cap: a fifth is kept for others.
const STRANGERS_SHARE: u64 = 240;

/// The day of every test, in the names of its counters.
const TODAY: u64 = 1_767_225_600;

/// A deployment with many counters in each shared limit.
async fn with_many_counters() -> TestApp {
    let settings = [
        ("SMS_PER_DAY", MANY),
        ("SMS_PER_PREFIX_PER_DAY", MANY),
        ("EMAILS_PER_DAY", MANY),
        ("CONVERSION_GUARD", MANY),
        ("SMS_PREFIXES", "+1"),
    ];
    TestApp::with(&settings).await
}

/// Fills counters of text messages: `room` is what is left in the prefix's cap, in its guard and
/// in the deployment's cap.
async fn fill(app: &TestApp, room: impl Fn(usize) -> [u64; 3]) {
    for shard in 0..COUNTERS {
        let [cap, guard, deployment] = room(shard);
        let [cap, guard, deployment] = [
            STRANGERS_SHARE - cap,
            SHARE - guard,
            STRANGERS_SHARE - deployment,
        ];
        let cap = (&*format!("sms-prefix-day#{TODAY}"), cap);
        let counts = [cap, ("unproven", guard), ("sent_at", app.now())];
        let prefix = format!("prefix#+1#{shard}");
        app.put_counts(&prefix, "messages", &counts).await;
        let counts = [(&*format!("sms-day#{TODAY}"), deployment)];
        let partition = format!("deployment#phone#{shard}");
        app.put_counts(&partition, "messages", &counts).await;
    }
}

/// How many calls of this kind were made.
fn made(app: &TestApp, call: Call) -> usize {
    app.faults.calls().iter().filter(|it| **it == call).count()
}

#[tokio::test]
async fn a_login_finds_the_only_counters_with_room() {
    let app = with_many_counters().await;
    app.faults.read_whole_batches();
    // One counter of the prefix has room in its cap and in its guard. Two have room in one.
    fill(&app, |shard| match shard {
        5 => [1, 0, 0],
        6 => [0, 1, 0],
        77 => [1, 1, 0],
        99 => [0, 0, 1],
        _ => [0, 0, 0],
    })
    .await;
    app.login(PHONE).await.assert_ok();
    assert!(
        made(&app, Call::Admit) <= 3,
        "counters without room were tried"
    );
    // 127 others of each limit, in batches of a hundred.
    assert!(made(&app, Call::ReadCounters) <= 4);
    let refused = app.login("+14155550124").await;
    // It is 00:10, and both caps are full, and the guard is closed.
    assert_eq!(refused.assert_too_many(), 24 * 3600 - 600);
    assert_eq!(app.messages(PHONE).len(), 1);
}

#[tokio::test]
async fn a_cap_that_strangers_filled_is_full_for_those_whom_the_guard_does_not_count() {
    let settings = [
        ("EMAILS_PER_DAY", "60"),
        ("CONVERSION_GUARD", "3"),
        ("RESEND_COOLDOWN_SECONDS", "0"),
    ];
    let app = TestApp::with(&settings).await;
    app.log_in(ALICE).await;
    app.put_counts(
        "deployment#email#0",
        "messages",
        &[(&*format!("emails-day#{TODAY}"), 60)],
    )
    .await;
    for _ in 0..5 {
        let refused = app.login(ALICE).await;
        refused.assert_too_many();
        assert_eq!(refused.json["limit"], "deployment");
    }
}

#[tokio::test]
async fn a_full_cap_costs_one_transaction_whatever_its_counters() {
    let app = with_many_counters().await;
    app.faults.read_whole_batches();
    fill(&app, |_| [0, 1, 1]).await;
    app.login(PHONE).await.assert_too_many();
    assert_eq!(made(&app, Call::Admit), 1);
    assert_eq!(made(&app, Call::ReadCounters), 2);
}

#[tokio::test]
async fn a_guard_that_is_closed_in_each_of_many_counters_tells_its_short_wait() {
    let app = with_many_counters().await;
    // The cap has room in some counters, and the guard in none.
    fill(&app, |shard| [(shard % 2) as u64, 0, 1]).await;
    assert_eq!(app.login(PHONE).await.assert_too_many(), 5);
    let before = made(&app, Call::Admit);
    assert_eq!(app.login("+14155550124").await.assert_too_many(), 5);
    assert_eq!(made(&app, Call::Admit), before, "a known guard is read");
}

#[tokio::test]
async fn a_counter_that_a_batch_leaves_out_is_read_again() {
    let app = with_many_counters().await;
    fill(&app, |shard| match shard {
        77 => [1, 1, 0],
        99 => [0, 0, 1],
        _ => [0, 0, 0],
    })
    .await;
    app.faults
        .inject(Call::ReadCounters, CallFault::HalfOfBatch, 6);
    app.login(PHONE).await.assert_ok();
    assert!(app.faults.injected() > 0);
    assert!(
        made(&app, Call::Admit) <= 3,
        "counters that were not read were tried"
    );
}

#[tokio::test]
async fn a_guard_that_codes_have_proven_is_eased_in_the_counter_that_is_read() {
    let app = with_many_counters().await;
    for shard in 0..COUNTERS {
        let proven = u64::from(shard == 50);
        let counts = [
            ("unproven", SHARE),
            ("sent_at", app.now()),
            ("proven", proven),
            ("proven_at", app.now()),
        ];
        let partition = format!("deployment#email#{shard}");
        app.put_counts(&partition, "messages", &counts).await;
    }
    app.login(ALICE).await.assert_ok();
    assert!(made(&app, Call::Admit) <= 2);
    assert_eq!(app.login("bob@example.com").await.assert_too_many(), 5);
}
