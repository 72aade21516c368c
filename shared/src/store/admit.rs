use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        CancellationReason, Put, ReturnValuesOnConditionCheckFailure as OnFailure,
        TransactWriteItem, Update,
    },
};

use super::{
    Store, item,
    transaction::{Written, condition_failed},
};
use crate::{
    domain::{Challenge, Limit, Policy, Refusal, UnixTime},
    fault::{Dependency, Fault},
};

impl Store {
    /// Stores a fresh challenge and counts its send against every limit of its
    /// destination, or does neither.
    ///
    /// # Errors
    ///
    /// The table cannot be reached. A refusal comes as `Ok(Err(..))` and says
    /// when the last of the limits that refused will not any more.
    pub async fn admit(
        &self,
        challenge: &Challenge,
        policy: &Policy,
    ) -> Result<Result<(), Refusal>, Fault> {
        let limits = policy.send_limits();
        let actions = self
            .admission(challenge, &limits, policy.cooldown)
            .map_err(|_| Fault::new(Dependency::Table, "admit", "request not built"))?;
        match self.transact(challenge.id.as_str(), actions).await? {
            Written::Committed => Ok(Ok(())),
            Written::Cancelled(reasons) => {
                let wait = wait(&reasons, &limits, policy.cooldown, challenge.issued_at)?;
                Ok(Err(Refusal::TooManyRequests(wait)))
            }
        }
    }

    /// The challenge, one action for each limit, and the cooldown, in the order
    /// in which [`wait`] reads their reasons.
    fn admission(
        &self,
        challenge: &Challenge,
        limits: &[Limit],
        cooldown: Duration,
    ) -> Result<Vec<TransactWriteItem>, BuildError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item::from_challenge(challenge)))
            .condition_expression("attribute_not_exists(pk)")
            .build()?;
        let mut actions = vec![TransactWriteItem::builder().put(put).build()];
        for limit in limits {
            let update = self.count_send(challenge, limit)?;
            actions.push(TransactWriteItem::builder().update(update).build());
        }
        if !cooldown.is_zero() {
            let update = self.start_cooldown(challenge, cooldown)?;
            actions.push(TransactWriteItem::builder().update(update).build());
        }
        Ok(actions)
    }

    fn count_send(&self, challenge: &Challenge, limit: &Limit) -> Result<Update, BuildError> {
        let at = challenge.issued_at;
        Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::sends_key(&challenge.destination, limit, at)))
            .update_expression("SET expires_at_seconds = :sweep ADD sends :one")
            .condition_expression("attribute_not_exists(sends) OR sends < :max")
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":max", item::number(limit.max))
            .expression_attribute_values(":sweep", item::sweep_after(limit.window_end(at)))
            .build()
    }

    fn start_cooldown(
        &self,
        challenge: &Challenge,
        cooldown: Duration,
    ) -> Result<Update, BuildError> {
        let now = challenge.issued_at;
        Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::cooldown_key(&challenge.destination)))
            .update_expression(
                "SET sent_at = :now, challenge_id = :id, expires_at_seconds = :sweep",
            )
            .condition_expression("attribute_not_exists(sent_at) OR sent_at <= :before")
            .expression_attribute_values(":now", item::millis(now))
            .expression_attribute_values(":id", item::text(challenge.id.as_str()))
            .expression_attribute_values(":before", item::millis(now.minus(cooldown)))
            .expression_attribute_values(":sweep", item::sweep_after(now.plus(cooldown)))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
    }
}

/// How long until every limit that refused would admit: the longest of their
/// waits.
fn wait(
    reasons: &[CancellationReason],
    limits: &[Limit],
    cooldown: Duration,
    now: UnixTime,
) -> Result<Duration, Fault> {
    let refused = |n: usize| reasons.get(n).filter(|reason| condition_failed(reason));
    if refused(0).is_some() {
        return Err(Fault::new(
            Dependency::Table,
            "admit",
            "challenge id already taken",
        ));
    }
    let mut wait = Duration::ZERO;
    for (n, limit) in limits.iter().enumerate() {
        if refused(n + 1).is_some() {
            wait = wait.max(now.until(limit.window_end(now)));
        }
    }
    if let Some(item) = refused(limits.len() + 1).and_then(CancellationReason::item) {
        let next = item::time(item, "sent_at")?.plus(cooldown);
        wait = wait.max(now.until(next));
    }
    Ok(wait)
}
