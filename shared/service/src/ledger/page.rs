//! Pages: the items that count one login together.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, TransactWriteItem},
};
use otp_domain::{Challenge, ConversionGuard, FullLimit, Scope, UnixTime};
use rand::CryptoRng;

use super::{
    AdmissionRules,
    entry::{Entry, State, Undo},
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

/// The page that counts a message until its code comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MessagePage(pub(super) String);

impl MessagePage {
    pub(super) const SORT_KEY: &'static str = "messages";

    /// Takes the message off its guard, for its code came back.
    pub(super) fn record_conversion(
        &self,
        table: &Table,
        now: UnixTime,
    ) -> Result<TransactWriteItem, BuildError> {
        let mut update = Clauses::default();
        update.set("proven_at", millis(now));
        let sweep = sweep_after(now.plus(ConversionGuard::MEMORY));
        update.set("expires_at_seconds", sweep);
        for (count, by) in [("unproven", -1), ("proven", 1)] {
            let by = update.value(number(by));
            update.add.push(format!("{count} {by}"));
        }
        update.update(key_in(text(&*self.0), Self::SORT_KEY), table)
    }
}

/// The partition of a scope, which has several if its counters are shared out: a
/// partition's throughput is limited.
pub(super) fn partition(scope: &Scope, shard: u32) -> AttributeValue {
    match scope {
        Scope::Destination(destination) => attributes::partition(destination),
        Scope::Client(client) => text(format!("client#{}", client.as_str())),
        Scope::Prefix(prefix) => text(format!("prefix#{prefix}#{shard}")),
        Scope::Deployment(kind) => text(format!("deployment#{}#{shard}", kind.as_str())),
    }
}

fn has_room(states: &[State]) -> bool {
    !states.iter().any(|state| matches!(state, State::Full(_)))
}

/// What refuses longest.
fn longest<'s>(states: impl IntoIterator<Item = &'s State>) -> Option<&'s FullLimit> {
    let full = states.into_iter().filter_map(|state| match state {
        State::Full(limit) => Some(limit),
        State::Open | State::Eased(..) => None,
    });
    full.max_by_key(|limit| limit.ends_at)
}

impl<'a> Page<'a> {
    /// Every page that counts the login of a challenge.
    pub(super) fn of_login(
        challenge: &'a Challenge,
        rules: &'a AdmissionRules,
        rng: &mut impl CryptoRng,
    ) -> Vec<Self> {
        let at = challenge.issued_at;
        let cooldown = Entry::Cooldown(&challenge.destination, rules.cooldown);
        // The guard comes first: its counters are those of its page.
        let guard = rules.guard.iter().map(Entry::Guard);
        let entries = guard
            .chain(rules.limits.iter().map(Entry::Window))
            .chain((!rules.cooldown.is_zero()).then_some(cooldown))
            .chain([Entry::Code(challenge)]);
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

    /// Where the conversion guard counts the message, if it does so here.
    pub(super) fn message_page(&self) -> Option<MessagePage> {
        let guarded = self.entries.iter().any(|it| matches!(it, Entry::Guard(_)));
        let partition = partition(&self.scope, self.shards.current().nth);
        guarded.then(|| MessagePage(partition.as_s().cloned().unwrap_or_default()))
    }

    /// Counts one admission, on condition that the shard has room for every entry.
    pub(super) fn count(
        &self,
        message_page: Option<&MessagePage>,
        table: &Table,
    ) -> Result<TransactWriteItem, BuildError> {
        let (mut update, shard) = (Clauses::default(), self.shards.current());
        let seen = self.shards.here();
        for (nth, entry) in self.entries.iter().enumerate() {
            let seen = seen.and_then(|states| states.get(nth));
            entry.write(seen, self.at, shard, message_page, &mut update);
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
        table: &Table,
    ) -> Option<Result<TransactWriteItem, BuildError>> {
        let mut update = Clauses::default();
        for entry in &self.entries {
            entry.undo(undo, self.at, &mut update);
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
