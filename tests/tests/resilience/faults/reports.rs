//! Reports of providers whose calls fail. Nobody waits for an answer: a report that is not
//! recorded comes again.

use otp_edge::route::Route;
use tests::{
    Call, CallFault, TestApp,
    table::{self, partition_key},
};

const ALWAYS: usize = usize::MAX;

/// What the destination's history says of its only message and of its way.
async fn recorded(app: &TestApp, to: &str) -> (String, bool) {
    let mut items = app.partition(&partition_key(to)).await;
    let history = items.remove("history").unwrap();
    let mut messages = history.iter().filter(|(name, _)| name.starts_with("sent#"));
    let (_, message) = messages.next().unwrap();
    let state = message.as_s().unwrap().split(' ').nth(2).unwrap();
    (state.to_owned(), history.contains_key("bounced#email"))
}

/// How many e-mails count as bounced.
async fn bounces(app: &TestApp) -> i64 {
    let mut bounced = 0;
    for shard in 0..3 {
        let mut items = app.partition(&format!("deployment#email#{shard}")).await;
        let item = items.remove("messages").unwrap_or_default();
        let days = item.keys().filter(|name| name.starts_with("bounced-day#"));
        bounced += days
            .filter_map(|name| table::number(&item, name))
            .sum::<i64>();
    }
    bounced
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_recorded_or_comes_again_and_then_it_is_recorded() {
    let app = TestApp::with(&[
        ("REQUESTS_PER_IP_PER_HOUR", "1000"),
        ("SENDS_PER_HOUR", "1000"),
        ("SENDS_PER_DAY", "1000"),
        ("CONVERSION_GUARD", "1000"),
    ])
    .await;
    let mut faults = vec![CallFault::ReplyDelayed];
    faults.extend(CallFault::NOTHING_DONE);
    faults.extend(CallFault::REPLY_LOST);
    let calls = [Call::FindUser, Call::ReadCounters, Call::RecordReport];
    let mut number = 0;
    for call in calls {
        let busy = call.contended();
        for fault in faults.iter().copied().chain(busy) {
            for times in [1, ALWAYS] {
                number += 1;
                let to = format!("bounce+{number}@simulator.amazonses.com");
                app.login(&to).await.assert_ok();
                let report = app.stack.messages.take_reports().remove(0);
                app.faults.inject(call, fault, times);
                let answer = app.invoke(Route::Login, &report).await;
                app.faults.stop();
                let name = format!("{call:?} {fault:?} x {times}");
                let is_taken = times == 1 || fault == CallFault::ReplyDelayed;
                assert_eq!(answer.is_some(), is_taken, "{name}");
                let again = app.invoke(Route::Login, &report).await;
                assert_eq!(again.as_deref(), Some("null"), "{name}");
                let expected = ("bounced".to_owned(), true);
                assert_eq!(recorded(&app, &to).await, expected, "{name}");
                assert_eq!(bounces(&app).await, i64::from(number), "{name}");
            }
        }
    }
}
