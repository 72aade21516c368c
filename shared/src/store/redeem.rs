use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        CancellationReason, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
        Update,
    },
};

use super::{
    Account, Store, item,
    transaction::{Written, condition_failed},
};
use crate::{
    domain::{Challenge, RequestId, UnixTime},
    fault::{Dependency, Fault},
};

impl Store {
    /// Uses the challenge up and logs its user in, in one write with one
    /// winner. The user's last login is also what voids the destination's other
    /// challenges: whatever was issued before it can no longer be redeemed.
    ///
    /// `false`: another request redeemed this challenge or a later one, or its
    /// life ended.
    ///
    /// # Errors
    ///
    /// The table cannot be reached, or the user changed since it was read.
    pub async fn redeem(
        &self,
        challenge: &Challenge,
        account: &Account,
        request: &RequestId,
        now: UnixTime,
    ) -> Result<bool, Fault> {
        let actions = self
            .redemption(challenge, account, request, now)
            .map_err(|_| Fault::new(Dependency::Table, "redeem", "request not built"))?;
        match self.transact(request.as_str(), actions).await? {
            Written::Committed => Ok(true),
            Written::Cancelled(reasons) => lost(&reasons, challenge).map(|()| false),
        }
    }

    fn redemption(
        &self,
        challenge: &Challenge,
        account: &Account,
        request: &RequestId,
        now: UnixTime,
    ) -> Result<Vec<TransactWriteItem>, BuildError> {
        let use_up = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::challenge_key(
                &challenge.destination,
                &challenge.id,
            )))
            .update_expression("SET redeemed_by = :request")
            .condition_expression("expires_at > :now AND attribute_not_exists(redeemed_by)")
            .expression_attribute_values(":request", item::text(request.as_str()))
            .expression_attribute_values(":now", item::millis(now))
            .build()?;
        let log_in = self.log_in(challenge, account, now.max(challenge.issued_at))?;
        Ok([use_up, log_in]
            .map(|update| TransactWriteItem::builder().update(update).build())
            .into())
    }

    fn log_in(
        &self,
        challenge: &Challenge,
        account: &Account,
        at: UnixTime,
    ) -> Result<Update, BuildError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::user_key(&challenge.destination)))
            .expression_attribute_values(":user", item::text(account.user_id().as_str()))
            .expression_attribute_values(":at", item::millis(at))
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        match account {
            Account::New(_) => update
                .update_expression("SET user_id = :user, created_at = :at, last_login_at = :at")
                .condition_expression("attribute_not_exists(user_id)")
                .build(),
            Account::Known(_) => update
                .update_expression("SET last_login_at = :at")
                .condition_expression(
                    "user_id = :user AND (attribute_not_exists(last_login_at) \
                     OR last_login_at < :issued_at)",
                )
                .expression_attribute_values(":issued_at", item::millis(challenge.issued_at))
                .build(),
        }
    }
}

/// Tells a challenge that lost (used up or void) from a user that is not any
/// more the one the token was minted for.
fn lost(reasons: &[CancellationReason], challenge: &Challenge) -> Result<(), Fault> {
    let [used_up, user] = reasons else {
        return Err(Fault::new(
            Dependency::Table,
            "redeem",
            "cancelled without a reason",
        ));
    };
    if condition_failed(used_up) {
        return Ok(());
    }
    let last_login = user
        .item()
        .and_then(|item| item::time(item, "last_login_at").ok());
    if last_login.is_some_and(|at| at >= challenge.issued_at) {
        Ok(())
    } else {
        Err(Fault::new(
            Dependency::Table,
            "redeem",
            "the user changed meanwhile",
        ))
    }
}
