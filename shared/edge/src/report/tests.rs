use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use super::*;

const ALICE: &str = "alice@example.com";
const CHALLENGE_ID: &str = "r5BuMb9vjKaMlD76sIa5SQ";

fn of_ses(kind: &str, more: &Value) -> Value {
    let mut detail = json!({
        "eventType": kind,
        "mail": {
            "timestamp": "2026-01-01T00:10:00.000Z",
            "messageId": "m",
            "destination": [ALICE],
            "tags": { "challenge_id": [CHALLENGE_ID], "ses:configuration-set": ["s"] },
        },
    });
    detail
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({ "source": "aws.ses", "detail-type": "Email", "detail": detail })
}

fn one(event: &Value) -> Result<Report, &'static str> {
    let mut reports = reports(&event.to_string()).unwrap();
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn state(kind: &str, more: &Value) -> Option<MessageState> {
    one(&of_ses(kind, more)).ok().map(|report| report.state)
}

#[test]
fn an_event_of_ses_says_what_became_of_which_message() {
    let delivered = json!({ "delivery": { "timestamp": "2026-01-01T00:10:01.500Z" } });
    let report = one(&of_ses("Delivery", &delivered)).unwrap();
    let at = UnixTime::from_millis(1_767_226_200_000);
    let expected = Report {
        to: ALICE.parse().unwrap(),
        way: WayName::parse("email").unwrap(),
        challenge: ChallengeId::parse(CHALLENGE_ID),
        message: MessageId::new(Some("m".to_owned())),
        sent_at: at,
        at: at.plus(std::time::Duration::from_millis(1500)),
        state: MessageState::Delivered,
    };
    assert_eq!(report, expected);
}

#[test]
fn only_a_permanent_bounce_marks_an_address_and_the_lists_have_a_mark_of_their_own() {
    let at = "2026-01-01T00:10:01.500Z";
    let bounce = |kind: &str, sub: &str| {
        let bounce = json!({ "bounceType": kind, "bounceSubType": sub, "timestamp": at });
        state("Bounce", &json!({ "bounce": bounce }))
    };
    let suppressed = Some(MessageState::Lost(Mark::Suppressed));
    for (kind, sub, expected) in [
        (
            "Permanent",
            "General",
            Some(MessageState::Lost(Mark::Bounced)),
        ),
        (
            "Permanent",
            "NoEmail",
            Some(MessageState::Lost(Mark::Bounced)),
        ),
        ("Permanent", "Suppressed", suppressed),
        ("Permanent", "OnAccountSuppressionList", suppressed),
        ("Transient", "MailboxFull", Some(MessageState::Failed)),
        ("Undetermined", "Undetermined", Some(MessageState::Failed)),
    ] {
        assert_eq!(bounce(kind, sub), expected, "{kind} {sub}");
    }
    let complaint = |more: Value| {
        let mut complaint = json!({ "timestamp": at });
        complaint
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        state("Complaint", &json!({ "complaint": complaint }))
    };
    let complained = Some(MessageState::Lost(Mark::Complained));
    assert_eq!(complaint(json!({ "complaintSubType": null })), complained);
    assert_eq!(
        complaint(json!({ "complaintFeedbackType": "abuse" })),
        complained
    );
    let listed = json!({ "complaintSubType": "OnAccountSuppressionList" });
    assert_eq!(complaint(listed), suppressed);
    let not_spam = json!({ "complaintFeedbackType": "not-spam" });
    assert_eq!(complaint(not_spam), Some(MessageState::Delivered));
}

#[test]
fn other_events_of_ses_are_states_or_cannot_be_understood() {
    let delay = json!({ "deliveryDelay": { "timestamp": "2026-01-01T00:10:01Z" } });
    assert_eq!(state("DeliveryDelay", &delay), Some(MessageState::Delayed));
    for kind in ["Reject", "Rendering Failure"] {
        assert_eq!(state(kind, &json!({})), Some(MessageState::Failed));
    }
    for kind in ["Open", "Bounce", "Complaint", "Delivery", ""] {
        assert_eq!(state(kind, &json!({})), None, "{kind}");
    }
    let mut several = of_ses("Reject", &json!({}));
    several["detail"]["mail"]["destination"] = json!([ALICE, ALICE]);
    assert!(one(&several).is_err());
    assert!(one(&json!({ "detail-type": "Email Bounced", "detail": 7 })).is_err());
}

fn packed(text: &str) -> Value {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    json!({ "awslogs": { "data": STANDARD.encode(packer.finish().unwrap()) } })
}

fn of_sns(kind: &str, lines: &[Value]) -> Reports {
    let lines: Vec<_> = lines
        .iter()
        .map(|line| json!({ "id": "1", "timestamp": 1, "message": line.to_string() }))
        .collect();
    let logs = json!({ "messageType": kind, "logGroup": "sns", "logEvents": lines });
    reports(&packed(&logs.to_string()).to_string()).unwrap()
}

fn status(status: &str, response: &str) -> Value {
    json!({
        "notification": { "messageId": "m", "timestamp": "2026-01-01 00:10:00.000" },
        "delivery": { "destination": "+14155550123", "providerResponse": response,
            "dwellTimeMs": 1420 },
        "status": status,
    })
}

#[test]
fn a_delivery_status_of_sns_says_what_became_of_a_text_message() {
    let lost = |mark| MessageState::Lost(mark);
    let cases = [
        ("Phone number is opted out", lost(Mark::OptedOut)),
        ("Phone has blocked SMS", lost(Mark::OptedOut)),
        ("Phone is on a blocked list", lost(Mark::Suppressed)),
        ("Destination is on a blocked list", lost(Mark::Suppressed)),
        ("Invalid phone number", lost(Mark::Unreachable)),
        (
            "Phone is currently unreachable/unavailable",
            MessageState::Failed,
        ),
        (
            "Unknown error attempting to reach phone",
            MessageState::Failed,
        ),
    ];
    for (response, expected) in cases {
        let reports = of_sns("DATA_MESSAGE", &[status("FAILURE", response)]);
        assert_eq!(reports[0].as_ref().unwrap().state, expected, "{response}");
    }
    let line = status("SUCCESS", "Message has been accepted by phone carrier");
    let reports = of_sns("DATA_MESSAGE", &[line.clone(), json!(7), line]);
    let [Ok(report), Err(_), Ok(_)] = &reports[..] else {
        panic!("{reports:?}");
    };
    let sent_at = UnixTime::from_millis(1_767_226_200_000);
    assert_eq!(
        (report.sent_at, report.state),
        (sent_at, MessageState::Delivered)
    );
    assert_eq!(report.at.as_millis(), sent_at.as_millis() + 1420);
    assert_eq!(
        (report.to.as_str(), &report.challenge),
        ("+14155550123", &None)
    );
}

#[test]
fn a_control_message_reports_nothing_and_what_is_no_log_cannot_be_understood() {
    assert_eq!(of_sns("CONTROL_MESSAGE", &[json!("checking")]), []);
    for event in [json!({ "awslogs": { "data": "?" } }), packed("7")] {
        assert!(one(&event).is_err());
    }
    for event in [
        "{",
        "[]",
        r#"["",null,null]"#,
        "{}",
        r#"{"httpMethod":"GET"}"#,
    ] {
        assert_eq!(reports(event), None, "{event}");
    }
}
