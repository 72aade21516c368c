use aws_sdk_dynamodb::{
    error::BuildError,
    types::{Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update},
};

use super::{
    Item, Store, item,
    transaction::{Written, condition_failed},
};
use crate::{
    domain::{Account, Challenge, Family, RequestId, UnixTime},
    fault::{Dependency, Fault},
};

impl Store {
    /// Logs the user of the challenge's destination in and starts the login's
    /// family, in one transaction with one winner.
    ///
    /// The condition is that the user has not logged in since the challenge was
    /// issued. So the write uses up the challenge itself, and voids all others
    /// of the destination, whether anyone remembers them or not.
    ///
    /// `false`: another request redeemed this challenge or a later one.
    ///
    /// # Errors
    ///
    /// The table cannot be reached, or the user changed since it was read.
    pub async fn redeem(
        &self,
        challenge: &Challenge,
        account: &Account,
        family: &Family,
        request: &RequestId,
        now: UnixTime,
    ) -> Result<bool, Fault> {
        let actions = [
            self.log_in(challenge, account, request, now),
            self.start_family(family),
        ];
        let actions = actions.into_iter().collect::<Result<_, _>>();
        let actions =
            actions.map_err(|_| Fault::new(Dependency::Table, "redeem", "request not built"))?;
        let token = format!("redeem-{}", request.as_str());
        match self.transact(&token, actions).await? {
            Written::Committed => Ok(true),
            Written::Cancelled(reasons) => {
                let user = reasons.first().filter(|reason| condition_failed(reason));
                lost(user.and_then(|reason| reason.item()), challenge).map(|()| false)
            }
        }
    }

    fn log_in(
        &self,
        challenge: &Challenge,
        account: &Account,
        request: &RequestId,
        now: UnixTime,
    ) -> Result<TransactWriteItem, BuildError> {
        // Never before the challenge, should the issuer's clock be ahead of ours.
        let at = now.max(challenge.issued_at);
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::user_key(&challenge.destination)))
            .expression_attribute_values(":user", item::text(account.user_id().as_str()))
            .expression_attribute_values(":at", item::millis(at))
            .expression_attribute_values(":request", item::text(request.as_str()))
            .expression_attribute_values(":issued_at", item::millis(challenge.issued_at))
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let update = match account {
            Account::New(_) => update
                .update_expression(
                    "SET user_id = :user, created_at = :at, last_login_at = :at, \
                     last_login_by = :request REMOVE expires_at_seconds",
                )
                // A removed user leaves their last login behind.
                .condition_expression(
                    "attribute_not_exists(user_id) \
                     AND (attribute_not_exists(last_login_at) OR last_login_at < :issued_at)",
                ),
            Account::Known(_) => update
                .update_expression("SET last_login_at = :at, last_login_by = :request")
                .condition_expression(
                    "user_id = :user AND attribute_not_exists(disabled_at) \
                     AND (attribute_not_exists(last_login_at) OR last_login_at < :issued_at)",
                ),
        };
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    fn start_family(&self, family: &Family) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item::from_family(family)))
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// Tells a challenge that lost from a user that is not any more the one the
/// token was minted for.
fn lost(user: Option<&Item>, challenge: &Challenge) -> Result<(), Fault> {
    let last_login = user.and_then(|user| item::time(user, "last_login_at").ok());
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
