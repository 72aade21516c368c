//! The ways: how a code travels. A destination says who gets it; the settings say on
//! which ways.

use std::sync::Arc;

use aws_types::region::Region;
use otp_domain::{Destination, DestinationKind, ListedWay, SmsPrefixes, SmsSenders, WayName, Ways};
use otp_messages::Messages;

use super::{
    CodeMessage, DeliveryFailure, EmailFrom, NoticeMessage, email::EmailSender, own::OwnSender,
    sms::SmsSender,
};
use crate::{
    about::MessageId,
    aws::Aws,
    fault::{Dependency, Fault},
};

/// The settings of the ways, and of what travels on them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The ways, in order.
    pub ways: Ways,
    /// The sender; without it, SES sends nothing.
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

/// A way of this deployment: a name, whom it reaches, and who sends.
pub(super) struct Way {
    pub(super) name: WayName,
    pub(super) reaches: DestinationKind,
    sender: Sender,
}

enum Sender {
    /// SES.
    Email(Box<EmailSender>),
    /// SNS, directly to a number.
    Sms(SmsSender),
    /// Whoever subscribes to the topic.
    Own(OwnSender),
}

impl Way {
    /// The ways that this deployment uses, in order.
    pub(super) fn all(settings: &Settings, aws: &Aws) -> Vec<Self> {
        let kinds = [DestinationKind::Email, DestinationKind::Phone];
        let listed = kinds.into_iter().flat_map(|kind| {
            let ways = settings.ways.to(kind).iter();
            ways.map(move |listed| (kind, listed))
        });
        let way = |(reaches, listed): (DestinationKind, &ListedWay)| {
            Some(Self {
                name: listed.name.clone(),
                reaches,
                sender: Sender::of(reaches, listed, settings, aws)?,
            })
        };
        listed.filter_map(way).collect()
    }

    /// Makes sure that a send soon after this finds an open connection.
    pub(super) async fn connect(&self) {
        let connection = match &self.sender {
            Sender::Email(sender) => &sender.connection,
            Sender::Sms(sender) => &sender.connection,
            Sender::Own(sender) => &sender.connection,
        };
        connection.open().await;
    }

    /// Opens a connection, and looks for mistakes that only the provider knows.
    pub(super) async fn warm_up(&self, messages: &Messages) -> Result<(), Fault> {
        self.connect().await;
        match &self.sender {
            Sender::Email(sender) => sender.warm_up(messages).await,
            Sender::Sms(_) | Sender::Own(_) => Ok(()),
        }
    }

    /// Sends the code.
    pub(super) async fn send(
        &self,
        messages: &Messages,
        message: &CodeMessage<'_>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        match (&self.sender, message.to) {
            (Sender::Email(sender), Destination::Email(to)) => {
                sender.send(to, messages, message).await
            }
            (Sender::Sms(sender), Destination::Phone(to)) => {
                sender.send(to, messages, message).await
            }
            (Sender::Own(sender), _) => sender.send(&self.name, messages, message).await,
            (Sender::Email(_) | Sender::Sms(_), _) => Err(no_way()),
        }
    }
}

impl Way {
    /// Sends a notice.
    pub(super) async fn notify(
        &self,
        messages: &Messages,
        message: &NoticeMessage<'_>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        let content = messages.notice(message.language, message.notice);
        match (&self.sender, message.to) {
            (Sender::Email(sender), Destination::Email(to)) => {
                sender.notify(to, content, message).await
            }
            (Sender::Sms(sender), Destination::Phone(to)) => sender.notify(to, content.text).await,
            (Sender::Own(sender), _) => sender.notify(&self.name, messages, content, message).await,
            (Sender::Email(_) | Sender::Sms(_), _) => Err(no_way()),
        }
    }
}

impl Sender {
    fn of(to: DestinationKind, way: &ListedWay, settings: &Settings, aws: &Aws) -> Option<Self> {
        Some(match (&way.topic, to) {
            (Some(topic), _) => Self::Own(OwnSender::new(aws, topic)),
            (None, DestinationKind::Email) => {
                let (from, ses) = (
                    settings.email_from.as_ref()?,
                    aws.in_region(settings.ses_region.as_ref()),
                );
                Self::Email(Box::new(EmailSender::new(&ses, from, settings)))
            }
            (None, DestinationKind::Phone) => {
                let sns = aws.in_region(settings.sns_region.as_ref());
                Self::Sms(SmsSender::new(&sns, settings))
            }
        })
    }
}

/// Unreachable: [`check`](super::MessageSender::check) refuses first.
pub(super) fn no_way() -> DeliveryFailure {
    let cause = "no way to this destination";
    DeliveryFailure::NotSent(Fault::new(Dependency::Provider, "send", cause))
}
