use std::time::Duration;

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::ReturnValue};

use tokio::time::timeout;

use super::{Item, Store, item, transaction::until_settled};
use crate::{
    domain::{Challenge, ChallengeId, Destination, PROVEN_MAKES_UP_FOR, RequestId, UnixTime},
    fault::{Dependency, Fault},
};

const OPERATION: &str = "UpdateItem";

/// A login in hand does not wait longer for the conversion guard.
const PROVE_BUDGET: Duration = Duration::from_millis(500);

/// A challenge of which an attempt was spent, and so may be compared with once.
pub struct Spent {
    /// The challenge.
    pub challenge: Challenge,
    /// The counter of text messages whose codes have not come back, where this
    /// one is counted.
    unproven: Option<Item>,
}

impl Store {
    /// Spends one of the challenge's attempts for this request, before anything
    /// is compared. In any parallelism at most `max_attempts` requests get a
    /// challenge to compare with.
    ///
    /// `None`: there is nothing to compare with. The challenge was never
    /// issued, or is expired or exhausted. One that was redeemed can still be
    /// guessed at, and to no end.
    ///
    /// # Errors
    ///
    /// The table cannot be reached. The attempt may be spent, then.
    pub async fn spend_attempt(
        &self,
        destination: &Destination,
        id: &ChallengeId,
        request: &RequestId,
        max_attempts: u8,
        now: UnixTime,
    ) -> Result<Option<Spent>, Fault> {
        let attempt = || async {
            let spent = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(item::challenge_key(destination, id)))
                .update_expression("ADD spent_by :request")
                .condition_expression(
                    "expires_at > :now AND (attribute_not_exists(spent_by) \
                     OR size(spent_by) < :max OR contains(spent_by, :id))",
                )
                .expression_attribute_values(":request", item::only(request))
                .expression_attribute_values(":id", item::text(request.as_str()))
                .expression_attribute_values(":now", item::millis(now))
                .expression_attribute_values(":max", item::number(max_attempts))
                .return_values(ReturnValue::AllNew)
                .send()
                .await;
            match spent {
                Ok(output) => output
                    .attributes
                    .map(|item| read(&item, destination))
                    .transpose(),
                Err(error) => match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                    _ => Err(Fault::from_sdk(Dependency::Table, OPERATION, &error)),
                },
            }
        };
        until_settled(OPERATION, attempt).await
    }

    /// Makes room among the text messages whose codes have not come back, now
    /// that this one's has. It only steers: nothing depends on its success, and
    /// a repeated write makes room for a few more.
    pub async fn prove(&self, spent: &Spent) {
        let Some(key) = spent.unproven.clone() else {
            return;
        };
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .update_expression("SET admitted = admitted - :room")
            .condition_expression("admitted >= :room")
            .expression_attribute_values(":room", item::number(PROVEN_MAKES_UP_FOR));
        let _ = timeout(PROVE_BUDGET, update.send()).await;
    }
}

fn read(item: &Item, destination: &Destination) -> Result<Spent, Fault> {
    Ok(Spent {
        challenge: item::challenge(item, destination)?,
        unproven: item::unproven(item),
    })
}
