//! Pages: the items that count one login together.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, TransactWriteItem},
};
use otp_domain::{ConversionGuard, FullLimit, Mark, Scope, UnixTime};
use rand::CryptoRng;

use super::{
    Outdated,
    entry::{Entry, Sent, State, Undo},
    history::{self, History},
    shards::{Shard, Shards},
};
use crate::{
    fault::Fault,
    table::{
        Clauses, Item, Table,
        attributes::{self, key_in, millis, number, sweep_after, text},
    },
};

/// One item of the ledger, or several that share its limits, and what a login counts there.
pub(super) struct Page<'a> {
    scope: Scope,
    sort: String,
    at: UnixTime,
    pub(super) entries: Vec<Entry<'a>>,
    /// What each shard was last seen to hold of each entry.
    shards: Shards<Vec<State>>,
}

/// The sort key of a page that counts messages until their codes come back.
pub(super) const MESSAGES: &str = "messages";

/// Takes so many messages of the page in this partition off its guard, for their code came
/// back.
pub(super) fn record_conversion(
    partition: &str,
    messages: i64,
    table: &Table,
    now: UnixTime,
) -> Result<TransactWriteItem, BuildError> {
    let mut update = Clauses::default();
    update.set("proven_at", millis(now));
    let sweep = sweep_after(now.plus(ConversionGuard::MEMORY));
    update.set("expires_at_seconds", sweep);
    for (count, by) in [("unproven", -messages), ("proven", messages)] {
        let by = update.value(number(by));
        update.add.push(format!("{count} {by}"));
    }
    update.update(key_in(text(partition), MESSAGES), table)
}

/// The partition of a scope, which has several if its counters are shared out: a
/// partition's throughput is limited.
pub(super) fn partition(scope: &Scope, shard: u32) -> AttributeValue {
    match scope {
        Scope::Destination(destination) | Scope::Device(destination, _) => {
            attributes::partition(destination)
        }
        Scope::Client(client) => text(format!("client#{}", client.as_str())),
        Scope::Prefix(prefix) => text(format!("prefix#{prefix}#{shard}")),
        Scope::Deployment(kind) => text(format!("deployment#{}#{shard}", kind.as_str())),
    }
}

fn has_room(states: &[State]) -> bool {
    let refuses = |state: &State| {
        matches!(
            state,
            State::Full(_) | State::Undeliverable(_) | State::Outdated(_)
        )
    };
    !states.iter().any(refuses)
}

/// What refuses longest.
fn longest<'s>(states: impl IntoIterator<Item = &'s State>) -> Option<&'s FullLimit> {
    let full = states.into_iter().filter_map(|state| match state {
        State::Full(limit) => Some(limit),
        _ => None,
    });
    full.max_by_key(|limit| limit.ends_at)
}

