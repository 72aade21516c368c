use aws_sdk_dynamodb::{
    error::BuildError,
    types::{Delete, TransactWriteItem},
};
use tokio::time::timeout;

use super::{
    Admission, Item, Store, item,
    transaction::{BUDGET, Written, condition_failed},
};
use crate::fault::{Dependency, Fault};

/// Nobody has guessed at the challenge. A send with guesses stays counted;
/// otherwise failing deliveries would add guesses that no limit bounds.
const UNTOUCHED: &str = "attribute_exists(pk) AND attribute_not_exists(spent_by)";

impl Store {
    /// Undoes [`admit`](Self::admit) after a failed delivery: deletes the
    /// challenge, refunds its send on every refundable counter, and ends its
    /// cooldown.
    ///
    /// If someone guessed at the challenge meanwhile, only the challenge is
    /// deleted, and its send stays counted.
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
                Written::Cancelled(reasons) if reasons.first().is_some_and(condition_failed) => {
                    break;
                }
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
        let challenge = admission.challenge;
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(item::challenge_key(
                &challenge.destination,
                &challenge.id,
            )))
            .condition_expression(UNTOUCHED)
            .build()?;
        let mut actions = vec![TransactWriteItem::builder().delete(delete).build()];
        if let Some(key) = &admission.rules.key {
            actions.push(self.delete(item::request_key(&challenge.destination, key))?);
        }
        let tallies = admission.tallies.iter();
        for refund in tallies.filter_map(|it| it.refund(with_cooldown, &self.table)) {
            actions.push(refund?);
        }
        Ok(actions)
    }

    /// Deletes the challenge and the idempotency key, so that a retry is a new
    /// request. The counts stay.
    async fn end(&self, admission: &Admission<'_>) -> Result<(), Fault> {
        let challenge = admission.challenge;
        let to = &challenge.destination;
        let key = admission.rules.key.as_ref();
        let keys = [item::challenge_key(to, &challenge.id)]
            .into_iter()
            .chain(key.map(|key| item::request_key(to, key)));
        let actions = keys.map(|key| self.delete(key)).collect::<Result<_, _>>();
        let not_built = |_| Fault::new(Dependency::Table, "withdraw", "request not built");
        let token = format!("end-{}", challenge.id.as_str());
        self.transact(&token, actions.map_err(not_built)?).await?;
        Ok(())
    }

    fn delete(&self, key: Item) -> Result<TransactWriteItem, BuildError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key))
            .build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}
