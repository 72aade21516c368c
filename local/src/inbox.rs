//! The inbox: where every message that the stack "sends" ends up, for people to read on a page and
//! for programs to fetch as JSON.
//!
//! It holds codes that log people in, so it stays in memory and writes nothing to any log.

mod http;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::Serialize;
use time::{
    OffsetDateTime,
    format_description::well_known::{
        Iso8601,
        iso8601::{Config, TimePrecision},
    },
};
use tokio::sync::watch;

pub use http::router;

/// How many messages are kept; the oldest give way.
pub const CAPACITY: usize = 10_000;

const MILLISECONDS: u128 = Config::DEFAULT
    .set_time_precision(TimePrecision::Second {
        decimal_digits: std::num::NonZeroU8::new(3),
    })
    .encode();

/// How a message travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// By e-mail, through SES.
    Email,
    /// As a text message, through SNS.
    Sms,
}

/// A message as a provider accepted it, before the inbox stamps it.
pub struct Draft {
    /// How it travels.
    pub channel: Channel,
    /// The one destination: an address or a number.
    pub to: String,
    /// The sender, which only an e-mail has.
    pub from: Option<String>,
    /// The subject, which only an e-mail has.
    pub subject: Option<String>,
    /// The plain text.
    pub text: Option<String>,
    /// The HTML part, which only an e-mail may have.
    pub html: Option<String>,
}

/// A received message; its JSON form is what `GET /api/messages` lists.
// No `Debug`: a failed assertion must not be the way a code reaches a log.
#[derive(Clone, Serialize)]
pub struct Message {
    /// The id that the provider answered with.
    pub id: String,
    /// How it travelled.
    pub channel: Channel,
    /// The destination.
    pub to: String,
    /// The sender, of an e-mail.
    pub from: Option<String>,
    /// The subject, of an e-mail.
    pub subject: Option<String>,
    /// The plain text.
    pub text: Option<String>,
    /// The HTML part, of an e-mail that has one.
    pub html: Option<String>,
    /// The first thing in the text that looks like a one-time code.
    pub code: Option<String>,
    /// When it was received: RFC 3339, UTC, with milliseconds.
    pub sent_at: String,
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
    refusing: AtomicBool,
    /// Counts the changes, so that a page knows when to look again.
    changes: watch::Sender<u64>,
}

impl Inbox {
    /// Stamps and keeps a message; answers its id.
    pub fn receive(&self, draft: Draft) -> String {
        let message = Message {
            id: uuid::Uuid::new_v4().to_string(),
            channel: draft.channel,
            to: draft.to,
            from: draft.from,
            subject: draft.subject,
            code: draft.text.as_deref().and_then(code_in).map(str::to_owned),
            text: draft.text,
            html: draft.html,
            sent_at: timestamp(),
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

    /// The messages, newest first; with `to`, only those to that destination (ASCII case aside).
    #[must_use]
    pub fn messages(&self, to: Option<&str>) -> Vec<Message> {
        self.lock()
            .iter()
            .rev()
            .filter(|message| to.is_none_or(|to| message.to.eq_ignore_ascii_case(to)))
            .cloned()
            .collect()
    }

    /// Forgets every message.
    pub fn clear(&self) {
        self.lock().clear();
        self.announce();
    }

    /// Makes the providers refuse every send, or accept them again.
    pub fn set_refusing(&self, refusing: bool) {
        self.shared.refusing.store(refusing, Ordering::Relaxed);
    }

    /// Whether the providers refuse every send.
    #[must_use]
    pub fn is_refusing(&self) -> bool {
        self.shared.refusing.load(Ordering::Relaxed)
    }

    /// A receiver that wakes at each change from now on.
    fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    fn announce(&self) {
        self.shared.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Message>> {
        // No holder leaves the queue half changed, so a poisoned one is still sound.
        self.shared
            .messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first word of 6 to 10 digits.
///
/// A `+` belongs to its word, which keeps phone numbers out; so do letters, but only ASCII ones,
/// because not every language puts a space before a number.
fn code_in(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '+')
        .find(|word| (6..=10).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit()))
}

fn timestamp() -> String {
    OffsetDateTime::now_utc()
        .format(&Iso8601::<MILLISECONDS>)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
