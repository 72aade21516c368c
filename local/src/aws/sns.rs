//! SNS: `Publish` to a phone number or a topic, delivered to the inbox. What becomes of a text
//! message is reported.

mod status;

use std::collections::HashMap;

use super::{protocol::AwsError, topics::Topics};
use crate::inbox::{Channel, Draft, Inbox};

/// The longest message that SNS accepts. SNS splits a text that exceeds one SMS.
const MAX_MESSAGE_CHARS: usize = 1600;

pub(super) type Form = HashMap<String, String>;

pub(super) fn answer(inbox: &Inbox, topics: &Topics, body: &[u8]) -> Result<String, AwsError> {
    let form: Form = form_urlencoded::parse(body).into_owned().collect();
    let Some(action) = form.get("Action") else {
        return Err(AwsError::client("MissingAction", "The form has no Action."));
    };
    let result = match action.as_str() {
        "Publish" if form.contains_key("PhoneNumber") => publish(inbox, &form)?,
        "Publish" => topics.publish(inbox, &form)?,
        "GetSMSSandboxAccountStatus" => "<IsInSandbox>false</IsInSandbox>".to_owned(),
        "GetSMSAttributes" => attributes_of_account(),
        _ => {
            return Err(AwsError::client(
                "InvalidAction",
                "Of the services that accept forms, only SNS is emulated: its Publish, and what an \
                 account says of itself.",
            ));
        }
    };
    Ok(format!("<{action}Result>{result}</{action}Result>"))
}

/// What the account says of its text messages.
fn attributes_of_account() -> String {
    let role = "arn:aws:iam::000000000000:role/SnsLogs";
    let entry = |key, value| format!("<entry><key>{key}</key><value>{value}</value></entry>");
    format!(
        "<attributes>{}{}</attributes>",
        entry("MonthlySpendLimit", "100"),
        entry("DeliveryStatusIAMRole", role)
    )
}

fn publish(inbox: &Inbox, form: &Form) -> Result<String, AwsError> {
    if form.contains_key("TopicArn") || form.contains_key("TargetArn") {
        return Err(invalid(
            "Only one of TopicArn, TargetArn and PhoneNumber can be published to",
        ));
    }
    let number = required(form, "PhoneNumber")?;
    if !is_e164(number) || !is_plausible(number) {
        return Err(not_publishable(number));
    }
    let message = required(form, "Message")?;
    if message.chars().count() > MAX_MESSAGE_CHARS {
        return Err(invalid("Message too long"));
    }
    let attributes = attributes(form)?;
    check_attributes(&attributes)?;
    if inbox.refuses("sms") {
        return Err(refused());
    }

    let id = inbox.receive(Draft {
        channel: Channel::Sms,
        way: "sms".to_owned(),
        to: number.to_owned(),
        from: sender(&attributes).map(str::to_owned),
        subject: None,
        text: Some(message.to_owned()),
        html: None,
        locale: inbox.language_of(message),
    });
    let (state, event) = status::of(&id, number, inbox.now());
    inbox.report(&id, state, event.as_slice());
    Ok(format!("<MessageId>{id}</MessageId>"))
}

pub(super) fn required<'a>(form: &'a Form, name: &str) -> Result<&'a str, AwsError> {
    match form.get(name).map(String::as_str) {
        Some("") => Err(invalid(&format!("Empty {name}"))),
        Some(value) => Ok(value),
        None => Err(invalid(&format!("{name} is required"))),
    }
}

fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// SNS knows the numbers of every country. The emulator refuses only what is too short for any
/// phone, such as `+1000000`, because documents and tests use numbers that no country has.
fn is_plausible(number: &str) -> bool {
    number.trim_start_matches('+').len() >= 8
}

/// The attributes in `MessageAttributes.entry.1.…`, `.2.…` and so on.
fn attributes(form: &Form) -> Result<HashMap<&str, &str>, AwsError> {
    let mut attributes = HashMap::new();
    for entry in 1.. {
        let member = |name: &str| {
            let key = format!("MessageAttributes.entry.{entry}.{name}");
            form.get(&key).map(String::as_str)
        };
        let Some(name) = member("Name") else {
            break;
        };
        let value = match member("Value.DataType") {
            Some("Binary") => member("Value.BinaryValue"),
            Some(_) => member("Value.StringValue"),
            None => None,
        };
        let value = value.filter(|value| !value.is_empty()).ok_or_else(|| {
            AwsError::client(
                "ParameterValueInvalid",
                format!(
                    "The message attribute '{name}' must have a type and a value of that type."
                ),
            )
        })?;
        attributes.insert(name, value);
    }
    Ok(attributes)
}

fn check_attributes(attributes: &HashMap<&str, &str>) -> Result<(), AwsError> {
    match attributes.get("AWS.SNS.SMS.SMSType").copied() {
        None | Some("Transactional" | "Promotional") => {}
        Some(_) => return Err(invalid("SMSType Reason: not Transactional or Promotional")),
    }
    match attributes.get(SENDER_ID) {
        Some(id) if !is_sender_id(id) => Err(invalid("SenderID Reason: not a sender id")),
        _ => Ok(()),
    }
}

const SENDER_ID: &str = "AWS.SNS.SMS.SenderID";

fn is_sender_id(id: &str) -> bool {
    let id_like = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=11).contains(&id.len())
        && id.bytes().all(id_like)
        && id.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// What the phone shows as the sender, if the caller chooses it.
fn sender<'a>(attributes: &HashMap<&str, &'a str>) -> Option<&'a str> {
    let number = attributes.get("AWS.MM.SMS.OriginationNumber");
    attributes.get(SENDER_ID).or(number).copied()
}

/// SNS quotes the number, too. The caller must keep it out of its logs.
fn not_publishable(number: &str) -> AwsError {
    invalid(&format!(
        "PhoneNumber Reason: {number} is not valid to publish to"
    ))
}

/// Not about the number, which would be the client's mistake.
pub(super) fn refused() -> AwsError {
    invalid("Message Reason: the inbox refuses every message")
}

pub(super) fn invalid(reason: &str) -> AwsError {
    AwsError::client("InvalidParameter", format!("Invalid parameter: {reason}"))
}

#[cfg(test)]
mod tests;
