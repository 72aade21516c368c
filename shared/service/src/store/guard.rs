//! The counters of a conversion guard. They have no windows: time and codes that
//! come back ease them.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{TransactWriteItem, Update},
};
use otp_domain::{ConversionGuard, FullLimit, GuardCount, GuardVerdict, UnixTime};

use super::{Item, Store, clauses::Clauses, item};
use crate::fault::Fault;

/// A guard that counts one message.
pub(super) struct Guarding<'a> {
    guard: &'a ConversionGuard,
    at: UnixTime,
}

/// What one shard of a guard held, and what follows from it.
pub(super) struct Guarded {
    was: GuardCount,
    verdict: GuardVerdict,
}

impl Guarded {
    /// Whether there is room, perhaps after easing.
    pub(super) const fn has_room(&self) -> bool {
        !matches!(self.verdict, GuardVerdict::Closed(_))
    }

    /// What the shard held and what eases it, if it must be eased.
    const fn easing(&self) -> Option<(&GuardCount, &GuardCount)> {
        match &self.verdict {
            GuardVerdict::Eased(eased) => Some((&self.was, eased)),
            GuardVerdict::Open | GuardVerdict::Closed(_) => None,
        }
    }

    const fn wait(&self) -> Option<Duration> {
        match self.verdict {
            GuardVerdict::Closed(wait) => Some(wait),
            GuardVerdict::Open | GuardVerdict::Eased(_) => None,
        }
    }
}

impl<'a> Guarding<'a> {
    pub(super) const fn of(guard: &'a ConversionGuard, at: UnixTime) -> Self {
        Self { guard, at }
    }

    /// Counts one message, on condition that the shard has room. A shard that must be
    /// eased is eased, on condition that it still is as it was when it was judged.
    pub(super) fn count(&self, shard: u32, judged: Option<&Guarded>, update: &mut Clauses) {
        let now = update.value(item::millis(self.at));
        update.set.push(format!("sent_at = {now}"));
        let Some((was, eased)) = judged.and_then(Guarded::easing) else {
            let one = update.value(item::number(1));
            let room = update.value(item::number(self.guard.share(shard)));
            update.add.push(format!("unproven {one}"));
            update.conditions.push(format!(
                "(attribute_not_exists(unproven) OR unproven < {room})"
            ));
            return;
        };
        let unproven = update.value(item::number(eased.unproven + 1));
        let proven = update.value(item::number(eased.proven));
        update.set.push(format!("unproven = {unproven}"));
        update.set.push(format!("proven = {proven}"));
        let unproven = update.value(item::number(was.unproven));
        update.conditions.push(format!("unproven = {unproven}"));
        let had = update.value(item::number(was.proven));
        let zero = update.value(item::number(0));
        update.conditions.push(format!(
            "(proven = {had} OR ({had} = {zero} AND attribute_not_exists(proven)))"
        ));
        let sent_at = was.sent_at.unwrap_or(UnixTime::from_millis(0));
        let sent_at = update.value(item::millis(sent_at));
        update.conditions.push(format!(
            "(attribute_not_exists(sent_at) OR sent_at = {sent_at})"
        ));
    }

    /// Takes one message off again.
    pub(super) fn refund(update: &mut Clauses) {
        let minus_one = update.value(item::number(-1));
        update.add.push(format!("unproven {minus_one}"));
    }

    /// Judges the shard that holds `item`.
    pub(super) fn judge(&self, shard: u32, item: &Item) -> Result<Guarded, Fault> {
        let was = item::guard_count(item)?;
        let verdict = self.guard.judge(shard, &was, self.at);
        Ok(Guarded { was, verdict })
    }

    /// The guard's refusal when every shard refused. A shard in which it had room
    /// was refused by a limit; the guard is still to blame if `no_limit` was full
    /// in every shard.
    pub(super) fn refusal<'g>(
        &self,
        shards: impl Iterator<Item = &'g Guarded> + Clone,
        no_limit: bool,
    ) -> Option<FullLimit> {
        let had_room = shards.clone().any(Guarded::has_room);
        let wait = shards.filter_map(Guarded::wait).min();
        let wait = wait.filter(|_| no_limit || !had_room)?;
        Some(closed(self.guard, self.at.plus(wait)))
    }
}

fn closed(guard: &ConversionGuard, ends_at: UnixTime) -> FullLimit {
    FullLimit {
        scope: guard.scope.clone(),
        name: guard.name,
        kind: guard.kind(),
        ends_at,
    }
}

/// Takes a message off its guard, for its code came back.
pub(super) fn record_conversion(
    key: Item,
    table: &str,
    now: UnixTime,
) -> Result<TransactWriteItem, BuildError> {
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(key))
        .update_expression(
            "SET proven_at = :now, expires_at_seconds = :sweep \
             ADD unproven :minus_one, proven :one",
        )
        .expression_attribute_values(":now", item::millis(now))
        .expression_attribute_values(":sweep", item::guard_sweep(now))
        .expression_attribute_values(":one", item::number(1))
        .expression_attribute_values(":minus_one", item::number(-1))
        .build()?;
    Ok(TransactWriteItem::builder().update(update).build())
}

impl Store {
    /// Reads whether a guard is closed. A read costs less than a transaction that
    /// the guard refuses.
    pub(super) async fn read_guard(
        &self,
        guard: &ConversionGuard,
        now: UnixTime,
    ) -> Result<Option<FullLimit>, Fault> {
        let guarding = Guarding::of(guard, now);
        let keys = (0..guard.shards()).map(|shard| item::guard_key(guard, shard));
        let items = self.get_all(keys.collect()).await?;
        let judged = (0..).zip(&items).map(|(nth, it)| guarding.judge(nth, it));
        let judged: Vec<Guarded> = judged.collect::<Result<_, _>>()?;
        Ok(guarding.refusal(judged.iter(), false))
    }
}
