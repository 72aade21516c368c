//! Each call that the functions make, failing in each way: what the client is
//! told, within which time, and what stands afterwards. The rows are the
//! documentation; docs/proof.md shows them, and a test holds it to that.

mod rows;
mod scenes;

use futures_util::{StreamExt, stream};
use otp::ambient::Stopwatch;

use self::{
    rows::{End, ROWS, Row},
    scenes::Scene,
};
use crate::{faults::Fault, service::Service};

/// What the functions have at most (`Timeout` in template.yaml), in seconds.
const FUNCTION: u64 = 25;
const ALWAYS: usize = usize::MAX;
/// Rows that are tried out at the same time: what hangs takes its time.
const ABREAST: usize = 14;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fault_of_every_call_ends_as_the_table_says() {
    let settings = [
        ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
        ("SMS_PER_DAY", "1000000"),
        ("SMS_PER_PREFIX_PER_DAY", "1000000"),
    ];
    let service = Service::start(&settings).await;
    let rows = stream::iter(ROWS.iter().enumerate());
    let ended = rows.map(|(nth, row)| try_out(&service, nth, row));
    let wrong: Vec<Vec<String>> = ended.buffer_unordered(ABREAST).collect().await;
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All faults of one row, one after the other; what ended otherwise.
async fn try_out(service: &Service, nth: usize, row: &Row) -> Vec<String> {
    let warm = service.another().await;
    warm.warm_up().await;
    let mut cells = vec![(Fault::Slow, ALWAYS, row.fine)];
    for fault in Fault::BEFORE {
        cells.push((fault, 1, row.once_refused.unwrap_or(row.fine)));
        cells.push((fault, ALWAYS, row.refused));
    }
    for fault in Fault::AFTER {
        cells.push((fault, 1, row.once_lost.unwrap_or(row.fine)));
        cells.push((fault, ALWAYS, row.lost));
    }
    let mut wrong = Vec::new();
    for (cell, (fault, times, expected)) in cells.into_iter().enumerate() {
        let scene = Scene::set(row.request, &warm, nth * 100 + cell).await;
        let cold = if row.request.is_cold() {
            Some(service.another().await)
        } else {
            None
        };
        let actor = cold.as_ref().unwrap_or(&warm);
        let started = Stopwatch::start();
        actor.faults.plan(row.call, fault, times);
        let answer = scene.act(actor).await;
        let took = started.elapsed().as_secs();
        let happened = actor.faults.stop();
        let messages = scene.messages(actor);
        let stands = scene.stands(actor).await;
        let again = scene.act_again(actor).await;
        let end = End {
            answer,
            messages,
            stands,
            again,
        };
        let name = format!("{:?}, {:?} {fault:?} x {times}", row.request, row.call);
        if end != expected {
            wrong.push(format!("{name}: {end:?} instead of {expected:?}"));
        }
        if happened == 0 {
            wrong.push(format!("{name}: the call was not made"));
        }
        // Twice the budget, for a machine that is busy.
        if took > FUNCTION.min(2 * row.within) {
            wrong.push(format!("{name}: {took} s"));
        }
    }
    wrong
}

#[test]
fn the_documentation_shows_the_table_as_it_is() {
    let page = include_str!("../../../docs/proof.md");
    let missing: Vec<String> = ROWS
        .iter()
        .flat_map(Row::lines)
        .filter(|line| !page.contains(line.as_str()))
        .collect();
    assert!(missing.is_empty(), "not there:\n{}", missing.join("\n"));
}
