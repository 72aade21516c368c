//! The ways: how a code travels. A destination says who gets it; which kinds of
//! destination a way reaches is written here alone.

use std::sync::Arc;

use aws_types::region::Region;
use otp_domain::{Destination, SmsPrefixes, SmsSenders};
use otp_messages::Messages;

use super::{CodeMessage, DeliveryFailure, EmailFrom, email::EmailSender, sms::SmsSender};
use crate::{
    about::MessageId,
    aws::Aws,
    fault::{Dependency, Fault},
};

/// The settings of the ways, and of what travels on them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The sender; without it, no e-mail is sent.
    pub email_from: Option<EmailFrom>,
    /// The ARN of the SES identity that sends, if another account owns it.
    pub email_identity: Option<String>,
    /// The SES configuration set of e-mails; without it, the identity's own.
    pub configuration_set: Option<String>,
    /// The region of SES; without it, that of the function.
    pub ses_region: Option<Region>,
    /// The region of SNS; without it, that of the function.
    pub sns_region: Option<Region>,
    /// The name of the SES template that replaces the built-in e-mail.
    pub email_template: Option<String>,
    /// The phone numbers that text messages may go to.
    pub sms_prefixes: SmsPrefixes,
    /// Who text messages come from.
    pub sms_senders: SmsSenders,
    /// The most that SNS may charge for one text message, in USD.
    pub sms_max_price: Option<String>,
    /// What the messages say.
    pub messages: Arc<Messages>,
}

/// How a code travels.
pub(super) enum Way {
    /// By e-mail, through SES.
    Email(Box<EmailSender>),
    /// By text message, through SNS.
    Sms(SmsSender),
}

impl Way {
    /// The ways that this deployment uses. Of two that reach a destination, the first
    /// is taken.
    pub(super) fn all(settings: &Settings, aws: &Aws) -> Vec<Self> {
        let ses = aws.in_region(settings.ses_region.as_ref());
        let sns = aws.in_region(settings.sns_region.as_ref());
        let email = settings.email_from.as_ref();
        let email = email.map(|from| Box::new(EmailSender::new(&ses, from, settings)));
        let sends_sms = !settings.sms_prefixes.is_empty();
        let sms = sends_sms.then(|| Self::Sms(SmsSender::new(&sns, settings)));
        email.map(Self::Email).into_iter().chain(sms).collect()
    }

    /// Whether a code for this destination can travel so.
    pub(super) const fn reaches(&self, to: &Destination) -> bool {
        match self {
            Self::Email(_) => matches!(to, Destination::Email(_)),
            Self::Sms(_) => matches!(to, Destination::Phone(_)),
        }
    }

    /// Makes sure that a send soon after this finds an open connection.
    pub(super) async fn connect(&self) {
        match self {
            Self::Email(sender) => sender.connection.open().await,
            Self::Sms(sender) => sender.connection.open().await,
        }
    }

    /// Opens a connection, and looks for mistakes that only the provider knows.
    pub(super) async fn warm_up(&self, messages: &Messages) -> Result<(), Fault> {
        self.connect().await;
        match self {
            Self::Email(sender) => sender.warm_up(messages).await,
            Self::Sms(_) => Ok(()),
        }
    }

    /// Sends the code.
    pub(super) async fn send(
        &self,
        messages: &Messages,
        message: &CodeMessage<'_>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        match (self, message.to) {
            (Self::Email(sender), Destination::Email(to)) => {
                sender.send(to, messages, message).await
            }
            (Self::Sms(sender), Destination::Phone(to)) => sender.send(to, messages, message).await,
            (Self::Email(_) | Self::Sms(_), _) => Err(no_way()),
        }
    }
}

/// Unreachable: [`check`](super::MessageSender::check) refuses first.
pub(super) fn no_way() -> DeliveryFailure {
    let cause = "no way to this destination";
    DeliveryFailure::NotSent(Fault::new(Dependency::Provider, "send", cause))
}
