use aws_sdk_dynamodb::{
    error::BuildError,
    types::{Delete, TransactWriteItem, Update},
};

use super::{
    Store, item,
    transaction::{Written, condition_failed},
};
use crate::{
    domain::{Challenge, Policy},
    fault::{Dependency, Fault},
};

/// Nobody guessed at the challenge yet. Whoever did has had their guesses, so
/// that send must stay counted, or failing deliveries would buy guesses that
/// no limit bounds.
const UNTOUCHED: &str = "attribute_exists(pk) AND attribute_not_exists(spent_by)";

impl Store {
    /// Undoes [`admit`](Self::admit) after a failed delivery: the challenge is
    /// gone, its send is not counted and starts no cooldown.
    ///
    /// If somebody guessed at the challenge meanwhile, it is ended, and its send
    /// stays counted.
    ///
    /// # Errors
    ///
    /// The table cannot be reached: the challenge and its counts still stand.
    pub async fn withdraw(&self, challenge: &Challenge, policy: &Policy) -> Result<(), Fault> {
        let not_built = |_| Fault::new(Dependency::Table, "withdraw", "request not built");
        let counts = self.take_back(challenge, policy).map_err(not_built)?;
        let cooldown = self.end_cooldown(challenge).map_err(not_built)?;
        let everything = [counts.clone(), vec![cooldown]].concat();
        // If a later send has its own cooldown running, that one is to stay.
        for (name, actions) in [("all", everything), ("counts", counts)] {
            let token = format!("{name}-{}", challenge.id.as_str());
            match self.transact(&token, actions).await? {
                Written::Committed => return Ok(()),
                Written::Cancelled(reasons) if reasons.first().is_some_and(condition_failed) => {
                    break;
                }
                Written::Cancelled(_) => {}
            }
        }
        self.end(challenge).await
    }

    fn take_back(
        &self,
        challenge: &Challenge,
        policy: &Policy,
    ) -> Result<Vec<TransactWriteItem>, BuildError> {
        let to = &challenge.destination;
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(item::challenge_key(to, &challenge.id)))
            .condition_expression(UNTOUCHED)
            .build()?;
        let mut actions = vec![TransactWriteItem::builder().delete(delete).build()];
        for limit in &policy.send_limits() {
            let update = Update::builder()
                .table_name(&self.table)
                .set_key(Some(item::sends_key(to, limit, challenge.issued_at)))
                .update_expression("ADD sends :minus_one")
                .condition_expression("sends > :zero")
                .expression_attribute_values(":minus_one", item::number(-1))
                .expression_attribute_values(":zero", item::number(0))
                .build()?;
            actions.push(TransactWriteItem::builder().update(update).build());
        }
        Ok(actions)
    }

    fn end_cooldown(&self, challenge: &Challenge) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::cooldown_key(&challenge.destination)))
            .update_expression("REMOVE sent_at, challenge_id")
            .condition_expression("challenge_id = :id")
            .expression_attribute_values(":id", item::text(challenge.id.as_str()))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Deletes a challenge; its counts stand.
    async fn end(&self, challenge: &Challenge) -> Result<(), Fault> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(item::challenge_key(
                &challenge.destination,
                &challenge.id,
            )))
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Table, "DeleteItem", &error))?;
        Ok(())
    }
}
