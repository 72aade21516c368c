//! Sends codes by e-mail and text message.

mod email;
mod failure;
mod from;
mod sms;
mod template;
mod way;

use std::sync::Arc;

use futures_util::future::join_all;
use otp_domain::{
    ChallengeId, ClientAddress, Destination, Passcode, Refusal, SmsPrefixes, UnixTime,
};
use otp_messages::{AndroidApp, EmailDetails, Language, LanguageChoice, Messages};

pub use aws_types::region::Region;
pub use failure::DeliveryFailure;
pub use from::EmailFrom;
pub use way::Settings;

use self::{template::OwnTemplate, way::Way};
use crate::{about::MessageId, aws::Aws, fault::Fault};

/// Sends codes on the ways that this deployment uses.
pub struct MessageSender {
    ways: Vec<Way>,
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
        Self {
            ways: Way::all(settings, aws),
            sms_prefixes: settings.sms_prefixes.clone(),
            messages: Arc::clone(&settings.messages),
        }
    }

    fn way_to(&self, to: &Destination) -> Option<&Way> {
        self.ways.iter().find(|way| way.reaches(to))
    }

    /// Checks that this deployment sends to `to`, before anything is stored. For
    /// a phone number, returns the prefix that allows it.
    ///
    /// # Errors
    ///
    /// [`Refusal::DestinationNotAllowed`].
    pub fn check(&self, to: &Destination) -> Result<Option<&str>, Refusal> {
        let refused = Refusal::DestinationNotAllowed;
        self.way_to(to).ok_or(refused)?;
        match to {
            Destination::Email(_) => Ok(None),
            Destination::Phone(number) => {
                let prefix = self.sms_prefixes.allowing(number);
                prefix.map(Some).ok_or(refused)
            }
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
        let started = self.ways.iter().map(|way| way.warm_up(&self.messages));
        join_all(started).await.into_iter().collect()
    }

    /// Makes sure that a send soon after this finds an open connection.
    pub async fn connect(&self, to: &Destination) {
        if let Some(way) = self.way_to(to) {
            way.connect().await;
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
        match self.way_to(message.to) {
            Some(way) => way.send(&self.messages, message).await,
            None => Err(way::no_way()),
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
