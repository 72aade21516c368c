use std::collections::HashMap;

use aws_sdk_sns::{Client, error::BuildError, types::MessageAttributeValue};
use otp_domain::{PhoneNumber, Sender, SenderIdentity, SmsSenders};
use otp_messages::Messages;

use super::{CodeMessage, DeliveryFailure, Settings};
use crate::{
    about::MessageId,
    aws::{Aws, ProviderConnection, Service},
};

const OPERATION: &str = "Publish";

/// Sends text messages through Amazon SNS, directly to a number.
pub(super) struct SmsSender {
    client: Client,
    pub(super) connection: ProviderConnection,
    senders: SmsSenders,
    max_price: Option<String>,
}

impl SmsSender {
    pub(super) fn new(aws: &Aws, settings: &Settings) -> Self {
        Self {
            client: aws.sns(),
            connection: ProviderConnection::new(aws, Service::Sms),
            senders: settings.sms_senders.clone(),
            max_price: settings.sms_max_price.clone(),
        }
    }

    pub(super) async fn send(
        &self,
        to: &PhoneNumber,
        messages: &Messages,
        message: &CodeMessage<'_>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        let sender = self.senders.of(to);
        let attributes = attributes(sender, self.max_price.as_deref())
            .map_err(|_| DeliveryFailure::not_built(OPERATION))?;
        // A carrier drops whatever differs from the wording that it has registered.
        let sms = match sender.and_then(|sender| sender.registration.as_ref()) {
            Some(registered) => messages.registered_sms(&registered.template_id, message.code),
            None => message.sms(messages),
        };
        self.publish(to, sms.text, attributes).await
    }

    /// Sends a message that has no code. A carrier that takes registered wordings alone drops
    /// it.
    pub(super) async fn notify(
        &self,
        to: &PhoneNumber,
        text: String,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        let attributes = attributes(self.senders.of(to), self.max_price.as_deref())
            .map_err(|_| DeliveryFailure::not_built(OPERATION))?;
        self.publish(to, text, attributes).await
    }

    async fn publish(
        &self,
        to: &PhoneNumber,
        text: String,
        attributes: HashMap<String, MessageAttributeValue>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        let sent = self
            .client
            .publish()
            .phone_number(to.as_str())
            .message(text)
            .set_message_attributes(Some(attributes))
            .send()
            .await
            .map_err(|error| DeliveryFailure::from_sdk(OPERATION, &error, is_about_number))?;
        Ok(MessageId::new(sent.message_id))
    }
}

/// Codes are transactional, so SNS sends them before promotional messages.
fn attributes(
    sender: Option<&Sender>,
    max_price: Option<&str>,
) -> Result<HashMap<String, MessageAttributeValue>, BuildError> {
    let identity = sender.map(|sender| match &sender.identity {
        SenderIdentity::Id(id) => ("AWS.SNS.SMS.SenderID", "String", id.as_str()),
        SenderIdentity::Number(number) => {
            ("AWS.MM.SMS.OriginationNumber", "String", number.as_str())
        }
    });
    let registration = sender.and_then(|sender| sender.registration.as_ref());
    let all = [
        Some(("AWS.SNS.SMS.SMSType", "String", "Transactional")),
        max_price.map(|price| ("AWS.SNS.SMS.MaxPrice", "Number", price)),
        identity,
        registration.map(|it| ("AWS.MM.SMS.EntityId", "String", it.entity_id.as_str())),
        registration.map(|it| ("AWS.MM.SMS.TemplateId", "String", it.template_id.as_str())),
    ];
    let attribute = |(name, kind, value): (&str, &str, &str)| {
        let value = MessageAttributeValue::builder()
            .data_type(kind)
            .string_value(value)
            .build()?;
        Ok((name.to_owned(), value))
    };
    all.into_iter().flatten().map(attribute).collect()
}

/// SNS: `Invalid parameter: PhoneNumber Reason: +1… is not valid to publish to`. The
/// same code, about another parameter, is a mistake of the deployment.
fn is_about_number(code: &str, message: &str) -> bool {
    let parameter = message.strip_prefix("Invalid parameter: ");
    code == "InvalidParameter"
        && parameter.is_none_or(|parameter| parameter.starts_with("PhoneNumber"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_about_the_number_is_one() {
        let number = "Invalid parameter: PhoneNumber Reason: +1000000 is not valid to publish to";
        assert!(is_about_number("InvalidParameter", number));
        for (code, message) in [
            ("InvalidParameter", "Invalid parameter: Message too long"),
            (
                "InvalidParameter",
                "Invalid parameter: MessageAttributes Reason: SenderID",
            ),
            ("ParameterValueInvalid", "Invalid parameter: PhoneNumber"),
            ("AuthorizationError", "PhoneNumber"),
            ("Throttled", "Rate exceeded"),
            ("OptedOut", ""),
        ] {
            assert!(!is_about_number(code, message), "{code} {message}");
        }
    }

    fn sent(to: &str, senders: &str, max_price: Option<&str>) -> Vec<String> {
        let senders = SmsSenders::parse(senders).unwrap();
        let number = PhoneNumber::parse(to).unwrap();
        let attributes = attributes(senders.of(&number), max_price).unwrap();
        let mut told: Vec<_> = attributes
            .iter()
            .map(|(name, value)| {
                let text = value.string_value().unwrap_or_default();
                format!("{name} {} {text}", value.data_type())
            })
            .collect();
        told.sort();
        told
    }

    #[test]
    fn a_message_is_transactional_and_no_dearer_than_the_operator_allows() {
        let kind = "AWS.SNS.SMS.SMSType String Transactional";
        assert_eq!(sent("+14155550123", "+44=Example", None), [kind]);
        assert_eq!(
            sent("+14155550123", "+44=Example", Some("0.05")),
            ["AWS.SNS.SMS.MaxPrice Number 0.05", kind]
        );
    }

    #[test]
    fn a_message_names_the_sender_that_its_number_demands() {
        let senders = "+44=Example,+1=+18005550100,+91=EXMPLE;1101234;110712345";
        let kind = "AWS.SNS.SMS.SMSType String Transactional";
        assert_eq!(
            sent("+447911123456", senders, None),
            [kind, "AWS.SNS.SMS.SenderID String Example"]
        );
        assert_eq!(
            sent("+14155550123", senders, None),
            ["AWS.MM.SMS.OriginationNumber String +18005550100", kind]
        );
        assert_eq!(
            sent("+919876543210", senders, None),
            [
                "AWS.MM.SMS.EntityId String 1101234",
                "AWS.MM.SMS.TemplateId String 110712345",
                kind,
                "AWS.SNS.SMS.SenderID String EXMPLE",
            ]
        );
    }
}
