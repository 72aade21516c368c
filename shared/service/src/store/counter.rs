//! Counters: one item per window of a limit, and several shards for a shared
//! limit.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{TransactWriteItem, Update},
};
use otp_domain::{Limit, UnixTime};
use rand::{CryptoRng, seq::SliceRandom};

use super::{Item, item};

/// The counter of a limit, in the window of one instant.
pub(super) struct Counter<'a> {
    pub(super) limit: &'a Limit,
    pub(super) at: UnixTime,
    /// The current shard last, after the shards not tried yet.
    shards: Vec<u32>,
}

impl<'a> Counter<'a> {
    /// Starts with a random shard, so that the shards fill evenly.
    pub(super) fn of(limit: &'a Limit, at: UnixTime, rng: &mut impl CryptoRng) -> Self {
        let mut shards: Vec<u32> = (0..limit.shards()).collect();
        shards.shuffle(rng);
        Self { limit, at, shards }
    }

    fn shard(&self) -> u32 {
        self.shards.last().copied().unwrap_or_default()
    }

    /// Moves on to another shard; `false` if every shard was tried.
    pub(super) fn try_next_shard(&mut self) -> bool {
        if self.shards.len() > 1 {
            self.shards.pop();
            true
        } else {
            false
        }
    }

    pub(super) fn key(&self) -> Item {
        item::counter_key(self.limit, self.shard(), self.at)
    }

    /// Counts one admission, on condition that the shard has room.
    pub(super) fn count(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let sweep = item::sweep_after(self.limit.window_end(self.at));
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(self.key()))
            .update_expression("SET expires_at_seconds = :sweep ADD admitted :one")
            .condition_expression("attribute_not_exists(admitted) OR admitted < :max")
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":max", item::number(self.limit.share(self.shard())))
            .expression_attribute_values(":sweep", sweep)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Refunds one admission. Returned codes may have emptied the conversion
    /// counter meanwhile; it may then fall below zero.
    pub(super) fn refund(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let mut update = Update::builder()
            .table_name(table)
            .set_key(Some(self.key()))
            .update_expression("ADD admitted :minus_one")
            .expression_attribute_values(":minus_one", item::number(-1));
        if !self.limit.is_conversion_guard() {
            update = update
                .condition_expression("admitted > :zero")
                .expression_attribute_values(":zero", item::number(0));
        }
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }
}
