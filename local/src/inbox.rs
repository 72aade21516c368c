//! The inbox: every message that the stack "sends", for people on a page and for programs as JSON.
//!
//! The messages contain codes, so they stay in memory and never appear in a log.

mod http;
mod language;
mod reports;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use otp_domain::UnixTime;
use otp_service::delivery;
use serde::Serialize;
use serde_json::Value;
use time::{
    OffsetDateTime,
    format_description::well_known::{
        Iso8601,
        iso8601::{Config, TimePrecision},
    },
};
use tokio::sync::watch;

use crate::{clock::Ahead, functions::Clock};

pub use http::{for_this_machine, router};

use self::reports::{Reports, lock};

/// The most messages that are kept. A new message then replaces the oldest one.
pub const CAPACITY: usize = 10_000;

const MILLISECONDS: u128 = Config::DEFAULT
    .set_time_precision(TimePrecision::Second {
        decimal_digits: std::num::NonZeroU8::new(3),
    })
    .encode();

/// What a message's destination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// An e-mail address.
    Email,
    /// A phone number.
    Sms,
}

/// A message that a provider accepted, before the inbox gives it an id and a time.
pub struct Draft {
    /// The channel.
    pub channel: Channel,
    /// The way on which it travelled.
    pub way: String,
    /// The one destination: an address or a number.
    pub to: String,
    /// The sender, if the message names one.
    pub from: Option<String>,
    /// The subject, for an e-mail.
    pub subject: Option<String>,
    /// The plain text.
    pub text: Option<String>,
    /// The HTML part, if an e-mail has one.
    pub html: Option<String>,
    /// The language, as a BCP 47 tag, if it is known.
    pub locale: Option<String>,
}

/// A received message. `GET /api/messages` lists its JSON form.
// No `Debug`: a failed assertion would write the code to a log.
#[derive(Clone, Serialize)]
pub struct Message {
    /// The id that the provider answered with.
    pub id: String,
    /// The channel.
    pub channel: Channel,
    /// The way on which it travelled: `email` is SES, `sms` is SNS, and any other an own sender.
    pub way: String,
    /// The destination.
    pub to: String,
    /// The sender, if the message names one.
    pub from: Option<String>,
    /// The subject, for an e-mail.
    pub subject: Option<String>,
    /// The plain text.
    pub text: Option<String>,
    /// The HTML part, if an e-mail has one.
    pub html: Option<String>,
    /// The first word of the text that looks like a one-time code.
    pub code: Option<String>,
    /// The language, as a BCP 47 tag, if it is known.
    pub locale: Option<String>,
    /// When it was received: RFC 3339, UTC, with milliseconds.
    pub sent_at: String,
    /// What became of it.
    pub state: &'static str,
}

/// The received messages. Clones share them.
#[derive(Clone, Default)]
pub struct Inbox {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Oldest first.
    messages: Mutex<VecDeque<Message>>,
    /// What applications learnt of users, oldest first.
    events: Mutex<VecDeque<Value>>,
    /// The ways that take no message.
    refused: Mutex<Refused>,
    ahead: Ahead,
    reports: Reports,
    /// What this deployment's text messages say: SNS is not told their language.
    sent_by: OnceLock<delivery::Settings>,
    /// Counts the changes, so that the page knows when to reload.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
enum Refused {
    #[default]
    None,
    All,
    Ways(Vec<String>),
}

impl Inbox {
    /// An empty inbox whose messages arrive that much later.
    #[must_use]
    pub fn ahead(ahead: Ahead) -> Self {
        let shared = Arc::new(Shared {
            ahead,
            ..Shared::default()
        });
        Self { shared }
    }

    /// Gives a message an id and a time, and keeps it. Returns the id.
    pub fn receive(&self, draft: Draft) -> String {
        let message = Message {
            id: uuid::Uuid::new_v4().to_string(),
            channel: draft.channel,
            way: draft.way,
            to: draft.to,
            from: draft.from,
            subject: draft.subject,
            code: draft.text.as_deref().and_then(code_in).map(str::to_owned),
            text: draft.text,
            html: draft.html,
            locale: draft.locale,
            sent_at: self.timestamp(),
            state: "asked",
        };
        let id = message.id.clone();

        let mut messages = self.lock();
        if messages.len() == CAPACITY {
            messages.pop_front();
        }
        messages.push_back(message);
        drop(messages);

        self.announce();
        id
    }

