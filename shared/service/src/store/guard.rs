//! The counters of a conversion guard. They have no windows: time and codes that
//! come back ease them.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{TransactWriteItem, Update},
};
use futures_util::future::try_join_all;
use otp_domain::{ConversionGuard, FullLimit, GuardCount, GuardVerdict, UnixTime};

use super::{Item, Store, clauses::Clauses, item};
use crate::fault::Fault;

/// A guard that counts one message.
pub(super) struct Guarding<'a> {
    guard: &'a ConversionGuard,
    at: UnixTime,
    /// What the current shard held, and what eases it.
    easing: Option<(GuardCount, GuardCount)>,
    /// Whether a shard had room.
    had_room: bool,
    /// The least wait of the shards that are closed.
    wait: Option<Duration>,
}

impl<'a> Guarding<'a> {
    pub(super) const fn of(guard: &'a ConversionGuard, at: UnixTime) -> Self {
        Self {
            guard,
            at,
            easing: None,
            had_room: false,
            wait: None,
        }
    }

    /// Counts one message, on condition that the shard has room, or still is as
    /// it was when it was judged.
    pub(super) fn count(&self, shard: u32, update: &mut Clauses) {
        let now = update.value(item::millis(self.at));
        update.set.push(format!("sent_at = {now}"));
        let Some((was, eased)) = &self.easing else {
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

    /// Whether the guard closes the shard that holds `item`. If it need not, the
    /// next count eases it.
    pub(super) fn refuses(&mut self, shard: u32, item: &Item) -> Result<bool, Fault> {
        let was = item::guard_count(item)?;
        let verdict = self.guard.judge(shard, &was, self.at);
        self.easing = None;
        match verdict {
            GuardVerdict::Open => self.had_room = true,
            GuardVerdict::Eased(eased) => {
                self.had_room = true;
                self.easing = Some((was, eased));
            }
            GuardVerdict::Closed(wait) => {
                self.wait = Some(self.wait.map_or(wait, |least| least.min(wait)));
            }
        }
        Ok(matches!(verdict, GuardVerdict::Closed(_)))
    }

    /// The guard's refusal when every shard refused. A shard in which it had room
    /// was refused by a limit; the guard is still to blame if `no_limit` was full
    /// in every shard.
    pub(super) fn refusal(&self, no_limit: bool) -> Option<FullLimit> {
        let wait = self.wait.filter(|_| no_limit || !self.had_room)?;
        Some(closed(self.guard, self.at.plus(wait)))
    }

    /// Forgets how to ease the shard that is left.
    pub(super) const fn leave(&mut self) {
        self.easing = None;
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
        let verdicts = (0..guard.shards()).map(|shard| async move {
            let item = self.get(item::guard_key(guard, shard)).await?;
            let count = item
                .as_ref()
                .map_or(Ok(GuardCount::default()), item::guard_count)?;
            Ok::<_, Fault>(guard.judge(shard, &count, now))
        });
        let mut wait = Duration::MAX;
        for verdict in try_join_all(verdicts).await? {
            match verdict {
                GuardVerdict::Closed(of_shard) => wait = wait.min(of_shard),
                GuardVerdict::Open | GuardVerdict::Eased(_) => return Ok(None),
            }
        }
        Ok(Some(closed(guard, now.plus(wait))))
    }
}
