//! The drill of the alarms: every alarm of `template.yaml` goes off when it should, within the
//! time of its row, and stays silent through quiet and busy normal days.
//!
//! The days are made up, and the alarms are evaluated here: no `CloudWatch` takes part.

#![expect(clippy::panic, reason = "a test that cannot go on panics")]

mod alarm;
mod day;
mod math;
mod metrics;
mod other;

use rand::{RngExt, rngs::StdRng};

use self::{
    alarm::Alarm,
    day::{Answer, Day, Request},
    metrics::DAY,
};

/// Logins an hour of a deployment with a thousand in a month.
const TINY: f64 = 1.4;
/// What one client address is allowed.
const SMALL: f64 = 30.0;
/// A million in a month.
const LARGE: f64 = 1370.0;

/// The minute at which the trouble of a row starts.
const START: usize = 12 * 60;

/// An account with a quota of 100 USD.
fn alarms() -> Vec<Alarm> {
    let alarms = Alarm::all();
    assert!(alarms.len() >= 12, "{} alarms", alarms.len());
    alarms
}

/// One request in two thousand fails at the service, and one delivery in two thousand, as on any
/// day.
fn normal(rng: &mut StdRng, request: Request) -> Answer {
    let dice: f64 = rng.random();
    match request {
        _ if dice < 0.0003 => Answer::GatewayTimeout,
        _ if dice < 0.0005 => Answer::Unavailable,
        Request::Login if dice < 0.001 => Answer::DeliveryFailed { concealed: false },
        Request::Refresh if dice < 0.0007 => Answer::Reused,
        _ if dice < 0.1 => Answer::Refused,
        _ => Answer::Good,
    }
}

/// More in the afternoon than at night, and `logins` an hour on average.
fn daily(logins: f64) -> impl Fn(usize) -> f64 {
    move |minute| {
        let hours = f64::from(u32::try_from(minute).unwrap()) / 60.0;
        let phase = (hours - 15.0) / 24.0 * std::f64::consts::TAU;
        logins * 0.8f64.mul_add(phase.cos(), 1.0)
    }
}

/// Text messages of a normal day: half of the quota is used, and nine in ten arrive.
fn texts(day: &mut Day) {
    for minute in (0..DAY).step_by(20) {
        let spent = 45.0 + f64::from(u32::try_from(minute).unwrap()) / 300.0;
        let metric = ("AWS/SNS", "SMSMonthToDateSpentUSD", "");
        day.metrics.report(minute, metric, spent);
        for _ in 0..10 {
            let arrived = if day.rng.random_bool(0.9) { 1.0 } else { 0.0 };
            let metric = ("AWS/SNS", "SMSSuccessRate", "");
            day.metrics.report(minute, metric, arrived);
        }
    }
}

#[test]
fn no_alarm_goes_off_on_a_normal_day() {
    let alarms = alarms();
    for logins in [0.0, TINY, SMALL, LARGE, 3.0 * LARGE] {
        let days = if logins > SMALL { 1 } else { 40 };
        for seed in 0..days {
            let mut day = Day::new(seed);
            day.fill(daily(logins), |rng, _, request| normal(rng, request));
            texts(&mut day);
            // What happens now and then: a burst above the gateway's limit, text messages that
            // the conversion guard refuses, and a phone that was restored from a backup.
            for minute in [600, 840] {
                for _ in 0..20 {
                    day.add(minute, Request::Validate, Answer::GatewayThrottled);
                }
                day.add(minute, Request::Login, Answer::SmsCapped);
                day.add(minute + 1, Request::Refresh, Answer::Reused);
            }
            for alarm in &alarms {
                for start in 0..alarm.period {
                    let states = alarm.states(&day.metrics, start);
                    let on = states.iter().find(|(_, is_on)| *is_on);
                    let name = &alarm.name;
                    assert_eq!(on, None, "{name}: {logins} logins an hour, day {seed}");
                }
            }
        }
    }
}

/// What must go off: the alarm, how many logins an hour, the trouble, how many minutes may pass.
struct Row {
    alarm: &'static str,
    logins: f64,
    within: usize,
    /// The answer to a request during the trouble; `None` for that of a normal day.
    trouble: fn(&mut StdRng, Request) -> Option<Answer>,
}

const fn row(
    alarm: &'static str,
    logins: f64,
    within: usize,
    trouble: fn(&mut StdRng, Request) -> Option<Answer>,
) -> Row {
    Row {
        alarm,
        logins,
        within,
        trouble,
    }
}

fn undeliverable(_: &mut StdRng, request: Request) -> Option<Answer> {
    (request == Request::Login).then_some(Answer::DeliveryFailed { concealed: false })
}

fn concealed(_: &mut StdRng, request: Request) -> Option<Answer> {
    (request == Request::Login).then_some(Answer::DeliveryFailed { concealed: true })
}

fn one_delivery_in_ten_fails(rng: &mut StdRng, request: Request) -> Option<Answer> {
    (request == Request::Login && rng.random_bool(0.1))
        .then_some(Answer::DeliveryFailed { concealed: false })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "other troubles spare some requests"
)]
fn no_table(_: &mut StdRng, _: Request) -> Option<Answer> {
    Some(Answer::Unavailable)
}

fn one_in_ten_times_out(rng: &mut StdRng, _: Request) -> Option<Answer> {
    rng.random_bool(0.1).then_some(Answer::GatewayTimeout)
}

fn starved_login(rng: &mut StdRng, request: Request) -> Option<Answer> {
    (request == Request::Login && rng.random_bool(0.3)).then_some(Answer::OutOfConcurrency)
}

