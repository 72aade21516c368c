//! Counters that one item keeps, and that one update counts together.

use aws_sdk_dynamodb::{error::BuildError, types::TransactWriteItem};
use otp_domain::{Book, Challenge, FullLimit, Limit, Scope, UnixTime};
use rand::CryptoRng;

use super::{
    AdmissionRules, Item,
    clauses::Clauses,
    cooldown::Cooldown,
    counter::full,
    guard::{Guarded, Guarding},
    item,
    shards::Shards,
    storing::Storing,
};
use crate::fault::Fault;

mod withdrawal;

/// How many windows back a counter without an end still counts a late refund, and
/// how many it may be without a write before the table sweeps it.
const STALE: std::ops::Range<u32> = 2..10;

/// What one item keeps of a login: its counters and, in that of its mailbox, its challenge.
pub(super) struct Tally<'a> {
    scope: Scope,
    book: Book,
    at: UnixTime,
    limits: Vec<&'a Limit>,
    guard: Option<Guarding<'a>>,
    cooldown: Option<Cooldown<'a>>,
    storing: Option<Storing<'a>>,
    shards: Shards<Judged>,
}

/// What one shard was last seen to have room for.
struct Judged {
    /// Whether each limit of the tally is full.
    full: Vec<bool>,
    guard: Option<Guarded>,
    /// The cooldown, if it runs.
    cooling: Option<FullLimit>,
}

impl Judged {
    fn has_room(&self) -> bool {
        let closed = self.guard.as_ref().is_some_and(|guard| !guard.has_room());
        !self.full.contains(&true) && !closed && self.cooling.is_none()
    }
}

impl<'a> Tally<'a> {
    /// Every tally that counts the login of a challenge.
    pub(super) fn of_login(
        challenge: &'a Challenge,
        rules: &'a AdmissionRules,
        rng: &mut impl CryptoRng,
    ) -> Vec<Self> {
        let mut tallies: Vec<Self> = Vec::new();
        let at = challenge.issued_at;
        for limit in &rules.limits {
            let shared = tallies.iter_mut().find(|tally| {
                limit.book != Book::Own && tally.scope == limit.scope && tally.book == limit.book
            });
            match shared {
                Some(tally) => tally.limits.push(limit),
                None => tallies.push(Self {
                    scope: limit.scope.clone(),
                    book: limit.book,
                    at,
                    limits: vec![limit],
                    guard: None,
                    cooldown: None,
                    storing: None,
                    shards: Shards::shuffled(1, rng),
                }),
            }
        }
        for tally in &mut tallies {
            let guard = rules.guard.as_ref();
            let guard = guard.filter(|guard| {
                tally.scope == guard.scope && tally.book == Book::Guard(guard.name)
            });
            tally.guard = guard.map(|guard| Guarding::of(guard, at));
            if tally.book == Book::Sends {
                tally.cooldown = Cooldown::of(challenge, rules);
                tally.storing = Some(Storing::of(challenge));
            }
            // The guard's counters are where its challenges find them.
            let shards = guard.map_or_else(
                || tally.limits.iter().map(|limit| limit.shards()).min(),
                |guard| Some(guard.shards()),
            );
            tally.shards = Shards::shuffled(shards.unwrap_or(1), rng);
        }
        tallies
    }

    pub(super) fn key(&self) -> Item {
        self.key_of(self.shards.current())
    }

    fn key_of(&self, shard: u32) -> Item {
        match (self.book, &self.scope, self.limits.as_slice()) {
            (Book::Sends, Scope::Destination(of), _) => item::sends_key(of, self.at),
            (Book::Guard(name), scope, _) => item::lasting_key(scope, name, shard),
            (_, scope, []) => item::lasting_key(scope, "", shard),
            (_, _, [own, ..]) => item::counter_key(own, shard, self.at),
        }
    }

    /// The key of the guard's counter, if there is one.
    pub(super) fn conversion_counter(&self) -> Option<Item> {
        self.guard.as_ref().map(|_| self.key())
    }

    /// Counts one admission, on condition that the shard has room in every counter. If
    /// the item is that of the mailbox, it stores the challenge too, with the key of the
    /// guard's counter that counts its message.
    pub(super) fn count(
        &self,
        conversion_counter: Option<Item>,
        table: &str,
    ) -> Result<TransactWriteItem, BuildError> {
        let mut update = Clauses::default();
        for limit in &self.limits {
            let count = update.name(item::count_of(limit, self.at));
            let share = limit.share(self.shards.current(), self.shards.all());
            let max = update.value(item::number(share));
            let one = update.value(item::number(1));
            update.add.push(format!("{count} {one}"));
            // A share may be nothing: then even a first count has no room.
            update.conditions.push(match share {
                0 => format!("{count} < {max}"),
                _ => format!("(attribute_not_exists({count}) OR {count} < {max})"),
            });
            if matches!(self.book, Book::Guard(_)) {
                for back in STALE {
                    let then = self.at.minus(limit.window * back);
                    let stale = update.name(item::count_of(limit, then));
                    update.remove.push(stale);
                }
            }
        }
        if let Some(guard) = &self.guard {
            let judged = self.shards.here().and_then(|it| it.guard.as_ref());
            guard.count(self.shards.current(), judged, &mut update);
        }
        if let Some(cooldown) = &self.cooldown {
            cooldown.start(&mut update);
        }
        if let Some(storing) = &self.storing {
            storing.store(conversion_counter, &mut update);
        }
        let sweep = update.value(self.sweep());
        update.set.push(format!("expires_at_seconds = {sweep}"));
        update.update(self.key(), table)
    }

