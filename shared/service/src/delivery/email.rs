use aws_sdk_sesv2::{
    Client,
    error::BuildError,
    types::{Body, Content, Destination, EmailContent, Message},
};
use otp_domain::{EmailAddress, Passcode};

use super::{DeliveryFailure, MessageTemplates};
use crate::fault::{Dependency, Fault};

const OPERATION: &str = "SendEmail";

/// Sends e-mail through Amazon SES.
pub(super) struct EmailSender {
    client: Client,
    from: EmailAddress,
}

impl EmailSender {
    pub(super) const fn new(client: Client, from: EmailAddress) -> Self {
        Self { client, from }
    }

    pub(super) async fn send(
        &self,
        to: &EmailAddress,
        templates: &MessageTemplates,
        code: &Passcode,
    ) -> Result<(), DeliveryFailure> {
        let content =
            content(templates, code).map_err(|_| DeliveryFailure::not_built(OPERATION))?;
        self.client
            .send_email()
            .from_email_address(self.from.as_str())
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(content)
            .send()
            .await
            .map_err(|error| DeliveryFailure::from_sdk(OPERATION, &error))?;
        Ok(())
    }
}

/// Unreachable: without `EMAIL_FROM`, [`check`](super::MessageSender::check)
/// refuses first.
pub(super) fn switched_off() -> DeliveryFailure {
    let cause = "e-mail is switched off";
    DeliveryFailure::NotSent(Fault::new(Dependency::Provider, OPERATION, cause))
}

fn content(templates: &MessageTemplates, code: &Passcode) -> Result<EmailContent, BuildError> {
    let utf8 = |text: String| Content::builder().data(text).charset("UTF-8").build();
    let body = Body::builder()
        .text(utf8(templates.email_text(code))?)
        .html(utf8(templates.email_html(code))?)
        .build();
    let message = Message::builder()
        .subject(utf8(templates.email_subject())?)
        .body(body)
        .build();
    Ok(EmailContent::builder().simple(message).build())
}
