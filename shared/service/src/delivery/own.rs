use aws_sdk_sns::Client;
use aws_smithy_types::{DateTime, date_time::Format};
use aws_types::region::Region;
use otp_domain::{DestinationKind, Topic, WayName};
use otp_messages::{Email, Messages};
use serde::Serialize;

use super::{CodeMessage, DeliveryFailure, NoticeMessage, email};
use crate::{
    about::MessageId,
    aws::{Aws, ProviderConnection, Service},
};

/// Publishes codes to an SNS topic, whose subscriber sends them.
pub(super) struct OwnSender {
    client: Client,
    pub(super) connection: ProviderConnection,
    topic: Topic,
}

/// A message as the subscriber reads it (docs/own-senders.md).
// No `Debug`: it has the code.
#[derive(Serialize)]
struct Published<'a> {
    id: &'a str,
    way: &'a str,
    destination: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    purpose: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    locale: &'static str,
    brand: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
}

impl OwnSender {
    pub(super) fn new(aws: &Aws, topic: &Topic) -> Self {
        let there = Region::new(topic.region().to_owned());
        let aws = aws.in_region(Some(&there));
        Self {
            client: aws.sns(),
            connection: ProviderConnection::new(&aws, Service::Sms),
            topic: topic.clone(),
        }
    }

    pub(super) async fn send(
        &self,
        way: &WayName,
        messages: &Messages,
        message: &CodeMessage<'_>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        self.publish(&published(way, messages, message)).await
    }

    /// Publishes a message that has no code.
    pub(super) async fn notify(
        &self,
        way: &WayName,
        messages: &Messages,
        content: Email,
        message: &NoticeMessage<'_>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        let is_email = message.to.kind() == DestinationKind::Email;
        let published = Published {
            id: message.id,
            way: way.as_str(),
            destination: message.to.as_str(),
            code: None,
            purpose: "notice",
            text: content.text,
            subject: is_email.then_some(content.subject),
            html: is_email.then_some(content.html),
            locale: message.language.tag(),
            brand: messages.settings().brand.as_str(),
            challenge: None,
            end: None,
        };
        self.publish(&published).await
    }

    async fn publish(
        &self,
        published: &Published<'_>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        let json = serde_json::to_string(published);
        let json = json.map_err(|_| DeliveryFailure::not_built(OPERATION))?;
        let sent = self.client.publish().topic_arn(self.topic.arn());
        let sent = sent.message(json).send().await;
        // A topic knows no destination, so it refuses none.
        sent.map(|sent| MessageId::new(sent.message_id))
            .map_err(|error| DeliveryFailure::from_sdk(OPERATION, &error, |_, _| false))
    }
}

const OPERATION: &str = "PublishToTopic";

fn published<'a>(
    way: &'a WayName,
    messages: &'a Messages,
    message: &'a CodeMessage<'_>,
) -> Published<'a> {
    let (to, selection) = (message.to, message.selection);
    let (language, subject, text, html) = match to.kind() {
        DestinationKind::Email => {
            let requested_at = email::requested_at(messages, message);
            let details = email::details(message, &requested_at);
            let it = messages.email(selection.language, &details);
            (selection.language, Some(it.subject), it.text, Some(it.html))
        }
        DestinationKind::Phone => {
            let it = message.sms(messages);
            (it.language, None, it.text, None)
        }
    };
    let end = i64::try_from(message.end.as_millis()).unwrap_or_default();
    let end = DateTime::from_millis(end).fmt(Format::DateTime);
    Published {
        id: message.id,
        way: way.as_str(),
        destination: to.as_str(),
        code: Some(message.code.expose_secret()),
        purpose: message.confirms.as_str(),
        text,
        subject,
        html,
        locale: language.tag(),
        brand: messages.settings().brand.as_str(),
        challenge: Some(message.challenge_id.as_str()),
        end: Some(end.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sns::config::BehaviorVersion;

    use super::*;
    use crate::aws::TrustRoots;

    #[test]
    fn a_topic_is_published_to_in_its_own_region() {
        let sdk = aws_types::SdkConfig::builder().behavior_version(BehaviorVersion::latest());
        let sdk = sdk.region(Region::from_static("us-east-1")).build();
        let aws = Aws::new(sdk, &TrustRoots::default());
        let topic = Topic::parse("arn:aws:sns:eu-west-1:123456789012:codes").unwrap();
        let client = OwnSender::new(&aws, &topic).client;
        let region = client.config().region().map(Region::as_ref);
        assert_eq!(region, Some("eu-west-1"));
    }
}
