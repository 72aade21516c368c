use std::collections::HashMap;

use aws_sdk_sns::{Client, error::BuildError, types::MessageAttributeValue};
use otp_domain::PhoneNumber;

use super::DeliveryFailure;

const OPERATION: &str = "Publish";

/// Sends text messages through Amazon SNS, directly to a number.
pub(super) struct SmsSender {
    client: Client,
    max_price: Option<String>,
}

impl SmsSender {
    pub(super) const fn new(client: Client, max_price: Option<String>) -> Self {
        Self { client, max_price }
    }

    pub(super) async fn send(
        &self,
        to: &PhoneNumber,
        message: &str,
    ) -> Result<(), DeliveryFailure> {
        let attributes = self
            .attributes()
            .map_err(|_| DeliveryFailure::not_built(OPERATION))?;
        self.client
            .publish()
            .phone_number(to.as_str())
            .message(message)
            .set_message_attributes(Some(attributes))
            .send()
            .await
            .map_err(|error| DeliveryFailure::from_sdk(OPERATION, &error))?;
        Ok(())
    }

    /// Codes are transactional, so SNS sends them before promotional messages.
    fn attributes(&self) -> Result<HashMap<String, MessageAttributeValue>, BuildError> {
        let attribute = |kind: &str, value: &str| {
            MessageAttributeValue::builder()
                .data_type(kind)
                .string_value(value)
                .build()
        };
        let kind = attribute("String", "Transactional")?;
        let mut attributes = HashMap::from([("AWS.SNS.SMS.SMSType".to_owned(), kind)]);
        if let Some(price) = &self.max_price {
            let price = attribute("Number", price)?;
            attributes.insert("AWS.SNS.SMS.MaxPrice".to_owned(), price);
        }
        Ok(attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(max_price: Option<&str>) -> Vec<(String, String, String)> {
        let config = aws_sdk_sns::Config::builder()
            .behavior_version(aws_sdk_sns::config::BehaviorVersion::latest())
            .build();
        let client = Client::from_conf(config);
        let sender = SmsSender::new(client, max_price.map(str::to_owned));
        let mut told: Vec<_> = sender
            .attributes()
            .unwrap()
            .into_iter()
            .map(|(name, value)| {
                let text = value.string_value().unwrap_or_default().to_owned();
                (name, value.data_type().to_owned(), text)
            })
            .collect();
        told.sort();
        told
    }

    #[test]
    fn a_message_is_transactional_and_no_dearer_than_the_operator_allows() {
        let owned = |(a, b, c): (&str, &str, &str)| (a.to_owned(), b.to_owned(), c.to_owned());
        let kind = owned(("AWS.SNS.SMS.SMSType", "String", "Transactional"));
        let price = owned(("AWS.SNS.SMS.MaxPrice", "Number", "0.05"));
        assert_eq!(attributes(None), std::slice::from_ref(&kind));
        assert_eq!(attributes(Some("0.05")), [price, kind]);
    }
}
