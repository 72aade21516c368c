//! Each call that the functions make fails in each way. The rows say what the client gets, in
//! which time, and what the table holds afterwards. docs/evidence/faults.md shows the same rows.

mod request;
mod row;
mod rows;
mod scenario;

use futures_util::{StreamExt, stream};
use otp_domain::{DestinationKind, WaysTo};
use otp_service::ambient::Stopwatch;
use tests::{CallFault, TestApp};

use self::{
    row::{Outcome, Row},
    rows::ROWS,
    scenario::Scenario,
};

/// `Timeout` of the functions in template.yaml, in seconds.
const FUNCTION_TIMEOUT: u64 = 25;
const ALWAYS: usize = usize::MAX;
/// Rows at the same time. Most of their time is spent waiting for replies that never come.
const PARALLEL: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fault_of_every_call_has_the_outcome_of_its_row() {
    let settings = [
        ("CONVERSION_GUARD", "0"),
        ("EMAILS_PER_DAY", "1000000"),
        ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
        ("SMS_PER_DAY", "1000000"),
        ("SMS_PER_PREFIX_PER_DAY", "1000000"),
    ];
    let app = TestApp::with(&settings).await;
    let rows = stream::iter(ROWS.iter().enumerate());
    let differences = rows.map(|(nth, row)| run(&app, nth, row));
    let wrong: Vec<Vec<String>> = differences.buffer_unordered(PARALLEL).collect().await;
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each fault of a row, how often it happens, and what must follow.
fn cells(row: &Row) -> Vec<(CallFault, usize, Outcome)> {
    let mut cells = vec![(CallFault::ReplyDelayed, ALWAYS, row.without_fault)];
    for fault in CallFault::NOTHING_DONE {
        let (once, always) = match row.throttled {
            Some(throttled) if fault == CallFault::Throttled => (None, throttled),
            _ => (row.refused_once, row.refused),
        };
        cells.push((fault, 1, once.unwrap_or(row.without_fault)));
        cells.push((fault, ALWAYS, always));
    }
    for fault in CallFault::REPLY_LOST {
        cells.push((fault, 1, row.lost_once.unwrap_or(row.without_fault)));
        cells.push((fault, ALWAYS, row.lost));
    }
    let busy = row.call.contended().into_iter();
    cells.extend(busy.flat_map(|it| [(it, 1, row.without_fault), (it, ALWAYS, row.refused)]));
    cells
}

/// Runs all faults of a row, one after the other; returns what differs from the row.
async fn run(app: &TestApp, nth: usize, row: &Row) -> Vec<String> {
    let guard = row.request.guard();
    let warm = app
        .deploy(|settings| {
            let login = settings.login.as_mut().unwrap();
            login.delivery.ways.phone =
                WaysTo::parse(DestinationKind::Phone, row.request.phone_ways()).unwrap();
            let policy = &mut login.policy;
            policy.conversion_guard = guard;
            policy.unknown_users = row.request.unknown_users();
        })
        .await;
    warm.warm_up().await;
    // What comes before the request happens at another instance, whose clock is a minute ahead
    // or behind.
    let elsewhere = warm.cold_start().await;
    elsewhere.warm_up().await;
    let mut wrong = Vec::new();
    for (cell, (fault, times, expected)) in cells(row).into_iter().enumerate() {
        elsewhere.set_ahead(row.request.before_ahead(cell));
        let before = if row.request.is_remembered() {
            &warm
        } else {
            &elsewhere
        };
        let scenario = Scenario::prepare(row.request, before, nth * 100 + cell).await;
        let cold = if row.request.is_cold() {
            Some(warm.cold_start().await)
        } else {
            None
        };
        let functions = cold.as_ref().unwrap_or(&warm);
        let started = Stopwatch::start();
        functions.faults.inject(row.call, fault, times);
        let status = scenario.send(functions).await;
        let took = started.elapsed().as_secs();
        let injected = functions.faults.injected();
        if times == ALWAYS {
            functions.faults.outlast().await;
        }
        functions.faults.stop();
        let outcome = Outcome {
            status,
            messages: scenario.messages(functions),
            table: scenario.table(functions).await,
            retry_status: scenario.send_again(functions).await,
        };
        let name = format!("{:?}, {:?} {fault:?} x {times}", row.request, row.call);
        if outcome != expected {
            wrong.push(format!("{name}: {outcome:?} instead of {expected:?}"));
        }
        if injected == 0 {
            wrong.push(format!("{name}: the call was not made"));
        }
        // Twice the bound, because the machine may be busy.
        if took > FUNCTION_TIMEOUT.min(2 * row.within) {
            wrong.push(format!("{name}: {took} s"));
        }
    }
    wrong
}

#[test]
fn the_documentation_shows_every_row() {
    let page = include_str!("../../../../docs/evidence/faults.md");
    let missing: Vec<String> = ROWS
        .iter()
        .flat_map(Row::lines)
        .filter(|line| !page.contains(line.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/evidence/faults.md lacks:\n{}",
        missing.join("\n")
    );
}
