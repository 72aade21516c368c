use std::sync::{MutexGuard, PoisonError};

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure},
};
use otp_domain::{
    Challenge, ChallengeId, Destination, DigestKeyId, FullLimit, Limit, OperationId, Refusal,
    UncountedLogins, UnixTime,
};

use super::{
    Item, Store,
    counter::{HAS_ROOM, full},
    item,
    transaction::until_settled,
};
use crate::{
    Error,
    fault::{Dependency, Fault},
    keys::HeldKeys,
};

const OPERATION: &str = "UpdateItem";

/// The update of a validation's count.
const COUNT_FOR: &str = "SET expires_at_seconds = :sweep, counted_for = :id ADD admitted :one";

/// The last count is not that of the same operation.
const NOT_COUNTED: &str = "(attribute_not_exists(counted_for) OR counted_for <> :id)";

/// The condition of an attempt. Our clock decides expiry here: the table's TTL may
/// delete the item days later.
const HAS_ATTEMPT: &str = "#challenge.sent_to = :to AND #challenge.expires_at > :now \
                           AND (attribute_not_exists(#spent) OR size(#spent) < :max \
                           OR contains(#spent, :id))";

/// A challenge with one spent attempt, which permits one comparison.
pub struct AttemptedChallenge {
    /// The challenge.
    pub challenge: Challenge,
    /// The key of the guard's counter that counts its message, if there is one.
    pub(super) conversion_counter: Option<Item>,
}

/// One attempt at a challenge.
pub struct Attempt<'a> {
    /// The destination that the client claims.
    pub destination: &'a Destination,
    /// The challenge.
    pub challenge: &'a ChallengeId,
    /// What spends the attempt. The same operation spends no second one.
    pub operation: &'a OperationId,
}

impl Store {
    /// Refuses a client that this instance knows to be over its limit.
    ///
    /// # Errors
    ///
    /// The limit refuses.
    pub fn refuse_known(&self, limit: &Limit, now: UnixTime) -> Result<(), Refusal> {
        let known = self.recent();
        let known = known.recall(&limit.scope, limit.name, now);
        FullLimit::longest(known, now).map_or(Ok(()), Err)
    }

    pub(super) fn uncounted(&self) -> MutexGuard<'_, UncountedLogins> {
        let lock = self.uncounted_logins.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the login of a client to the next count of the same client.
    pub fn leave_uncounted(&self, limit: &Limit, now: UnixTime) {
        self.uncounted().add(limit, 1, now);
    }

