//! The items that count: one for each window of each limit, and for a limit of
//! many people several.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{TransactWriteItem, Update},
};
use rand::{CryptoRng, seq::SliceRandom};

use super::{Item, item};
use crate::domain::{Limit, UnixTime};

/// One counter of a limit, in the window of one instant.
pub(super) struct Counter<'a> {
    pub(super) limit: &'a Limit,
    pub(super) at: UnixTime,
    /// The counters still to be asked, in the order of asking; the last is the
    /// one that counts now.
    shards: Vec<u32>,
}

impl<'a> Counter<'a> {
    /// Starts with any of the limit's counters, so that they fill alike.
    pub(super) fn of(limit: &'a Limit, at: UnixTime, rng: &mut impl CryptoRng) -> Self {
        let mut shards: Vec<u32> = (0..limit.shards()).collect();
        shards.shuffle(rng);
        Self { limit, at, shards }
    }

    fn shard(&self) -> u32 {
        self.shards.last().copied().unwrap_or_default()
    }

    /// Goes on to another counter of the same limit; `false` if each has been
    /// asked.
    pub(super) fn try_next(&mut self) -> bool {
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

    /// Counts one admission, on condition that there is room.
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

    /// Takes one admission back. The conversion guard may have been emptied by
    /// codes that came back meanwhile, and is left one below nothing then.
    pub(super) fn give_back(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
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