    /// The messages, newest first. With `to`, only those to that destination, compared without
    /// ASCII case.
    #[must_use]
    pub fn messages(&self, to: Option<&str>) -> Vec<Message> {
        self.lock()
            .iter()
            .rev()
            .filter(|message| to.is_none_or(|to| message.to.eq_ignore_ascii_case(to)))
            .cloned()
            .collect()
    }

    /// Keeps an event of a user.
    pub(crate) fn learn(&self, event: Value) {
        let mut events = lock(&self.shared.events);
        if events.len() == CAPACITY {
            events.pop_front();
        }
        events.push_back(event);
        drop(events);
        self.announce();
    }

    /// The events of users, newest first.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        lock(&self.shared.events).iter().rev().cloned().collect()
    }

    /// Deletes every message and every event.
    pub fn clear(&self) {
        lock(&self.shared.events).clear();
        self.lock().clear();
        self.announce();
    }

    /// Makes the inbox know the languages of text messages under these settings.
    pub fn know(&self, settings: &delivery::Settings) {
        let _ = self.shared.sent_by.set(settings.clone());
    }

    /// The language of a text message, if it is one of this deployment's.
    pub(crate) fn language_of(&self, text: &str) -> Option<String> {
        let language = language::of(text, self.shared.sent_by.get()?)?;
        Some(language.tag().to_owned())
    }

    /// Makes the providers refuse every send, or accept them again.
    pub fn set_refusing(&self, refusing: bool) {
        *self.refused() = if refusing {
            Refused::All
        } else {
            Refused::None
        };
    }

    /// Makes the providers of these ways refuse every send, and all others accept them.
    pub fn refuse(&self, ways: Vec<String>) {
        *self.refused() = Refused::Ways(ways);
    }

    /// Whether the provider of a way refuses every send.
    #[must_use]
    pub fn refuses(&self, way: &str) -> bool {
        match &*self.refused() {
            Refused::None => false,
            Refused::All => true,
            Refused::Ways(ways) => ways.iter().any(|refused| refused == way),
        }
    }

    fn refused(&self) -> MutexGuard<'_, Refused> {
        let refused = self.shared.refused.lock();
        refused.unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the providers' reports follow this clock.
    pub fn keep_time(&self, clock: Clock) {
        let _ = self.shared.reports.clock.set(clock);
    }

    /// The time by the clock of the providers' reports.
    pub(crate) fn now(&self) -> UnixTime {
        self.shared.reports.now()
    }

    /// Keeps what became of a message, and what the provider reports of it.
    pub(crate) fn report(&self, id: &str, state: &'static str, events: &[Value]) {
        let mut messages = self.lock();
        if let Some(message) = messages.iter_mut().rev().find(|message| message.id == id) {
            message.state = state;
        }
        drop(messages);
        for event in events {
            self.shared.reports.push(event);
        }
        self.announce();
    }

    /// The events of the providers that nobody has taken yet, oldest first.
    #[must_use]
    pub fn take_reports(&self) -> Vec<String> {
        self.shared.reports.take()
    }

    /// Waits for the next event of a provider.
    pub(crate) async fn next_report(&self) -> String {
        self.shared.reports.next().await
    }

    /// Puts an address on the account's suppression list.
    pub fn suppress(&self, address: &str) {
        let mut list = lock(&self.shared.reports.suppressed);
        list.insert(address.to_ascii_lowercase());
    }

    /// Takes an address off the account's suppression list. Returns whether it was there.
    #[must_use]
    pub fn unsuppress(&self, address: &str) -> bool {
        let mut list = lock(&self.shared.reports.suppressed);
        list.remove(&address.to_ascii_lowercase())
    }

    /// Whether an address is on the account's suppression list.
    #[must_use]
    pub fn is_suppressed(&self, address: &str) -> bool {
        let list = lock(&self.shared.reports.suppressed);
        list.contains(&address.to_ascii_lowercase())
    }

    /// A receiver of every change from now on.
    fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    fn timestamp(&self) -> String {
        (OffsetDateTime::now_utc() + self.shared.ahead.by())
            .format(&Iso8601::<MILLISECONDS>)
            .unwrap_or_default()
    }

    fn announce(&self) {
        self.shared.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Message>> {
        // Every change of the queue is one call, so a poisoned lock still has a valid queue.
        self.shared
            .messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first word of 6 to 10 digits.
///
/// A `+` is part of a word, so that phone numbers do not match. So are ASCII letters. Other letters
/// are not, because not every language puts a space before a number.
fn code_in(text: &str) -> Option<&str> {
    codes_in(text).next()
}

fn codes_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '+')
        .filter(|word| (6..=10).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