    /// Counts a validation against its client's limit, and with it the logins that
    /// were left uncounted. A limit that has no room left is remembered.
    ///
    /// A retried write finds its operation in the item. If another validation of the
    /// client was counted in between, it counts twice, which admits fewer and not
    /// more.
    ///
    /// # Errors
    ///
    /// Refused if the limit refuses. A fault if the table is unavailable.
    pub async fn count_validation(
        &self,
        limit: &Limit,
        operation: &OperationId,
        now: UnixTime,
    ) -> Result<(), Error> {
        let waiting = self.uncounted().take(limit, now);
        let riding = waiting.min(limit.max.saturating_sub(1));
        let attempt = || async {
            let counted = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(item::counter_key(limit, 0, now)))
                .update_expression(COUNT_FOR)
                .condition_expression(format!("{HAS_ROOM} AND {NOT_COUNTED}"))
                .expression_attribute_values(":one", item::number(1 + riding))
                .expression_attribute_values(":max", item::number(limit.max - riding))
                .expression_attribute_values(":id", item::text(operation.as_str()))
                .expression_attribute_values(":sweep", item::sweep_after(limit.window_end(now)))
                .return_values(ReturnValue::UpdatedNew)
                .return_values_on_condition_check_failure(OnFailure::AllOld)
                .send()
                .await;
            let error = match counted {
                Ok(output) => return Ok((true, output.attributes)),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let item = failed.item().cloned();
                    let is_counted = item
                        .as_ref()
                        .is_some_and(|item| item::is_counted_for(item, operation));
                    Ok((is_counted, item))
                }
                _ => Err(Fault::from_sdk(Dependency::Table, OPERATION, &error)),
            }
        };
        let counted = until_settled(OPERATION, attempt).await;
        let (is_counted, item) = counted.inspect_err(|_| {
            self.uncounted().add(limit, waiting, now);
        })?;
        let count = item::count(&item.unwrap_or_default(), "admitted")?;
        let full = full(limit, now);
        if !is_counted || count >= i64::from(limit.max) {
            self.recent().remember(full.clone(), now);
        }
        let refusal = FullLimit::longest([&full], now).filter(|_| !is_counted);
        refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    /// Spends one attempt of the challenge for this operation, before any
    /// comparison. Of all operations, at most `max_attempts` get the challenge. An
    /// operation that has spent its attempt gets the challenge again.
    ///
    /// A redeemed challenge may still be returned; redeeming it again fails.
    ///
    /// # Errors
    ///
    /// Refused if the challenge was never issued, is expired, or has no attempts
    /// left. A fault if the table is unreachable; the attempt may still be spent.
    pub async fn spend_attempt(
        &self,
        attempt: &Attempt<'_>,
        max_attempts: u8,
        keys: &HeldKeys<'_>,
        now: UnixTime,
    ) -> Result<AttemptedChallenge, Error> {
        let mut found = None;
        for day in Challenge::days(now) {
            let only = keys.missing.as_ref().map(|_| keys.current.id());
            let spend = || self.spend_on(day, attempt, max_attempts, only, now);
            match until_settled(OPERATION, spend).await? {
                Ok(sends) => {
                    let challenge = item::challenge(&sends, attempt.challenge)?;
                    let no_item = || Fault::new(Dependency::Table, OPERATION, "no item");
                    return Ok(AttemptedChallenge {
                        challenge: challenge.ok_or_else(no_item)?,
                        conversion_counter: item::conversion_counter(&sends, attempt.challenge),
                    });
                }
                Err(stands) => found = item::challenge(&stands, attempt.challenge)?,
            }
            if found.is_some() {
                break;
            }
        }
        let found = found.filter(|it| it.destination == *attempt.destination);
        Err(refused(found.as_ref(), keys, now))
    }

    /// Spends an attempt of a challenge that was issued on this day. Returns the item of
    /// the day, or as `Err` what stands there if no attempt was spent.
    async fn spend_on(
        &self,
        day: UnixTime,
        attempt: &Attempt<'_>,
        max_attempts: u8,
        only: Option<&DigestKeyId>,
        now: UnixTime,
    ) -> Result<Result<Item, Item>, Fault> {
        let to = attempt.destination;
        let spent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::sends_key(to, day)))
            .update_expression("ADD #spent :operation")
            .condition_expression(match only {
                Some(_) => format!("{HAS_ATTEMPT} AND #challenge.key_id = :key"),
                None => HAS_ATTEMPT.to_owned(),
            })
            .set_expression_attribute_values(
                only.map(|key| [(":key".to_owned(), item::text(key.as_str()))].into()),
            )
            .expression_attribute_names("#challenge", item::challenge_name(attempt.challenge))
            .expression_attribute_names("#spent", item::spent_name(attempt.challenge))
            .expression_attribute_values(":to", item::partition(to))
            .expression_attribute_values(":operation", item::only(attempt.operation))
            .expression_attribute_values(":id", item::text(attempt.operation.as_str()))
            .expression_attribute_values(":now", item::millis(now))
            .expression_attribute_values(":max", item::number(max_attempts))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send()
            .await;
        let error = match spent {
            Ok(output) => return Ok(Ok(output.attributes.unwrap_or_default())),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Err(failed.item().cloned().unwrap_or_default()))
            }
            _ => Err(Fault::from_sdk(Dependency::Table, OPERATION, &error)),
        }
    }
}

/// Why no attempt was spent: a refusal, or a fault if the challenge may be good and
/// its key is out of reach. Only the log gets the reason.
fn refused(challenge: Option<&Challenge>, keys: &HeldKeys<'_>, now: UnixTime) -> Error {
    let is_live = challenge.is_some_and(|it| now < it.expires_at);
    let is_under_current = challenge.is_some_and(|it| it.key_id == *keys.current.id());
    if let Some(missing) = keys
        .missing
        .as_ref()
        .filter(|_| is_live && !is_under_current)
    {
        return missing.clone().into();
    }
    Refusal::InvalidOtp(match challenge {
        None => "unknown challenge",
        Some(_) if is_live => "no attempts left",
        Some(_) => "expired challenge",
    })
    .into()
}
