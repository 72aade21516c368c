use aws_sdk_sns::Client;
use aws_smithy_types::{DateTime, date_time::Format};
use aws_types::region::Region;
use otp_domain::{DestinationKind, Topic, WayName};
use otp_messages::Messages;
use serde::Serialize;

use super::{CodeMessage, DeliveryFailure, email};
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
    code: &'a str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    locale: &'static str,
    brand: &'a str,
    challenge: &'a str,
    end: String,
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
        let published = published(way, messages, message);
        let json = serde_json::to_string(&published);
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
            let it = messages.sms(selection.language, selection.app, message.code);
            (it.language, None, it.text, None)
        }
    };
    let end = i64::try_from(message.end.as_millis()).unwrap_or_default();
    let end = DateTime::from_millis(end).fmt(Format::DateTime);
    Published {
        id: message.id,
        way: way.as_str(),
        destination: to.as_str(),
        code: message.code.expose_secret(),
        text,
        subject,
        html,
        locale: language.tag(),
        brand: messages.settings().brand.as_str(),
        challenge: message.challenge_id.as_str(),
        end: end.unwrap_or_default(),
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