    /// The check of the cooldown in the item of the neighbouring day, which the few
    /// logins around midnight need.
    pub(super) fn check_neighbour(
        &self,
        table: &str,
    ) -> Option<Result<TransactWriteItem, BuildError>> {
        let (Book::Sends, Scope::Destination(of)) = (self.book, &self.scope) else {
            return None;
        };
        let cooldown = self.cooldown.as_ref()?;
        let day = cooldown.neighbour()?;
        Some(cooldown.check(item::sends_key(of, day), table))
    }

    /// Whether the cooldown is checked in a neighbouring day.
    pub(super) fn has_neighbour(&self) -> bool {
        let cooldown = self.cooldown.as_ref();
        cooldown.is_some_and(|cooldown| cooldown.neighbour().is_some())
    }

    /// Judges the neighbouring day that refused.
    pub(super) fn refused_by_neighbour(
        &self,
        item: Option<&Item>,
    ) -> Result<Option<FullLimit>, Fault> {
        let cooldown = self.cooldown.as_ref();
        cooldown.map_or(Ok(None), |cooldown| cooldown.refused(item))
    }

    /// Learns what a shard holds.
    pub(super) fn learn(&mut self, shard: u32, item: &Item) -> Result<(), Fault> {
        let mut full = Vec::new();
        for limit in &self.limits {
            let count = item::count(item, &item::count_of(limit, self.at))?;
            let most = limit.share(shard, self.shards.all());
            full.push(count >= i64::from(most));
        }
        let guard = self.guard.as_ref();
        let guard = guard.map(|guard| guard.judge(shard, item)).transpose()?;
        let cooldown = self.cooldown.as_ref();
        let cooling = cooldown.map_or(Ok(None), |cooldown| cooldown.refused(Some(item)))?;
        if let Some(storing) = &mut self.storing {
            storing.judge(item)?;
        }
        let judged = Judged {
            full,
            guard,
            cooling,
        };
        self.shards.learn(shard, judged);
        Ok(())
    }

    /// Learns what the shard holds that refused.
    pub(super) fn refused(&mut self, item: Option<&Item>) -> Result<(), Fault> {
        self.learn(self.shards.current(), item.unwrap_or(&Item::new()))
    }

    /// The shards to read before the next try, with their keys: all that are unknown,
    /// if the current one has no room.
    pub(super) fn unread(&self) -> Vec<(u32, Item)> {
        if self.has_room() {
            return Vec::new();
        }
        let unknown = self.shards.unknown();
        unknown.map(|shard| (shard, self.key_of(shard))).collect()
    }

    /// Moves on to a shard with room, unless the current one has some: then the next
    /// count eases the guard or drops challenges, or another write came between. Returns the limits that
    /// refuse in every shard, if none has room.
    pub(super) fn move_on(&mut self) -> Vec<FullLimit> {
        if self.has_room() || self.shards.move_to(Judged::has_room) {
            return Vec::new();
        }
        let judged = || self.shards.known();
        let limits = self.limits.iter().enumerate();
        // A limit is to blame if no shard has room for it.
        let refusing = limits.filter(|(nth, _)| judged().all(|it| it.full[*nth]));
        let mut by: Vec<FullLimit> = refusing.map(|(_, limit)| full(limit, self.at)).collect();
        if let Some(guard) = &self.guard {
            let guarded = self.shards.known().filter_map(|it| it.guard.as_ref());
            by.extend(guard.refusal(guarded, by.is_empty()));
        }
        by.extend(judged().filter_map(|it| it.cooling.clone()));
        by
    }

    /// Whether the current shard may have room.
    fn has_room(&self) -> bool {
        self.shards.here().is_none_or(Judged::has_room)
    }

    fn sweep(&self) -> aws_sdk_dynamodb::types::AttributeValue {
        match (self.book, self.limits.as_slice()) {
            (Book::Guard(_), _) | (_, []) => item::guard_sweep(self.at),
            (_, limits) => {
                let ends = limits.iter().map(|limit| limit.window_end(self.at));
                let end = ends.max().unwrap_or(self.at);
                let cooldown = self.cooldown.as_ref();
                let cooled = cooldown.map(Cooldown::ends_at);
                let expired = self.storing.as_ref().map(Storing::expires_at);
                item::sweep_after(end.max(cooled.max(expired).unwrap_or(end)))
            }
        }
    }
}
