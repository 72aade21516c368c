//! Reads the events by which providers report what became of messages: those of SES, by
//! `EventBridge`, and the delivery status logs of SNS, by a subscription filter.

use std::io::Read;

use aws_smithy_types::{DateTime, date_time::Format};
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use otp_domain::{
    ChallengeId, Destination, DestinationKind, EmailAddress, Mark, MessageState, PhoneNumber,
    UnixTime, WayName,
};
use otp_service::{about::MessageId, ledger::Report};
use serde::Deserialize;

/// What an event reports, one by one. A report that cannot be understood is a reason, which
/// has no data.
pub type Reports = Vec<Result<Report, &'static str>>;

/// The most that the logs of one event may have, unpacked. `CloudWatch` sends 1 MB at most.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// The tag of an e-mail that names its challenge.
const CHALLENGE: &str = "challenge_id";

/// What tells an event of a report from a request.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    detail: Option<serde_json::Value>,
    awslogs: Option<Packed>,
}

#[derive(Deserialize)]
struct Packed {
    data: String,
}

/// The reports of an event; `None` if it is no event of a provider.
pub(crate) fn reports(event: &str) -> Option<Reports> {
    // Serde takes a list for a struct, too.
    let is_object = event.trim_start().starts_with('{');
    let envelope: Envelope = is_object.then(|| serde_json::from_str(event).ok())??;
    if let Some(packed) = envelope.awslogs {
        return Some(of_sns(&packed.data).unwrap_or_else(|| vec![Err("not the logs of SNS")]));
    }
    envelope.detail_type?;
    let detail = envelope.detail.map(serde_json::from_value);
    let report = detail.and_then(Result::ok).and_then(of_ses);
    Some(vec![report.ok_or("not an event of SES")])
}

/// An event of SES, as far as it is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SesEvent {
    event_type: String,
    mail: Mail,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    delivery: Option<Happened>,
    delivery_delay: Option<Happened>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    timestamp: String,
    message_id: Option<String>,
    destination: Vec<String>,
    #[serde(default)]
    tags: std::collections::BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Bounce {
    #[serde(rename = "bounceType")]
    kind: String,
    #[serde(rename = "bounceSubType")]
    list: Option<String>,
    timestamp: String,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(rename = "complaintSubType")]
    list: Option<String>,
    #[serde(rename = "complaintFeedbackType")]
    kind: Option<String>,
    timestamp: String,
}

#[derive(Deserialize)]
struct Happened {
    timestamp: String,
}

/// The account's own suppression list, and that of SES for all accounts.
const SUPPRESSED: [&str; 2] = ["OnAccountSuppressionList", "Suppressed"];

fn is_suppressed(list: Option<&str>) -> bool {
    list.is_some_and(|list| SUPPRESSED.contains(&list))
}

impl Bounce {
    fn state(&self) -> MessageState {
        match self.kind.as_str() {
            _ if is_suppressed(self.list.as_deref()) => MessageState::Lost(Mark::Suppressed),
            "Permanent" => MessageState::Lost(Mark::Bounced),
            _ => MessageState::Failed,
        }
    }
}

impl Complaint {
    fn state(&self) -> MessageState {
        match self.kind.as_deref() {
            _ if is_suppressed(self.list.as_deref()) => MessageState::Lost(Mark::Suppressed),
            // The recipient takes a message out of the spam.
            Some("not-spam") => MessageState::Delivered,
            _ => MessageState::Lost(Mark::Complained),
        }
    }
}

fn of_ses(event: SesEvent) -> Option<Report> {
    let sent_at = time(&event.mail.timestamp)?;
    let (state, at) = match event.event_type.as_str() {
        "Bounce" => event.bounce.map(|it| (it.state(), it.timestamp))?,
        "Complaint" => event.complaint.map(|it| (it.state(), it.timestamp))?,
        "Delivery" => (MessageState::Delivered, event.delivery?.timestamp),
        "DeliveryDelay" => (MessageState::Delayed, event.delivery_delay?.timestamp),
        "Reject" | "Rendering Failure" => (MessageState::Failed, event.mail.timestamp),
        _ => return None,
    };
    let [to] = &event.mail.destination[..] else {
        return None;
    };
    let challenge = event.mail.tags.get(CHALLENGE).and_then(|tag| tag.first());
    Some(Report {
        to: Destination::Email(EmailAddress::parse(to).ok()?),
        way: WayName::built_in(DestinationKind::Email),
        challenge: challenge.and_then(|id| ChallengeId::parse(id)),
        message: MessageId::new(event.mail.message_id),
        sent_at,
        at: time(&at)?,
        state,
    })
}

/// What a subscription filter sends.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Logs {
    message_type: String,
    #[serde(default)]
    log_events: Vec<LogEvent>,
}

#[derive(Deserialize)]
struct LogEvent {
    message: String,
}

/// What SNS writes about one text message.
#[derive(Deserialize)]
struct Status {
    notification: Notification,
    delivery: Delivery,
    #[serde(rename = "status")]
    outcome: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    message_id: Option<String>,
    timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    destination: String,
    provider_response: Option<String>,
    dwell_time_ms: Option<u64>,
}

fn of_sns(packed: &str) -> Option<Reports> {
    let packed = STANDARD.decode(packed).ok()?;
    let mut text = String::new();
    let mut unpacked = GzDecoder::new(&packed[..]).take(MOST_BYTES);
    unpacked.read_to_string(&mut text).ok()?;
    let logs: Logs = serde_json::from_str(&text).ok()?;
    // A control message only asks whether somebody listens.
    let events = logs.log_events.into_iter();
    let events = events.filter(|_| logs.message_type == "DATA_MESSAGE");
    let report = |event: LogEvent| of_status(&event.message).ok_or("not a delivery status of SNS");
    Some(events.map(report).collect())
}

fn of_status(line: &str) -> Option<Report> {
    let Status {
        notification,
        delivery,
        outcome,
    } = serde_json::from_str(line).ok()?;
    // SNS writes `2026-01-31 12:00:00.000`.
    let sent_at = time(&format!("{}Z", notification.timestamp.replace(' ', "T")))?;
    let took = delivery.dwell_time_ms.unwrap_or_default();
    Some(Report {
        to: Destination::Phone(PhoneNumber::parse(&delivery.destination).ok()?),
        way: WayName::built_in(DestinationKind::Phone),
        challenge: None,
        message: MessageId::new(notification.message_id),
        sent_at,
        at: sent_at.plus(std::time::Duration::from_millis(took)),
        state: match outcome.as_str() {
            "SUCCESS" => MessageState::Delivered,
            "FAILURE" => failed(&delivery.provider_response.unwrap_or_default()),
            _ => return None,
        },
    })
}

/// Whether the next text message may arrive. A phone that is switched off is no dead number.
fn failed(response: &str) -> MessageState {
    match response {
        "Phone number is opted out" | "Phone has blocked SMS" => MessageState::Lost(Mark::OptedOut),
        "Phone is on a blocked list" | "Destination is on a blocked list" => {
            MessageState::Lost(Mark::Suppressed)
        }
        "Invalid phone number" => MessageState::Lost(Mark::Unreachable),
        _ => MessageState::Failed,
    }
}

fn time(text: &str) -> Option<UnixTime> {
    let time = DateTime::from_str(text, Format::DateTime).ok()?;
    let millis = time.to_millis().ok()?;
    u64::try_from(millis).ok().map(UnixTime::from_millis)
}

#[cfg(test)]
mod tests;
