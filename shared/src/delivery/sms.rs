use aws_sdk_sns::{Client, error::BuildError, types::MessageAttributeValue};

use crate::{
    domain::PhoneNumber,
    fault::{Dependency, Fault},
};

const OPERATION: &str = "Publish";

/// Sends through Amazon SNS, straight to a number.
pub(super) struct SmsSender {
    client: Client,
}

impl SmsSender {
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }

    pub(super) async fn send(&self, to: &PhoneNumber, message: &str) -> Result<(), Fault> {
        let transactional = text_attribute("Transactional")
            .map_err(|_| Fault::new(Dependency::Provider, OPERATION, "request not built"))?;
        self.client
            .publish()
            .phone_number(to.as_str())
            .message(message)
            .message_attributes("AWS.SNS.SMS.SMSType", transactional)
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Provider, OPERATION, &error))?;
        Ok(())
    }
}

fn text_attribute(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
}
