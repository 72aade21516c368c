//! Sends codes by e-mail and text message.

mod email;
mod failure;
mod from;
mod own;
mod sms;
mod template;
mod way;

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use otp_domain::{
    ChallengeId, ClientAddress, Destination, Passcode, Refusal, SmsPrefixes, UnixTime, WayName,
};
use otp_messages::{
    AndroidApp, Confirms, EmailDetails, Language, LanguageChoice, Messages, Notice, Sms,
};

pub use aws_types::region::Region;
pub use failure::DeliveryFailure;
pub use from::EmailFrom;
pub use way::Settings;

use self::{template::OwnTemplate, way::Way};
use crate::{
    about::{About, MessageId},
    ambient::Stopwatch,
    aws::Aws,
    fault::Fault,
};

/// After this long, a failure is no longer known at once, and no other way is tried.
const AT_ONCE: Duration = Duration::from_secs(3);

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
    /// The name of this message.
    pub id: &'a str,
    /// The ways to try, in order.
    pub ways: &'a [WayName],
    /// Where to.
    pub to: &'a Destination,
    /// The code.
    pub code: &'a Passcode,
    /// The challenge that the code answers.
    pub challenge_id: &'a ChallengeId,
    /// What the code confirms.
    pub confirms: Confirms,
    /// The language, and the app that reads the message.
    pub selection: Selection,
    /// When the code was requested.
    pub requested_at: UnixTime,
    /// When the code expires.
    pub end: UnixTime,
    /// The client that requested it.
    pub client: &'a ClientAddress,
}

/// One notice on its way to its destination.
pub struct NoticeMessage<'a> {
    /// Where to.
    pub to: &'a Destination,
    /// The name of this message.
    pub id: &'a str,
    /// The way to take.
    pub way: &'a WayName,
    /// What it tells.
    pub notice: Notice<'a>,
    /// The language.
    pub language: Language,
    /// When it is sent.
    pub at: UnixTime,
}

/// What became of a message.
pub struct Attempt {
    /// The way that was tried last.
    pub way: Option<WayName>,
    /// The provider's id of the message, or why it did not confirm that it took it.
    pub result: Result<Option<MessageId>, DeliveryFailure>,
}

impl Attempt {
    /// What the log tells of it.
    #[must_use]
    pub fn about(&self) -> About {
        About {
            way: self.way.clone(),
            message: self.result.as_ref().ok().cloned().flatten(),
            ..About::default()
        }
    }
}

impl CodeMessage<'_> {
    /// The text message in the words of this service.
    fn sms(&self, messages: &Messages) -> Sms {
        let Selection { language, app } = self.selection;
        match self.confirms {
            Confirms::Login => messages.sms(language, app, self.code),
            Confirms::Destination => messages.adding_sms(language, self.code),
        }
    }
}

impl MessageSender {
    /// Sends a notice on one way to its destination.
    ///
    /// # Errors
    ///
    /// The provider did not confirm that it took the message.
    pub async fn notify(
        &self,
        message: &NoticeMessage<'_>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        match self.ways_to(message.to, Some(message.way)).next() {
            Some(way) => way.notify(&self.messages, message).await,
            None => Err(way::no_way()),
        }
    }

    /// Builds the clients. It makes no call yet.
    #[must_use]
    pub fn new(settings: &Settings, aws: &Aws) -> Self {
        Self {
            ways: Way::all(settings, aws),
            sms_prefixes: settings.sms_prefixes.clone(),
            messages: Arc::clone(&settings.messages),
        }
    }

    /// The ways to a destination: the chosen one, then the others in order.
    fn ways_to(&self, to: &Destination, via: Option<&WayName>) -> impl Iterator<Item = &Way> {
        let kind = to.kind();
        let ways = || self.ways.iter().filter(move |way| way.reaches == kind);
        let is_chosen = move |way: &&Way| via == Some(&way.name);
        let others = ways().filter(move |way| !is_chosen(way));
        ways().filter(is_chosen).chain(others)
    }

    /// The names of the ways to a destination, in the order in which they are tried.
    #[must_use]
    pub fn names_to(&self, to: &Destination, via: Option<&WayName>) -> Vec<WayName> {
        self.ways_to(to, via).map(|way| way.name.clone()).collect()
    }

    /// Checks that this deployment sends to `to`, before anything is stored. For
    /// a phone number, returns the prefix that allows it.
    ///
    /// # Errors
    ///
    /// [`Refusal::DestinationNotAllowed`].
    pub fn check(&self, to: &Destination) -> Result<Option<&str>, Refusal> {
        let refused = Refusal::DestinationNotAllowed;
        self.ways_to(to, None).next().ok_or(refused)?;
        match to {
            Destination::Email(_) => Ok(None),
            Destination::Phone(number) => {
                let prefix = self.sms_prefixes.allowing(number);
                prefix.map(Some).ok_or(refused)
            }
        }
    }

    /// The language of a message, by the client's choice.
    #[must_use]
    pub fn language(&self, choice: LanguageChoice) -> Language {
        choice.or(self.messages.settings().default_language)
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
    pub async fn connect(&self, to: &Destination, via: Option<&WayName>) {
        if let Some(way) = self.ways_to(to, via).next() {
            way.connect().await;
        }
    }

    /// Sends the code. A way that certainly sent nothing is followed by the next, if that is
    /// known at once. A client chooses the recipient, and selects among the ways and the
    /// messages of this deployment. Nothing else of its request enters a message.
    pub async fn send(&self, message: &CodeMessage<'_>) -> Attempt {
        let started = Stopwatch::start();
        let mut last = Attempt {
            way: None,
            result: Err(way::no_way()),
        };
        let kind = message.to.kind();
        let named = |name: &WayName| {
            let mut ways = self.ways.iter();
            ways.find(|way| way.reaches == kind && way.name == *name)
        };
        for way in message.ways.iter().filter_map(named) {
            if last.way.is_some() && started.elapsed() > AT_ONCE {
                break;
            }
            let result = way.send(&self.messages, message).await;
            let is_over = !matches!(
                result,
                Err(DeliveryFailure::NotSent(_) | DeliveryFailure::DestinationRefused)
            );
            // Of several failures, a fault counts: it may be gone at the next request.
            let is_fault = matches!(last.result, Err(DeliveryFailure::NotSent(_)));
            if is_over || last.way.is_none() || !is_fault {
                last = Attempt {
                    way: Some(way.name.clone()),
                    result,
                };
            }
            if is_over {
                break;
            }
        }
        last
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
