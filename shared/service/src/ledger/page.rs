//! Pages: the items that count one login together.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, TransactWriteItem},
};
use otp_domain::{ConversionGuard, FullLimit, Mark, Scope, UnixTime};
use rand::CryptoRng;

use super::{
    Outdated,
    entry::{Entry, Lost, Owed, Sent, State, Undo},
    guesses::PastGuesses,
    history::History,
    look::Looked,
    networks,
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

/// The beginning of the partitions of networks.
const NETWORK: &str = "network#";

/// The end of the mark of a message that counts for a network, or as lost, until it comes back.
pub(super) const FIRST: &str = "|first";

/// Takes so many messages off the guard that counts them in this partition, or off the
/// network, for their code came back.
pub(super) fn record_conversion(
    partition: &str,
    messages: i64,
    firsts: i64,
    table: &Table,
    now: UnixTime,
) -> Result<TransactWriteItem, BuildError> {
    let mut update = Clauses::default();
    let sweep = sweep_after(now.plus(ConversionGuard::MEMORY));
    update.set("expires_at_seconds", sweep);
    if firsts > 0 {
        networks::returned(firsts, now, &mut update);
    }
    if !partition.starts_with(NETWORK) {
        update.set("proven_at", millis(now));
        for (count, by) in [("unproven", -messages), ("proven", messages)] {
            let by = update.value(number(by));
            update.add.push(format!("{count} {by}"));
        }
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
        Scope::Network(of, network) => text(format!("{NETWORK}{of}#{}", network.as_str())),
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

    /// The mark of a message that counts here until its code comes back.
    pub(super) fn mark(&self, message: &str) -> Option<String> {
        let partition = partition(&self.scope, self.shards.current().nth);
        let partition = partition.as_s().map_or("", String::as_str);
        let has = |is: fn(&Entry<'_>) -> bool| self.entries.iter().any(is);
        if has(|it| {
            matches!(
                it,
                Entry::Turn(_, _, true) | Entry::Lost(_, Lost { counts: true, .. })
            )
        }) {
            return Some(format!("{partition}|{message}{FIRST}"));
        }
        has(|it| matches!(it, Entry::Guard(_))).then(|| format!("{partition}|{message}"))
    }

    /// Whether this is the page of the conversion guard.
    pub(super) fn is_guarded(&self) -> bool {
        self.entries.iter().any(|it| matches!(it, Entry::Guard(_)))
    }

    /// Whether the current counter was seen to refuse by a room that no write asks.
    pub(super) fn is_lost(&self) -> bool {
        let states = self.shards.here().into_iter().flatten();
        let mut entries = self.entries.iter().zip(states);
        entries.any(|it| matches!(it, (Entry::Lost(..), State::Full(_))))
    }

    /// What the networks owe that this page is of.
    pub(super) fn owed(&self) -> Owed {
        let states = self.shards.here().into_iter().flatten();
        let owed = states.filter_map(|state| match state {
            State::Network(past) => Some(Owed {
                messages: past.owed,
                allowance: past.allowance,
            }),
            _ => None,
        });
        owed.max_by_key(|owed| owed.messages).unwrap_or_default()
    }

    /// What is known of the past that this page keeps.
    pub(super) fn history(&self) -> Option<&History> {
        let mut states = self.shards.here()?.iter();
        states.find_map(|state| match state {
            State::Known(history) => Some(&**history),
            _ => None,
        })
    }

    /// What is known of the guesses that this page keeps.
    pub(super) fn guesses(&self) -> Option<&PastGuesses> {
        let mut states = self.shards.here()?.iter();
        states.find_map(|state| match state {
            State::Guessed(past) => Some(&**past),
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
    pub(super) fn learn(&mut self, shard: Shard, item: &Item, owed: Owed) -> Result<(), Fault> {
        let entries = self.entries.iter();
        let states = entries.map(|entry| entry.judge(item, self.at, shard, owed));
        self.shards.learn(shard, states.collect::<Result<_, _>>()?);
        Ok(())
    }

    /// Learns what was looked at before, if it is an item of this page.
    pub(super) fn looked_at(&mut self, looked: &Looked, owed: Owed) -> Result<(), Fault> {
        if self.scope != looked.scope || self.sort != looked.sort {
            return Ok(());
        }
        let shard = self.shards.go_to(looked.shard);
        self.learn(shard, &looked.item, owed)
    }

    /// What is looked at of this page before a login asks to be admitted.
    pub(super) fn look(&self) -> (Scope, String, u32) {
        let shard = self.shards.current().nth;
        (self.scope.clone(), self.sort.clone(), shard)
    }

    /// Learns what the current shard holds, which refused.
    pub(super) fn refused(&mut self, item: Option<&Item>, owed: Owed) -> Result<(), Fault> {
        self.learn(self.shards.current(), item.unwrap_or(&Item::new()), owed)
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