fn starved_validation(rng: &mut StdRng, request: Request) -> Option<Answer> {
    (request != Request::Login && rng.random_bool(0.3)).then_some(Answer::OutOfConcurrency)
}

fn a_limit_too_low(rng: &mut StdRng, _: Request) -> Option<Answer> {
    rng.random_bool(0.05).then_some(Answer::GatewayThrottled)
}

fn a_flood(rng: &mut StdRng, _: Request) -> Option<Answer> {
    rng.random_bool(0.95).then_some(Answer::GatewayThrottled)
}

fn no_more_texts(rng: &mut StdRng, request: Request) -> Option<Answer> {
    (request == Request::Login && rng.random_bool(0.5)).then_some(Answer::SmsCapped)
}

fn one_address_for_many(rng: &mut StdRng, request: Request) -> Option<Answer> {
    (request == Request::Login && rng.random_bool(0.3)).then_some(Answer::ClientRefused)
}

fn many_guesses(rng: &mut StdRng, request: Request) -> Option<Answer> {
    (request == Request::Validate && rng.random_bool(0.5)).then_some(Answer::ClientRefused)
}

fn stolen_tokens(rng: &mut StdRng, request: Request) -> Option<Answer> {
    (request == Request::Refresh && rng.random_bool(0.2)).then_some(Answer::Reused)
}

/// SES, SNS or a carrier takes the codes and delivers none.
fn codes_do_not_arrive(_: &mut StdRng, request: Request) -> Option<Answer> {
    (request == Request::Validate).then_some(Answer::Refused)
}

const ROWS: &[Row] = &[
    row("ServerErrors", TINY, 240, no_table),
    row("ServerErrors", SMALL, 30, no_table),
    row("ServerErrors", SMALL, 45, undeliverable),
    row("ServerErrors", SMALL, 60, one_in_ten_times_out),
    row("ServerErrors", LARGE, 25, one_in_ten_times_out),
    row("ServerErrorFlood", LARGE, 10, no_table),
    row("ServerErrorFlood", LARGE, 10, undeliverable),
    row("DeliveryFailures", TINY, 480, undeliverable),
    row("DeliveryFailures", SMALL, 30, undeliverable),
    row("DeliveryFailures", SMALL, 30, concealed),
    row("DeliveryFailures", SMALL, 180, one_delivery_in_ten_fails),
    row("DeliveryFailures", LARGE, 20, one_delivery_in_ten_fails),
    row("Unavailable", TINY, 240, no_table),
    row("Unavailable", SMALL, 30, no_table),
    row("Unavailable", LARGE, 20, no_table),
    row("LoginThrottles", SMALL, 30, starved_login),
    row("ValidateThrottles", SMALL, 10, starved_validation),
    row("GatewayThrottles", SMALL, 60, a_limit_too_low),
    row("GatewayThrottles", LARGE, 20, a_limit_too_low),
    row("GatewayFlood", LARGE, 10, a_flood),
    row("MessagesCapped", SMALL, 45, no_more_texts),
    row("MessagesCapped", LARGE, 20, no_more_texts),
    row("ClientsRefused", SMALL, 60, one_address_for_many),
    row("ClientsRefused", SMALL, 45, many_guesses),
    row("ClientsRefused", LARGE, 20, one_address_for_many),
    row("Conversion", SMALL, 240, codes_do_not_arrive),
    row("Conversion", LARGE, 240, codes_do_not_arrive),
    row("ReusedRefreshTokens", SMALL, 120, stolen_tokens),
    row("ReusedRefreshTokens", LARGE, 120, stolen_tokens),
];

/// Checks that the alarm goes off after the start, in time, wherever its periods start, and is
/// off again at the end.
#[track_caller]
fn assert_goes_off(alarm: &Alarm, day: &Day, within: usize, case: &str) {
    let name = &alarm.name;
    for start in 0..alarm.period {
        let states = alarm.states(&day.metrics, start);
        let first = states.iter().find(|(_, is_on)| *is_on);
        let first = first
            .unwrap_or_else(|| panic!("{name} stays silent: {case}"))
            .0;
        assert!(
            first > START,
            "{name} goes off before there is trouble: {case}"
        );
        assert!(
            first <= START + within,
            "{name} goes off after {} minutes: {case}",
            first - START
        );
        assert!(!states.last().unwrap().1, "{name} stays on: {case}");
    }
}

#[test]
fn every_alarm_goes_off_in_time_and_then_off_again() {
    let alarms = alarms();
    for (nth, row) in ROWS.iter().enumerate() {
        let alarm = alarms.iter().find(|alarm| alarm.name == row.alarm);
        let alarm = alarm.unwrap_or_else(|| panic!("there is no alarm {}", row.alarm));
        for seed in 0..3 {
            let mut day = Day::new(seed);
            // Eight hours of trouble leave time for the end.
            day.fill(
                |_| row.logins,
                |rng, minute, request| {
                    let is_now = (START..START + 8 * 60).contains(&minute);
                    let trouble = is_now.then(|| (row.trouble)(rng, request)).flatten();
                    trouble.unwrap_or_else(|| normal_but_silent(rng))
                },
            );
            let case = format!("row {nth}, {} logins an hour, day {seed}", row.logins);
            assert_goes_off(alarm, &day, row.within, &case);
        }
    }
}

/// Outside the trouble: an alarm that goes off must mean the trouble.
fn normal_but_silent(rng: &mut StdRng) -> Answer {
    if rng.random_bool(0.1) {
        Answer::Refused
    } else {
        Answer::Good
    }
}
