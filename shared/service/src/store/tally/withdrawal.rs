//! What a withdrawal takes back.

use aws_sdk_dynamodb::{error::BuildError, types::TransactWriteItem};

use super::Tally;
use crate::store::{Item, clauses::Clauses, guard::Guarding, item};

impl Tally<'_> {
    /// Refunds one admission, and removes its challenge, on condition that nobody has
    /// guessed at it; `None` if none of its counters is refunded.
    /// `with_cooldown` ends the cooldown too, on condition that it is still its own.
    pub(in crate::store) fn refund(
        &self,
        with_cooldown: bool,
        table: &str,
    ) -> Option<Result<TransactWriteItem, BuildError>> {
        let mut update = Clauses::default();
        for limit in self.limits.iter().filter(|limit| limit.refundable) {
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
    pub(in crate::store) fn end(
        &self,
        table: &str,
    ) -> Option<Result<TransactWriteItem, BuildError>> {
        let mut update = Clauses::default();
        self.storing.as_ref()?.end(&mut update);
        Some(update.update(self.key(), table))
    }

    /// Whether somebody has guessed at the challenge, if this item holds it.
    pub(in crate::store) fn is_guessed(&self, stands: &Item) -> bool {
        let storing = self.storing.as_ref();
        storing.is_some_and(|storing| storing.is_guessed(stands))
    }
}
