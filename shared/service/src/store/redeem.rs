use aws_sdk_dynamodb::{
    error::BuildError,
    types::{Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update},
};

use super::{
    AttemptedChallenge, Item, Store,
    guard::record_conversion,
    item,
    transaction::{Written, condition_failed},
};
use crate::fault::{Dependency, Fault};
use otp_domain::{Challenge, OperationId, ResolvedUser, Session, UnixTime, User};

/// The user has not logged in since the challenge was issued.
const UNUSED: &str = "(attribute_not_exists(last_login_at) OR last_login_at < :issued_at)";

/// The outcome of a redemption.
pub enum Redemption {
    /// The session has started.
    Won,
    /// The user has logged in since the challenge was issued. Holds the user as it
    /// is now, or `None` if it was removed.
    Lost(Option<User>),
}

impl Store {
    /// Records the login of the destination's user, starts the session, and takes
    /// the message off its conversion guard, in one transaction with one winner.
    ///
    /// The condition is that the user has not logged in since the challenge was
    /// issued. The write therefore uses this challenge and voids every earlier
    /// one of the destination.
    ///
    /// # Errors
    ///
    /// The table is unavailable, or the user changed since it was read.
    pub async fn redeem(
        &self,
        attempted: &AttemptedChallenge,
        user: &ResolvedUser,
        session: &Session,
        operation: &OperationId,
        now: UnixTime,
    ) -> Result<Redemption, Fault> {
        let challenge = &attempted.challenge;
        let guard = attempted.conversion_counter.clone();
        let actions = [
            self.log_in(challenge, user, operation, now),
            self.start_session(session),
        ];
        let actions = actions
            .into_iter()
            .chain(guard.map(|key| record_conversion(key, &self.table, now)))
            .collect::<Result<_, _>>();
        let actions =
            actions.map_err(|_| Fault::new(Dependency::Table, "redeem", "request not built"))?;
        let token = format!("redeem-{}", operation.as_str());
        match self.transact(&token, actions).await? {
            Written::Committed => Ok(Redemption::Won),
            Written::Cancelled(reasons) => {
                let user = reasons.first().filter(|reason| condition_failed(reason));
                lost(user.and_then(|reason| reason.item()), challenge)
            }
        }
    }

    fn log_in(
        &self,
        challenge: &Challenge,
        user: &ResolvedUser,
        operation: &OperationId,
        now: UnixTime,
    ) -> Result<TransactWriteItem, BuildError> {
        // A login is never earlier than its challenge, even if the clock of the
        // issuing instance is ahead.
        let at = now.max(challenge.issued_at);
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::user_key(&challenge.destination)))
            .expression_attribute_values(":user", item::text(user.id().as_str()))
            .expression_attribute_values(":at", item::millis(at))
            .expression_attribute_values(":request", item::text(operation.as_str()))
            .expression_attribute_values(":issued_at", item::millis(challenge.issued_at))
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let update = match user {
            ResolvedUser::New(_) => update
                .update_expression(
                    "SET user_id = :user, created_at = :at, last_login_at = :at, \
                     last_login_by = :request REMOVE expires_at_seconds",
                )
                // The tombstone of a removed user has a last login.
                .condition_expression(format!("attribute_not_exists(user_id) AND {UNUSED}")),
            ResolvedUser::Existing(_) => update
                .update_expression("SET last_login_at = :at, last_login_by = :request")
                .condition_expression(format!(
                    "user_id = :user AND attribute_not_exists(disabled_at) AND {UNUSED}"
                )),
        };
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    fn start_session(&self, session: &Session) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item::from_session(session)))
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// Distinguishes a lost race from a user who changed since the token was minted.
fn lost(user: Option<&Item>, challenge: &Challenge) -> Result<Redemption, Fault> {
    let last_login = user.and_then(|user| item::time(user, "last_login_at").ok());
    if last_login.is_some_and(|at| at >= challenge.issued_at) {
        let user = user.filter(|item| item::is_user(item));
        Ok(Redemption::Lost(user.map(item::user).transpose()?))
    } else {
        let cause = "the user changed meanwhile";
        Err(Fault::new(Dependency::Table, "redeem", cause))
    }
}
