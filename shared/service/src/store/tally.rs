//! Counters that one item keeps, and that one update counts together.

use aws_sdk_dynamodb::{error::BuildError, types::TransactWriteItem};
use otp_domain::{Book, Challenge, FullLimit, Limit, Scope, UnixTime};
use rand::CryptoRng;

use super::{
    AdmissionRules, Item,
    clauses::Clauses,
    cooldown::Cooldown,
    counter::{Shards, full},
    guard::Guarding,
    item,
    storing::Storing,
};
use crate::fault::Fault;

/// How many windows back a counter without an end still counts a late refund, and
/// how many it may be without a write before the table sweeps it.
const STALE: std::ops::Range<u32> = 2..10;

/// What one item keeps of a login: its counters and, in that of its mailbox, its challenge.
pub(super) struct Tally<'a> {
    scope: Scope,
    book: Book,
    at: UnixTime,
    limits: Vec<Counted<'a>>,
    guard: Option<Guarding<'a>>,
    cooldown: Option<Cooldown<'a>>,
    storing: Option<Storing<'a>>,
    shards: Shards,
}

struct Counted<'a> {
    limit: &'a Limit,
    /// Whether a shard had room for it.
    had_room: bool,
}

/// What a refused count means.
pub(super) enum Refused {
    /// Try again: with another shard, by easing the guard, or by dropping challenges.
    TryAgain,
    /// These limits refuse in every shard.
    By(Vec<FullLimit>),
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
            let counted = Counted {
                limit,
                had_room: false,
            };
            let shared = tallies.iter_mut().find(|tally| {
                limit.book != Book::Own && tally.scope == limit.scope && tally.book == limit.book
            });
            match shared {
                Some(tally) => tally.limits.push(counted),
                None => tallies.push(Self {
                    scope: limit.scope.clone(),
                    book: limit.book,
                    at,
                    limits: vec![counted],
                    guard: None,
                    cooldown: None,
                    storing: None,
                    shards: Shards::default(),
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
                || tally.limits.iter().map(|it| it.limit.shards()).min(),
                |guard| Some(guard.shards()),
            );
            tally.shards = Shards::shuffled(shards.unwrap_or(1), rng);
        }
        tallies
    }

    pub(super) fn key(&self) -> Item {
        let shard = self.shards.current();
        match (self.book, &self.scope, self.limits.as_slice()) {
            (Book::Sends, Scope::Destination(of), _) => item::sends_key(of, self.at),
            (Book::Guard(name), scope, _) => item::lasting_key(scope, name, shard),
            (_, scope, []) => item::lasting_key(scope, "", shard),
            (_, _, [own, ..]) => item::counter_key(own.limit, shard, self.at),
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
        for limit in self.limits.iter().map(|it| it.limit) {
            let count = update.name(item::count_of(limit, self.at));
            let max = update.value(item::number(self.share(limit)));
            let one = update.value(item::number(1));
            update.add.push(format!("{count} {one}"));
            // A share may be nothing: then even a first count has no room.
            update.conditions.push(match self.share(limit) {
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
            guard.count(self.shards.current(), &mut update);
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

    /// Refunds one admission, and removes its challenge, on condition that nobody has
    /// guessed at it; `None` if none of its counters is refunded.
    /// `with_cooldown` ends the cooldown too, on condition that it is still its own.
    pub(super) fn refund(
        &self,
        with_cooldown: bool,
        table: &str,
    ) -> Option<Result<TransactWriteItem, BuildError>> {
        let mut update = Clauses::default();
        let refundable = self.limits.iter().filter(|it| it.limit.refundable);
        for limit in refundable.map(|it| it.limit) {
            let count = update.name(item::count_of(limit, self.at));
            let minus_one = update.value(item::number(-1));
            let zero = update.value(item::number(0));
            update.add.push(format!("{count} {minus_one}"));
            update.conditions.push(format!("{count} > {zero}"));
        }
        if self.guard.is_some() {
            Guarding::refund(&mut update);
        }
        if let Some(cooldown) = self.cooldown.as_ref().filter(|_| with_cooldown) {
            cooldown.end(&mut update);
        }
        if let Some(storing) = &self.storing {
            storing.withdraw(&mut update);
        }
        (!update.add.is_empty()).then(|| update.update(self.key(), table))
    }

    /// Removes the challenge and refunds nothing; `None` if another item holds it.
    pub(super) fn end(&self, table: &str) -> Option<Result<TransactWriteItem, BuildError>> {
        let mut update = Clauses::default();
        self.storing.as_ref()?.end(&mut update);
        Some(update.update(self.key(), table))
    }

    /// Whether somebody has guessed at the challenge, if this item holds it.
    pub(super) fn is_guessed(&self, stands: &Item) -> bool {
        let storing = self.storing.as_ref();
        storing.is_some_and(|storing| storing.is_guessed(stands))
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

    /// Judges the shard that refused.
    pub(super) fn refused(&mut self, item: Option<&Item>) -> Result<Refused, Fault> {
        let nothing = Item::new();
        let stands = item.unwrap_or(&nothing);
        let (shard, at) = (self.shards.current(), self.at);
        let mut refuses = false;
        for n in 0..self.limits.len() {
            let limit = self.limits[n].limit;
            let count = item::count(stands, &item::count_of(limit, at))?;
            let has_room = count < i64::from(self.share(limit));
            self.limits[n].had_room |= has_room;
            refuses |= !has_room;
        }
        if let Some(guard) = &mut self.guard {
            refuses |= guard.refuses(shard, stands)?;
        }
        let cooling = match &self.cooldown {
            Some(cooldown) => cooldown.refused(item)?,
            None => None,
        };
        refuses |= cooling.is_some();
        if let Some(storing) = &mut self.storing {
            storing.judge(stands)?;
        }
        if !refuses {
            // It eases the guard or drops challenges, or another write came between.
            return Ok(Refused::TryAgain);
        }
        if self.shards.try_next() {
            if let Some(guard) = &mut self.guard {
                guard.leave();
            }
            return Ok(Refused::TryAgain);
        }
        let of_limits = self.limits.iter().filter(|it| !it.had_room);
        let mut by: Vec<FullLimit> = of_limits.map(|it| full(it.limit, at)).collect();
        if let Some(guard) = &self.guard {
            by.extend(guard.refusal(by.is_empty()));
        }
        by.extend(cooling);
        Ok(Refused::By(by))
    }

    fn share(&self, limit: &Limit) -> u32 {
        limit.share(self.shards.current(), self.shards.all())
    }

    fn sweep(&self) -> aws_sdk_dynamodb::types::AttributeValue {
        match (self.book, self.limits.as_slice()) {
            (Book::Guard(_), _) | (_, []) => item::guard_sweep(self.at),
            (_, limits) => {
                let ends = limits.iter().map(|it| it.limit.window_end(self.at));
                let end = ends.max().unwrap_or(self.at);
                let cooldown = self.cooldown.as_ref();
                let cooled = cooldown.map(Cooldown::ends_at);
                let expired = self.storing.as_ref().map(Storing::expires_at);
                item::sweep_after(end.max(cooled.max(expired).unwrap_or(end)))
            }
        }
    }
}
