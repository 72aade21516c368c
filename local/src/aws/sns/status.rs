//! The delivery status that SNS logs of a text message, as a subscription filter sends it. Some
//! numbers that no phone has fail.

use std::io::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use otp_domain::UnixTime;
use serde_json::{Value, json};

use super::super::protocol::time;

/// The numbers that fail, with what the carrier says and what the inbox shows.
const FAILING: [(&str, &str, &str); 5] = [
    ("+15005550001", "Invalid phone number", "unreachable"),
    (
        "+15005550002",
        "Phone is currently unreachable/unavailable",
        "failed",
    ),
    ("+15005550003", "Phone number is opted out", "opted-out"),
    (
        "+15005550004",
        "Destination is on a blocked list",
        "suppressed",
    ),
    (
        "+15005550005",
        "Phone carrier has blocked this message",
        "failed",
    ),
];

/// What becomes of the text message, and the event that says so.
pub(super) fn of(id: &str, to: &str, at: UnixTime) -> (&'static str, Option<Value>) {
    let failing = FAILING.iter().find(|(number, _, _)| *number == to);
    let (status, response, state) = match failing {
        Some((_, response, state)) => ("FAILURE", *response, *state),
        None => (
            "SUCCESS",
            "Message has been accepted by phone carrier",
            "delivered",
        ),
    };
    let written = time(at).replace('T', " ").replace('Z', "");
    let line = json!({
        "notification": { "messageId": id, "timestamp": written },
        "delivery": {
            "destination": to,
            "smsType": "Transactional",
            "providerResponse": response,
            "dwellTimeMs": 0,
        },
        "status": status,
    });
    let group = "sns/us-east-1/000000000000/DirectPublishToPhoneNumber";
    let group = match status {
        "FAILURE" => format!("{group}/Failure"),
        _ => group.to_owned(),
    };
    let logs = json!({
        "messageType": "DATA_MESSAGE",
        "owner": "000000000000",
        "logGroup": group,
        "logStream": id,
        "subscriptionFilters": ["local"],
        "logEvents": [{ "id": id, "timestamp": at.as_millis(), "message": line.to_string() }],
    });
    let event = pack(&logs).map(|data| json!({ "awslogs": { "data": data } }));
    (state, event)
}

fn pack(logs: &Value) -> Option<String> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(logs.to_string().as_bytes()).ok()?;
    Some(BASE64_STANDARD.encode(packer.finish().ok()?))
}
