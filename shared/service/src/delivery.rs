//! Sends codes by e-mail and text message.

mod email;
mod failure;
mod message;
mod sms;

use aws_config::SdkConfig;
use otp_domain::{Destination, EmailAddress, Passcode, Refusal, SmsPrefixes};

pub use failure::DeliveryFailure;
pub use message::{Brand, MessageTemplates};

use self::{email::EmailSender, sms::SmsSender};
use crate::aws;

/// The settings of delivery.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The sender's address; without it, no e-mail is sent.
    pub email_from: Option<EmailAddress>,
    /// The phone numbers that text messages may go to.
    pub sms_prefixes: SmsPrefixes,
    /// The most that SNS may charge for one text message, in USD.
    pub sms_max_price: Option<String>,
    /// The text of the messages.
    pub templates: MessageTemplates,
}

/// Sends codes on the channels that this deployment uses.
pub struct MessageSender {
    email: Option<EmailSender>,
    sms: SmsSender,
    sms_prefixes: SmsPrefixes,
    templates: MessageTemplates,
}

impl MessageSender {
    /// Builds the clients. It makes no call yet.
    #[must_use]
    pub fn new(settings: &Settings, sdk: &SdkConfig) -> Self {
        let email = settings
            .email_from
            .clone()
            .map(|from| EmailSender::new(aws::ses(sdk), from));
        Self {
            email,
            sms: SmsSender::new(aws::sns(sdk), settings.sms_max_price.clone()),
            sms_prefixes: settings.sms_prefixes.clone(),
            templates: settings.templates.clone(),
        }
    }

    /// Checks that this deployment sends to `to`, before anything is stored. For
    /// a phone number, returns the prefix that allows it.
    ///
    /// # Errors
    ///
    /// [`Refusal::DestinationNotAllowed`].
    pub fn check(&self, to: &Destination) -> Result<Option<&str>, Refusal> {
        match to {
            Destination::Email(_) if self.email.is_some() => Ok(None),
            Destination::Email(_) => Err(Refusal::DestinationNotAllowed),
            Destination::Phone(number) => self
                .sms_prefixes
                .allowing(number)
                .map(Some)
                .ok_or(Refusal::DestinationNotAllowed),
        }
    }

    /// Sends the code. A client chooses the recipient, and nothing else in the
    /// message.
    ///
    /// # Errors
    ///
    /// The provider did not confirm that it took the message.
    pub async fn send(&self, to: &Destination, code: &Passcode) -> Result<(), DeliveryFailure> {
        match to {
            Destination::Email(address) => match &self.email {
                Some(sender) => sender.send(address, &self.templates, code).await,
                None => Err(email::switched_off()),
            },
            Destination::Phone(number) => self.sms.send(number, &self.templates.sms(code)).await,
        }
    }
}
