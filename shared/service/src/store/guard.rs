//! The counters of a conversion guard. They have no windows: time and codes that
//! come back ease them.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update},
};
use futures_util::future::try_join_all;
use otp_domain::{ConversionGuard, FullLimit, GuardCount, GuardVerdict, UnixTime};
use rand::CryptoRng;

use super::{Item, Store, counter::Shards, item};
use crate::fault::Fault;

/// The guard's counter for one message.
pub(super) struct GuardCounter<'a> {
    guard: &'a ConversionGuard,
    at: UnixTime,
    shards: Shards,
    /// What the current shard held, and what eases it.
    easing: Option<(GuardCount, GuardCount)>,
    /// The least wait of the shards that are closed.
    wait: Duration,
}

/// What a refused count of a message means.
pub(super) enum GuardRefusal {
    /// Try again: with another shard, or by easing this one.
    TryAgain,
    /// Every shard is closed.
    Closed(FullLimit),
}

impl<'a> GuardCounter<'a> {
    pub(super) fn of(guard: &'a ConversionGuard, at: UnixTime, rng: &mut impl CryptoRng) -> Self {
        Self {
            guard,
            at,
            shards: Shards::shuffled(guard.shards(), rng),
            easing: None,
            wait: Duration::MAX,
        }
    }

    pub(super) fn key(&self) -> Item {
        item::guard_key(self.guard, self.shards.current())
    }

    /// Counts one message, on condition that the shard has room, or still is as
    /// it was when it was judged.
    pub(super) fn count(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(self.key()))
            .expression_attribute_values(":now", item::millis(self.at))
            .expression_attribute_values(":sweep", item::guard_sweep(self.at))
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let update = match &self.easing {
            None => update
                .update_expression(
                    "SET sent_at = :now, expires_at_seconds = :sweep ADD unproven :one",
                )
                .condition_expression("attribute_not_exists(unproven) OR unproven < :room")
                .expression_attribute_values(":one", item::number(1))
                .expression_attribute_values(
                    ":room",
                    item::number(self.guard.share(self.shards.current())),
                ),
            Some((was, eased)) => {
                let sent_at = was.sent_at.unwrap_or(UnixTime::from_millis(0));
                update
                    .update_expression(
                        "SET unproven = :unproven, proven = :proven, sent_at = :now, \
                         expires_at_seconds = :sweep",
                    )
                    .condition_expression(
                        "unproven = :was AND (proven = :had OR \
                         (:had = :zero AND attribute_not_exists(proven))) AND \
                         (attribute_not_exists(sent_at) OR sent_at = :sent_at)",
                    )
                    .expression_attribute_values(":unproven", item::number(eased.unproven + 1))
                    .expression_attribute_values(":proven", item::number(eased.proven))
                    .expression_attribute_values(":was", item::number(was.unproven))
                    .expression_attribute_values(":had", item::number(was.proven))
                    .expression_attribute_values(":zero", item::number(0))
                    .expression_attribute_values(":sent_at", item::millis(sent_at))
            }
        };
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    /// Takes one message off again.
    pub(super) fn refund(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(self.key()))
            .update_expression("ADD unproven :minus_one")
            .expression_attribute_values(":minus_one", item::number(-1))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Judges the shard that refused.
    pub(super) fn refused(&mut self, item: Option<&Item>) -> Result<GuardRefusal, Fault> {
        let was = item.map_or(Ok(GuardCount::default()), item::guard_count)?;
        self.easing = None;
        match self.guard.judge(self.shards.current(), &was, self.at) {
            GuardVerdict::Open => return Ok(GuardRefusal::TryAgain),
            GuardVerdict::Eased(eased) => {
                self.easing = Some((was, eased));
                return Ok(GuardRefusal::TryAgain);
            }
            GuardVerdict::Closed(wait) => self.wait = self.wait.min(wait),
        }
        Ok(if self.shards.try_next() {
            GuardRefusal::TryAgain
        } else {
            GuardRefusal::Closed(closed(self.guard, self.at.plus(self.wait)))
        })
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
