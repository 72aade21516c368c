use aws_sdk_dynamodb::{
    error::BuildError,
    types::{CancellationReason, Delete, TransactWriteItem},
};
use tokio::time::timeout;

use super::{
    Admission, Item, Store, item,
    transaction::{BUDGET, Written},
};
use crate::fault::{Dependency, Fault};

impl Admission<'_> {
    /// Whether somebody has guessed at the challenge. The reasons are those of refunds
    /// that were cancelled.
    fn is_guessed(&self, reasons: &[CancellationReason]) -> bool {
        let items = reasons.iter().filter_map(CancellationReason::item);
        let mut stands = items.flat_map(|item| self.tallies.iter().map(move |it| (it, item)));
        stands.any(|(tally, item)| tally.is_guessed(item))
    }
}

impl Store {
    /// Undoes [`admit`](Self::admit) after a failed delivery: removes the
    /// challenge, refunds its send on every refundable counter, and ends its
    /// cooldown.
    ///
    /// If someone guessed at the challenge meanwhile, only the challenge is
    /// removed, and its send stays counted.
    ///
    /// # Errors
    ///
    /// The table is unreachable. The challenge and its counts may remain.
    pub async fn withdraw(&self, admission: &Admission<'_>) -> Result<(), Fault> {
        let undone = timeout(BUDGET, self.undo(admission)).await;
        self.forget_refusals(admission);
        undone.unwrap_or_else(|_| Err(Fault::new(Dependency::Table, "withdraw", "timeout")))
    }

    /// Ends the challenge of a destination that the provider refused, and frees its
    /// idempotency key: a repeat would wait for a message that never comes. The
    /// counts and the cooldown stay. Without a key, there is nothing to do: nobody
    /// knows the challenge.
    ///
    /// # Errors
    ///
    /// The table is unreachable. The key may remain until the code has expired.
    pub async fn free_key(&self, admission: &Admission<'_>) -> Result<(), Fault> {
        if admission.rules.key.is_none() {
            return Ok(());
        }
        timeout(BUDGET, self.end(admission))
            .await
            .unwrap_or_else(|_| Err(Fault::new(Dependency::Table, "withdraw", "timeout")))
    }

    async fn undo(&self, admission: &Admission<'_>) -> Result<(), Fault> {
        let challenge = admission.challenge;
        let not_built = |_| Fault::new(Dependency::Table, "withdraw", "request not built");
        // If a later send replaced the cooldown, only the counts are undone.
        for (name, with_cooldown) in [("all", true), ("counts", false)] {
            let actions = self.refunds(admission, with_cooldown).map_err(not_built)?;
            let token = format!("{name}-{}", challenge.id.as_str());
            match self.transact(&token, actions).await? {
                Written::Committed => return Ok(()),
                Written::Cancelled(reasons) if admission.is_guessed(&reasons) => break,
                Written::Cancelled(_) => {}
            }
        }
        self.end(admission).await
    }

    fn refunds(
        &self,
        admission: &Admission<'_>,
        with_cooldown: bool,
    ) -> Result<Vec<TransactWriteItem>, BuildError> {
        let tallies = admission.tallies.iter();
        let refunds = tallies.filter_map(|it| it.refund(with_cooldown, &self.table));
        refunds.chain(self.free(admission)).collect()
    }

    /// Removes the challenge and the idempotency key, so that a retry is a new
    /// request. The counts stay.
    async fn end(&self, admission: &Admission<'_>) -> Result<(), Fault> {
        let tallies = admission.tallies.iter();
        let actions = tallies.filter_map(|it| it.end(&self.table));
        let actions = actions
            .chain(self.free(admission))
            .collect::<Result<_, _>>();
        let not_built = |_| Fault::new(Dependency::Table, "withdraw", "request not built");
        let token = format!("end-{}", admission.challenge.id.as_str());
        self.transact(&token, actions.map_err(not_built)?).await?;
        Ok(())
    }

    /// Deletes the item of the idempotency key, if the request has one.
    fn free(&self, admission: &Admission<'_>) -> Option<Result<TransactWriteItem, BuildError>> {
        let key = admission.rules.key.as_ref()?;
        let to = &admission.challenge.destination;
        Some(self.delete(item::request_key(to, key)))
    }

    fn delete(&self, key: Item) -> Result<TransactWriteItem, BuildError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key))
            .build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}
