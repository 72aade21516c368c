//! What became of the messages to a destination, as far as it is reported.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{ChallengeId, Mark, MessageState, UnixTime, WayName, WayRecord};

use super::{Send, entry::optional_time};
use crate::{
    fault::Fault,
    table::{
        Clauses, Item,
        attributes::{malformed, millis, text},
    },
};

/// A message, by its name: its way, its time, its state, and its challenge unless that has
/// the same name.
pub(super) const SENT: &str = "sent#";
/// When the last message that arrived by this way was sent.
const REACHED: &str = "reached#";
/// When the last code that came back by this way was issued.
const RETURNED: &str = "returned#";

/// The most messages that are known.
const MOST: usize = 10;

/// How long a message is known.
const KNOWN: Duration = Duration::from_hours(7 * 24);

/// How far the clock of a provider may be behind ours.
const CLOCKS: Duration = Duration::from_secs(10);

/// How long after our request a provider may say that it was made.
const LATEST: Duration = Duration::from_mins(1);

/// What is known of the messages to a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// Each way of which something is known.
    pub ways: BTreeMap<WayName, WayRecord>,
    /// The last messages, oldest first.
    pub messages: Vec<SentMessage>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMessage {
    /// Its name.
    pub(super) id: String,
    /// How it travels.
    pub way: WayName,
    /// When it was asked for.
    pub at: UnixTime,
    /// What became of it.
    pub state: MessageState,
    /// The challenge of its code.
    pub challenge: ChallengeId,
}

impl SentMessage {
    /// A message that is asked for.
    pub(super) fn asked(send: &Send<'_>, way: &WayName) -> Self {
        Self {
            id: send.id.to_owned(),
            way: way.clone(),
            at: send.at,
            state: MessageState::Asked,
            challenge: send.challenge.id.clone(),
        }
    }

    fn read(id: &str, written: &str) -> Option<Self> {
        let mut words = written.split(' ');
        Some(Self {
            id: id.to_owned(),
            way: WayName::parse(words.next()?)?,
            at: UnixTime::from_millis(words.next()?.parse().ok()?),
            state: MessageState::named(words.next()?)?,
            challenge: ChallengeId::parse(words.next().unwrap_or(id))?,
        })
    }

    fn written(&self) -> AttributeValue {
        let (at, state) = (self.at.as_millis(), self.state.as_str());
        let challenge = self.challenge.as_str();
        let short = format!("{} {at} {state}", self.way.as_str());
        text(if challenge == self.id {
            short
        } else {
            format!("{short} {challenge}")
        })
    }

    fn attribute(&self) -> String {
        format!("{SENT}{}", self.id)
    }
}

impl Deliveries {
    /// Reads what a destination's history knows.
    pub(super) fn read(item: &Item) -> Result<Self, Fault> {
        let mut deliveries = Self::default();
        for (name, value) in item {
            if let Some(id) = name.strip_prefix(SENT) {
                let written = value.as_s().ok();
                let message = written.and_then(|it| SentMessage::read(id, it));
                let message = message.ok_or_else(|| malformed(SENT))?;
                deliveries.messages.push(message);
                continue;
            }
            let Some((kind, way)) = name.split_once('#') else {
                continue;
            };
            let mark = Mark::named(kind);
            if mark.is_none() && ![REACHED, RETURNED].contains(&&*format!("{kind}#")) {
                continue;
            }
            let at = optional_time(item, name)?;
            let way = WayName::parse(way).ok_or_else(|| malformed(kind))?;
            let record = deliveries.ways.entry(way).or_default();
            match mark {
                Some(mark) => {
                    record.marked_at.extend(at.map(|at| (mark, at)));
                }
                None if name.starts_with(REACHED) => record.reached_at = at,
                None => record.returned_at = at,
            }
        }
        deliveries.messages.sort_by_key(|message| message.at);
        Ok(deliveries)
    }

    /// The mark of this way that counts now.
    #[must_use]
    pub fn mark(&self, way: &WayName, now: UnixTime) -> Option<Mark> {
        self.ways.get(way)?.mark(now)
    }

    /// The ways that lose codes now, with their marks.
    pub fn marks(&self, now: UnixTime) -> impl Iterator<Item = (WayName, Mark)> {
        let ways = self.ways.iter();
        ways.filter_map(move |(way, known)| Some((way.clone(), known.mark(now)?)))
    }

    /// Those of these ways that lose no codes now.
    pub(crate) fn open(&self, ways: &[WayName], now: UnixTime) -> Vec<WayName> {
        let ways = ways.iter().filter(|way| self.mark(way, now).is_none());
        ways.cloned().collect()
    }

    /// The mark of the first of these ways, if each of them has one.
    pub(super) fn undeliverable(&self, ways: &[WayName], now: UnixTime) -> Option<Mark> {
        let marks = ways.iter().map(|way| self.mark(way, now));
        marks.collect::<Option<Vec<_>>>()?.into_iter().next()
    }

