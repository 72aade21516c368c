//! Sends codes by e-mail and text message.

mod email;
mod failure;
mod from;
mod sms;
mod template;

use std::sync::Arc;

use otp_domain::{
    ChallengeId, ClientAddress, Destination, Passcode, Refusal, SmsPrefixes, SmsSenders, UnixTime,
};
use otp_messages::{AndroidApp, EmailDetails, Language, LanguageChoice, Messages};

pub use aws_types::region::Region;
pub use failure::DeliveryFailure;
pub use from::EmailFrom;

use self::{email::EmailSender, sms::SmsSender, template::OwnTemplate};
use crate::{about::MessageId, aws::Aws, fault::Fault};

/// The settings of delivery.
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

/// Sends codes on the channels that this deployment uses.
pub struct MessageSender {
    email: Option<EmailSender>,
    sms: SmsSender,
    sms_prefixes: SmsPrefixes,
    messages: Arc<Messages>,
}

/// What the client selected among this deployment's messages.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    language: Language,
    app: Option<AndroidApp>,
}

/// One code on its way to its destination.
pub struct CodeMessage<'a> {
    /// Where to.
    pub to: &'a Destination,
    /// The code.
    pub code: &'a Passcode,
    /// The challenge that the code answers.
    pub challenge_id: &'a ChallengeId,
    /// The language, and the app that reads the message.
    pub selection: Selection,
    /// When the code was requested.
    pub requested_at: UnixTime,
    /// The client that requested it.
    pub client: &'a ClientAddress,
}

impl MessageSender {
    /// Builds the clients. It makes no call yet.
    #[must_use]
    pub fn new(settings: &Settings, aws: &Aws) -> Self {
        let ses = aws.in_region(settings.ses_region.as_ref());
        let sns = aws.in_region(settings.sns_region.as_ref());
        let from = settings.email_from.as_ref();
        Self {
            email: from.map(|from| EmailSender::new(&ses, from, settings)),
            sms: SmsSender::new(&sns, settings),
            sms_prefixes: settings.sms_prefixes.clone(),
            messages: Arc::clone(&settings.messages),
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

    /// Selects the language and the app, before anything is stored.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownApp`].
    pub fn select(&self, choice: LanguageChoice, app: Option<&str>) -> Result<Selection, Refusal> {
        let settings = self.messages.settings();
        let find = |name| settings.apps.find(name).ok_or(Refusal::UnknownApp);
        Ok(Selection {
            language: choice.or(settings.default_language),
            app: app.map(find).transpose()?,
        })
    }

    /// Opens connections to the providers, and checks the SES template of the default
    /// language, if there is one, so that the log tells of a mistake before the first
    /// login.
    ///
    /// # Errors
    ///
    /// The template is missing, or lacks the code.
    pub async fn warm_up(&self) -> Result<(), Fault> {
        let (template, ()) = tokio::join!(
            async {
                match &self.email {
                    Some(email) => email.warm_up(&self.messages).await,
                    None => Ok(()),
                }
            },
            async {
                if !self.sms_prefixes.is_empty() {
                    self.sms.connection.open().await;
                }
            },
        );
        template
    }

    /// Makes sure that a send soon after this finds an open connection.
    pub async fn connect(&self, to: &Destination) {
        match to {
            Destination::Email(_) => {
                if let Some(email) = &self.email {
                    email.connection.open().await;
                }
            }
            Destination::Phone(_) => self.sms.connection.open().await,
        }
    }

    /// Sends the code, and returns the provider's id of the message. A client chooses the
    /// recipient, and selects among the messages of this deployment. Nothing else of its
    /// request enters a message.
    ///
    /// # Errors
    ///
    /// The provider did not confirm that it took the message.
    pub async fn send(
        &self,
        message: &CodeMessage<'_>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        match message.to {
            Destination::Email(address) => match &self.email {
                Some(sender) => sender.send(address, &self.messages, message).await,
                None => Err(email::switched_off()),
            },
            Destination::Phone(number) => self.sms.send(number, &self.messages, message).await,
        }
    }
}

/// The operator's own e-mail in this language, as SES renders it.
///
/// # Errors
///
/// There is no such template, it lacks the code, or SES cannot render it.
pub async fn render_own_email(
    settings: &Settings,
    aws: &Aws,
    language: Language,
    details: &EmailDetails<'_>,
) -> Result<String, Fault> {
    let messages = &settings.messages;
    let base = settings.email_template.clone().unwrap_or_default();
    let template = OwnTemplate::new(base, messages.settings().default_language);
    let client = aws.ses();
    let found = template.find(&client, language).await?;
    let variables = messages.variables(found.language, details);
    template::render(&client, &found, &variables).await
}
