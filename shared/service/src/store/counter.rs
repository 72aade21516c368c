//! Counters: one item per window of a limit, and several shards for a shared
//! limit.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{TransactWriteItem, Update},
};
use otp_domain::{FullLimit, Limit, UnixTime};
use rand::{CryptoRng, seq::SliceRandom};

use super::{Item, item};

/// The condition of a count; takes `:max`.
pub(super) const HAS_ROOM: &str = "attribute_not_exists(admitted) OR admitted < :max";

/// The update of a count; takes `:one` and `:sweep`.
pub(super) const COUNT: &str = "SET expires_at_seconds = :sweep ADD admitted :one";

/// The shards of a counter that are not tried yet, in random order, so that they
/// fill evenly. The current one is the last.
pub(super) struct Shards(Vec<u32>);

impl Shards {
    pub(super) fn shuffled(shards: u32, rng: &mut impl CryptoRng) -> Self {
        let mut shards: Vec<u32> = (0..shards).collect();
        shards.shuffle(rng);
        Self(shards)
    }

    pub(super) fn current(&self) -> u32 {
        self.0.last().copied().unwrap_or_default()
    }

    /// Moves on to another shard; `false` if every shard was tried.
    pub(super) fn try_next(&mut self) -> bool {
        let others = self.0.len() > 1;
        if others {
            self.0.pop();
        }
        others
    }
}

/// The counter of a limit, in the window of one instant.
pub(super) struct Counter<'a> {
    pub(super) limit: &'a Limit,
    pub(super) at: UnixTime,
    pub(super) shards: Shards,
}

impl<'a> Counter<'a> {
    pub(super) fn of(limit: &'a Limit, at: UnixTime, rng: &mut impl CryptoRng) -> Self {
        let shards = Shards::shuffled(limit.shards(), rng);
        Self { limit, at, shards }
    }

    pub(super) fn key(&self) -> Item {
        item::counter_key(self.limit, self.shards.current(), self.at)
    }

    /// Counts one admission, on condition that the shard has room.
    pub(super) fn count(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let sweep = item::sweep_after(self.limit.window_end(self.at));
        let max = self.limit.share(self.shards.current());
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(self.key()))
            .update_expression(COUNT)
            .condition_expression(HAS_ROOM)
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":max", item::number(max))
            .expression_attribute_values(":sweep", sweep)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Refunds one admission.
    pub(super) fn refund(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(self.key()))
            .update_expression("ADD admitted :minus_one")
            .condition_expression("admitted > :zero")
            .expression_attribute_values(":minus_one", item::number(-1))
            .expression_attribute_values(":zero", item::number(0))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// The limit, when it is full at this instant.
pub(super) fn full(limit: &Limit, at: UnixTime) -> FullLimit {
    FullLimit {
        scope: limit.scope.clone(),
        name: limit.name,
        kind: limit.kind(),
        ends_at: limit.window_end(at),
    }
}
