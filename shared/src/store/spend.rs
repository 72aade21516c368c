use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::ReturnValue};

use super::{Store, item, transaction::until_settled};
use crate::{
    domain::{Challenge, ChallengeId, Destination, RequestId, UnixTime},
    fault::{Dependency, Fault},
};

const OPERATION: &str = "UpdateItem";

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
    ) -> Result<Option<Challenge>, Fault> {
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
                    .map(|item| item::challenge(&item, destination))
                    .transpose(),
                Err(error) => match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                    _ => Err(Fault::from_sdk(Dependency::Table, OPERATION, &error)),
                },
            }
        };
        until_settled(OPERATION, attempt).await
    }
}
