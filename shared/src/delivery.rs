//! Sends a code where it belongs, or says that this deployment does not.

mod email;
mod message;
mod sms;

use aws_config::SdkConfig;

pub use message::{Brand, Wording};

use self::{email::EmailSender, sms::SmsSender};
use crate::{
    clients,
    config::Config,
    domain::{Destination, Passcode, Refusal, SmsPrefixes},
    fault::Fault,
};

/// Both channels, as far as this deployment uses them.
pub struct Messages {
    email: Option<EmailSender>,
    sms: SmsSender,
    sms_prefixes: SmsPrefixes,
    wording: Wording,
}

impl Messages {
    /// The channels that the settings open.
    #[must_use]
    pub fn new(config: &Config, sdk: &SdkConfig) -> Self {
        let email = config
            .email_from
            .clone()
            .map(|from| EmailSender::new(clients::ses(sdk), from));
        Self {
            email,
            sms: SmsSender::new(clients::sns(sdk), config.sms_max_price.clone()),
            sms_prefixes: config.sms_prefixes.clone(),
            wording: config.wording.clone(),
        }
    }

    /// Whether this deployment sends to `to`, told before anything is stored;
    /// for a number, the prefix that allows it.
    ///
    /// # Errors
    ///
    /// It does not.
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

    /// Sends the code. Nothing in the message comes from a client, except its
    /// recipient.
    ///
    /// # Errors
    ///
    /// The provider refused or cannot be reached. The message may still arrive.
    pub async fn deliver(&self, to: &Destination, code: &Passcode) -> Result<(), Fault> {
        match to {
            Destination::Email(address) => match &self.email {
                Some(sender) => sender.send(address, &self.wording, code).await,
                None => Err(email::switched_off()),
            },
            Destination::Phone(number) => self.sms.send(number, &self.wording.sms(code)).await,
        }
    }
}
