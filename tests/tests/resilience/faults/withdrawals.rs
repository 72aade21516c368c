//! Withdrawals that do not find the table as their login left it.

use tests::{
    ALICE, Call, Gate, PHONE, TestApp,
    table::{mailbox_key, partition_key},
};

/// No limit here has more counters.
const MOST_SHARDS: u32 = 16;

/// Refuses the message of a login, and does something to the table before the withdrawal.
async fn withdraw_after<F: Future>(app: &TestApp, to: &str, meanwhile: F) {
    let gate = Gate::closed(Call::Withdraw, "");
    app.faults.hold(&gate);
    app.stack.messages.set_refusing(true);
    let (login, ()) = tokio::join!(app.login(to), async {
        gate.reached().await;
        meanwhile.await;
        gate.open();
    });
    app.stack.messages.set_refusing(false);
    login.assert_problem(502, "delivery-failed");
    gate.assert_met();
}

/// Removes attributes of the item that counts the sends to Alice's mailbox.
async fn remove_from_sends(app: &TestApp, prefix: &str) {
    for (sort, mut item) in app.partition(&mailbox_key(ALICE)).await {
        if sort == "sends" {
            let had = item.len();
            item.retain(|name, _| !name.starts_with(prefix));
            assert_eq!(item.len(), had - 1, "one {prefix}");
            app.put(item).await;
        }
    }
}

/// Removes the challenges of Alice.
async fn remove_challenges(app: &TestApp) {
    for id in app.challenges(ALICE).await.keys() {
        app.delete(&partition_key(ALICE), &format!("challenge#{id}"))
            .await;
    }
}

#[tokio::test]
async fn a_withdrawal_takes_no_counter_below_zero() {
    for (cap, to, others, partition) in [
        (
            "SMS_PER_DAY",
            PHONE,
            ["+14155550124", "+14155550125"],
            "deployment#phone",
        ),
        (
            "SMS_PER_PREFIX_PER_DAY",
            PHONE,
            ["+14155550124", "+14155550125"],
            "prefix#+1",
        ),
        (
            "EMAILS_PER_DAY",
            ALICE,
            ["bob@example.com", "carol@example.com"],
            "deployment#email",
        ),
    ] {
        let app = TestApp::with(&[(cap, "1")]).await;
        let meanwhile = async {
            for shard in 0..MOST_SHARDS {
                app.delete(&format!("{partition}#{shard}"), "messages")
                    .await;
            }
        };
        withdraw_after(&app, to, meanwhile).await;
        app.login(others[0]).await.assert_ok();
        app.login(others[1]).await.assert_too_many();
    }
}

#[tokio::test]
async fn a_withdrawal_takes_no_count_of_a_mailbox_below_zero() {
    for (limit, count) in [
        ("SENDS_PER_HOUR", "sends-hour#"),
        ("SENDS_PER_DAY", "sends_until"),
    ] {
        let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0"), (limit, "1")]).await;
        withdraw_after(&app, ALICE, remove_from_sends(&app, count)).await;
        app.login(ALICE).await.assert_ok();
        app.login(ALICE).await.assert_too_many();
    }
}

#[tokio::test]
async fn a_withdrawal_refunds_nothing_without_its_challenge() {
    let settings = [("RESEND_COOLDOWN_SECONDS", "0"), ("SENDS_PER_DAY", "1")];
    let app = TestApp::with(&settings).await;
    withdraw_after(&app, ALICE, remove_challenges(&app)).await;
    app.login(ALICE).await.assert_too_many();
}