impl<'a> Page<'a> {
    /// The pages of these entries.
    pub(super) fn of(
        entries: impl IntoIterator<Item = Entry<'a>>,
        at: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Vec<Self> {
        let mut pages: Vec<Self> = Vec::new();
        for entry in entries {
            let (scope, sort) = entry.home(at);
            let same = |page: &&mut Self| page.scope == scope && page.sort == sort;
            match pages.iter_mut().find(same) {
                Some(page) => page.entries.push(entry),
                None => pages.push(Self {
                    scope,
                    sort,
                    at,
                    shards: Shards::shuffled(entry.shards(), rng),
                    entries: vec![entry],
                }),
            }
        }
        pages
    }

    fn key_of(&self, shard: Shard) -> Item {
        key_in(partition(&self.scope, shard.nth), &*self.sort)
    }

    pub(super) fn key(&self) -> Item {
        self.key_of(self.shards.current())
    }

    /// The partition where the conversion guard counts the message, if it does so here.
    pub(super) fn counts_message(&self) -> Option<String> {
        let guarded = self.entries.iter().any(|it| matches!(it, Entry::Guard(_)));
        let partition = partition(&self.scope, self.shards.current().nth);
        guarded.then(|| partition.as_s().cloned().unwrap_or_default())
    }

    /// What is known of the past that this page keeps.
    pub(super) fn history(&self) -> Option<&History> {
        let mut states = self.shards.here()?.iter();
        states.find_map(|state| match state {
            State::Known(history) => Some(&**history),
            _ => None,
        })
    }

    /// What the login brought and does not count now, if the table said so.
    pub(super) fn outdated(&self) -> Option<Outdated> {
        let mut states = self.shards.here()?.iter();
        states.find_map(|state| match state {
            State::Outdated(outdated) => Some(*outdated),
            _ => None,
        })
    }

    /// The mark of a destination without a way, if the table said so.
    pub(super) fn undeliverable(&self) -> Option<Mark> {
        let mut states = self.shards.here()?.iter();
        states.find_map(|state| match state {
            State::Undeliverable(mark) => Some(*mark),
            _ => None,
        })
    }

    /// Counts one admission, on condition that the shard has room for every entry.
    pub(super) fn count(
        &self,
        sent: &Sent,
        table: &Table,
    ) -> Result<TransactWriteItem, BuildError> {
        let (mut update, shard) = (Clauses::default(), self.shards.current());
        let seen = self.shards.here();
        for (nth, entry) in self.entries.iter().enumerate() {
            let seen = seen.and_then(|states| states.get(nth));
            entry.write(seen, self.at, shard, sent, &mut update);
        }
        let ends = self.entries.iter().map(|entry| entry.ends_at(self.at));
        let sweep = sweep_after(ends.max().unwrap_or(self.at));
        update.set("expires_at_seconds", sweep);
        update.update(self.key(), table)
    }

    /// Takes one admission back; `None` if nothing here is to be taken back.
    pub(super) fn undo(
        &self,
        undo: Undo,
        sent: &Sent,
        table: &Table,
    ) -> Option<Result<TransactWriteItem, BuildError>> {
        let mut update = Clauses::default();
        let past = self.history().cloned().unwrap_or_default();
        for entry in &self.entries {
            entry.undo(undo, self.at, sent, &past, &mut update);
        }
        if update.deletes {
            return Some(update.delete(self.key(), table));
        }
        (!update.is_empty()).then(|| update.update(self.key(), table))
    }

    /// Learns what a shard holds.
    pub(super) fn learn(&mut self, shard: Shard, item: &Item) -> Result<(), Fault> {
        let entries = self.entries.iter();
        let states = entries.map(|entry| entry.judge(item, self.at, shard));
        self.shards.learn(shard, states.collect::<Result<_, _>>()?);
        Ok(())
    }

    /// Takes this as the past of the destination, if this page keeps it.
    pub(super) fn learn_history(&mut self, history: &History) {
        let is_past = matches!(self.scope, Scope::Destination(_)) && self.sort == history::SORT_KEY;
        if !is_past {
            return;
        }
        let known = |entry: &Entry<'_>| match entry {
            Entry::Guesses(..) | Entry::Asked(..) | Entry::Message(..) => {
                State::Known(Box::new(history.clone()))
            }
            _ => State::Open,
        };
        let states = self.entries.iter().map(known).collect();
        self.shards.learn(self.shards.current(), states);
    }

    /// Learns what the current shard holds, which refused.
    pub(super) fn refused(&mut self, item: Option<&Item>) -> Result<(), Fault> {
        self.learn(self.shards.current(), item.unwrap_or(&Item::new()))
    }

    /// The shards to read before the next try: all that are unknown, if the current one
    /// has no room.
    pub(super) fn unread(&self) -> Vec<(Shard, Item)> {
        if self.may_have_room() {
            return Vec::new();
        }
        self.unknown()
    }

    /// The shards of which nothing is known, with their keys.
    pub(super) fn unknown(&self) -> Vec<(Shard, Item)> {
        let unknown = self.shards.unknown();
        unknown.map(|shard| (shard, self.key_of(shard))).collect()
    }

    /// Whether the current shard may have room.
    fn may_have_room(&self) -> bool {
        self.shards.here().is_none_or(|states| has_room(states))
    }

    /// Moves on to a shard with room, unless the current one may have some. Returns what
    /// refuses if no shard has room: in the shard that has room first, what lasts longest.
    pub(super) fn move_on(&mut self) -> Option<FullLimit> {
        if self.may_have_room() || self.shards.move_to(|states| has_room(states)) {
            return None;
        }
        let refusals = self.shards.known().filter_map(longest);
        refusals.min_by_key(|limit| limit.ends_at).cloned()
    }
}
