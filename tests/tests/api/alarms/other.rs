//! The alarms that other metrics than those of requests raise.

use std::collections::BTreeSet;

use otp_edge::settings::TEST_IDENTITIES_ENDED;

use super::{DAY, ROWS, SMALL, START, alarms, assert_goes_off, day::Day, normal_but_silent};

#[test]
fn the_alarms_of_text_messages_go_off() {
    let alarms = alarms();
    let find = |name| alarms.iter().find(|alarm| alarm.name == name).unwrap();
    let (mut spent, mut lost) = (Day::new(1), Day::new(2));
    for minute in (0..DAY).step_by(20) {
        let is_now = (START..START + 8 * 60).contains(&minute);
        let value = if is_now { 81.0 } else { 79.0 };
        let metric = ("AWS/SNS", "SMSMonthToDateSpentUSD", "");
        spent.metrics.report(minute, metric, value);
        for nth in 0..10 {
            let arrived = if nth < if is_now { 6 } else { 9 } {
                1.0
            } else {
                0.0
            };
            let metric = ("AWS/SNS", "SMSSuccessRate", "");
            lost.metrics.report(minute, metric, arrived);
        }
    }
    assert_goes_off(find("SmsSpend"), &spent, 60, "four fifths are spent");
    assert_goes_off(find("SmsUndelivered"), &lost, 150, "four in ten are lost");
}

#[test]
fn the_alarm_of_ended_test_identities_goes_off() {
    let alarms = alarms();
    let ended = alarms.iter().find(|one| one.name == "TestIdentitiesEnded");
    let mut day = Day::new(1);
    day.fill(|_| SMALL, |rng, _, _| normal_but_silent(rng));
    day.start_with_warning(START, TEST_IDENTITIES_ENDED);
    assert_goes_off(ended.unwrap(), &day, 60, "a start after the date");
}

#[test]
fn the_alarms_of_emails_go_off_before_ses_reviews_the_account() {
    let alarms = alarms();
    for (name, metric, review) in [
        ("EmailBounces", "Reputation.BounceRate", 0.05),
        ("EmailComplaints", "Reputation.ComplaintRate", 0.001),
    ] {
        let alarm = alarms.iter().find(|alarm| alarm.name == name).unwrap();
        let mut day = Day::new(1);
        for minute in (0..DAY).step_by(15) {
            let is_now = (START..START + 8 * 60).contains(&minute);
            let rate = if is_now { 0.9 * review } else { 0.5 * review };
            day.metrics.report(minute, ("AWS/SES", metric, ""), rate);
        }
        assert_goes_off(alarm, &day, 150, metric);
    }
}

#[test]
fn the_alarm_of_lost_reports_goes_off_at_the_first() {
    let alarms = alarms();
    let lost = alarms.iter().find(|one| one.name == "ReportsLost").unwrap();
    let mut day = Day::new(1);
    for minute in 0..DAY {
        let is_now = (START..START + 8 * 60).contains(&minute);
        let metric = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "");
        let value = f64::from(u8::from(is_now));
        day.metrics.report(minute, metric, value);
    }
    assert_goes_off(lost, &day, 10, "a report is lost");
}

#[test]
fn every_alarm_has_a_row() {
    let mut drilled: BTreeSet<_> = ROWS.iter().map(|row| row.alarm.to_owned()).collect();
    drilled.extend(
        [
            "SmsSpend",
            "SmsUndelivered",
            "EmailBounces",
            "EmailComplaints",
            "TestIdentitiesEnded",
            "ReportsLost",
        ]
        .map(str::to_owned),
    );
    let alarms = alarms().into_iter().map(|alarm| alarm.name);
    assert_eq!(alarms.collect::<BTreeSet<_>>(), drilled);
}