    /// The messages that are known now, newest first.
    pub fn known(&self, now: UnixTime) -> impl Iterator<Item = &SentMessage> {
        let messages = self.messages.iter().rev();
        messages.filter(move |it| it.at.until(now) < KNOWN)
    }

    /// Adds a message that is asked for now, and forgets those that are too old or too many.
    pub(super) fn ask(&self, message: &SentMessage, update: &mut Clauses) {
        let kept: Vec<_> = self.known(message.at).take(MOST - 1).collect();
        for old in &self.messages {
            if old.id != message.id && !kept.contains(&old) {
                let name = update.name(old.attribute());
                update.remove.push(name);
            }
        }
        update.set(message.attribute(), message.written());
    }

    /// The message that a provider reports on: the newest that it can be, by its challenge
    /// or its time. It may have travelled another way than the one that was tried first.
    pub(super) fn find(
        &self,
        challenge: Option<&ChallengeId>,
        sent_at: UnixTime,
    ) -> Option<&SentMessage> {
        let latest = sent_at.plus(CLOCKS);
        let mut messages = self.messages.iter().rev();
        messages.find(|it| {
            let fits = match challenge {
                Some(challenge) => it.challenge == *challenge,
                None => it.at.until(sent_at) < LATEST,
            };
            it.at <= latest && fits
        })
    }
}

/// Forgets a message that was not sent.
pub(super) fn take_back(message: &SentMessage, update: &mut Clauses) {
    let name = update.name(message.attribute());
    update.remove.push(name);
}

/// A code came back that had travelled these ways.
pub(super) fn returned(ways: &[WayName], issued_at: UnixTime, update: &mut Clauses) {
    for way in ways {
        update.set(format!("{RETURNED}{}", way.as_str()), millis(issued_at));
    }
}

/// Requires that one of these ways has no mark that counts now: what
/// [`WayRecord::mark`] says, as a condition.
pub(super) fn require_way(ways: &[WayName], now: UnixTime, update: &mut Clauses) {
    let free = ways.iter().map(|way| {
        let name = |kind: &str| format!("{kind}#{}", way.as_str());
        let reached = update.name(format!("{REACHED}{}", way.as_str()));
        let returned = update.name(format!("{RETURNED}{}", way.as_str()));
        let over = Mark::ALL.map(|mark| {
            let since = mark.lasts().map(|life| now.minus(life));
            let since = update.value(millis(since.unwrap_or(UnixTime::from_millis(0))));
            let mark = update.name(name(mark.as_str()));
            format!(
                "(attribute_not_exists({mark}) OR {mark} <= {since} OR {mark} < {reached} \
                 OR {mark} < {returned})"
            )
        });
        over.join(" AND ")
    });
    let free: Vec<_> = free.collect();
    update.conditions.push(match &free[..] {
        [one] => one.clone(),
        several => format!("(({}))", several.join(") OR (")),
    });
}

/// What a report changes of a destination's history.
pub(super) struct Change<'a> {
    /// The way of the report.
    pub(super) way: &'a WayName,
    /// The mark that it puts on the way, and when.
    pub(super) mark: Option<(Mark, UnixTime)>,
    /// When a message was sent that arrived.
    pub(super) reached_at: Option<UnixTime>,
    /// The message, and what became of it.
    pub(super) message: Option<(&'a SentMessage, MessageState)>,
}

impl Change<'_> {
    /// What of it is news to a history.
    pub(super) fn news(self, to: &Deliveries) -> Self {
        let known = to.ways.get(self.way).cloned().unwrap_or_default();
        let is_later = |at: &UnixTime, known: Option<&UnixTime>| known.is_none_or(|it| it < at);
        let mark = self.mark;
        Self {
            mark: mark.filter(|(mark, at)| is_later(at, known.marked_at.get(mark))),
            reached_at: self
                .reached_at
                .filter(|at| is_later(at, known.reached_at.as_ref())),
            message: self
                .message
                .filter(|(message, state)| message.state < *state),
            ..self
        }
    }

    pub(super) const fn is_none(&self) -> bool {
        self.mark.is_none() && self.reached_at.is_none() && self.message.is_none()
    }

    /// Writes it, on condition that nothing newer is written since.
    pub(super) fn write(&self, update: &mut Clauses) {
        let mut later = |name: String, at: UnixTime| {
            let (name, at) = (update.name(name), update.value(millis(at)));
            update.set.push(format!("{name} = {at}"));
            update
                .conditions
                .push(format!("(attribute_not_exists({name}) OR {name} < {at})"));
        };
        if let Some((mark, at)) = self.mark {
            later(format!("{}#{}", mark.as_str(), self.way.as_str()), at);
        }
        if let Some(at) = self.reached_at {
            later(format!("{REACHED}{}", self.way.as_str()), at);
        }
        if let Some((message, state)) = self.message {
            let name = update.name(message.attribute());
            let was = update.value(message.written());
            let state = SentMessage {
                way: self.way.clone(),
                state,
                ..message.clone()
            };
            let is = update.value(state.written());
            update.set.push(format!("{name} = {is}"));
            update.conditions.push(format!("{name} = {was}"));
        }
    }
}
