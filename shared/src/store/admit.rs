use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        CancellationReason, Put, ReturnValuesOnConditionCheckFailure as OnFailure,
        TransactWriteItem, Update,
    },
};
use rand::CryptoRng;

use super::{
    Store,
    counter::Counter,
    item,
    transaction::{Written, condition_failed},
};
use crate::{
    domain::{Challenge, Limit, Refusal, RequestId, UnixTime},
    fault::{Dependency, Fault},
};

/// A send that was admitted, and what it would take to undo that.
pub struct Admission<'a> {
    pub(super) challenge: &'a Challenge,
    pub(super) counters: Vec<Counter<'a>>,
    pub(super) cooldown: Duration,
}

impl Store {
    /// Stores a fresh challenge and counts its send against every limit, or does
    /// neither.
    ///
    /// # Errors
    ///
    /// The table cannot be reached. A refusal comes as `Ok(Err(..))` and says
    /// when the last of the limits that refused will not any more.
    pub async fn admit<'a>(
        &self,
        challenge: &'a Challenge,
        limits: &'a [Limit],
        cooldown: Duration,
        rng: &mut impl CryptoRng,
    ) -> Result<Result<Admission<'a>, Refusal>, Fault> {
        let at = challenge.issued_at;
        let counters = limits
            .iter()
            .map(|limit| Counter::of(limit, at, rng))
            .collect();
        let mut admission = Admission {
            challenge,
            counters,
            cooldown,
        };
        for attempt in 0.. {
            let actions = admission
                .actions(&self.table)
                .map_err(|_| Fault::new(Dependency::Table, "admit", "request not built"))?;
            let token = format!("{}-{attempt}", challenge.id.as_str());
            let Written::Cancelled(reasons) = self.transact(&token, actions).await? else {
                break;
            };
            if let Some(refusal) = admission.refusal(&reasons)? {
                return Ok(Err(refusal));
            }
        }
        Ok(Ok(admission))
    }
}

impl Store {
    /// Counts a validation against its client's limit.
    ///
    /// # Errors
    ///
    /// As those of [`admit`](Self::admit).
    pub async fn admit_validation(
        &self,
        limit: &Limit,
        request: &RequestId,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Result<(), Refusal>, Fault> {
        let count = Counter::of(limit, now, rng)
            .count(&self.table)
            .map_err(|_| Fault::new(Dependency::Table, "admit", "request not built"))?;
        // A transaction of one, for its token: a plain update would count a
        // repeated write twice.
        let token = format!("validation-{}", request.as_str());
        Ok(match self.transact(&token, vec![count]).await? {
            Written::Committed => Ok(()),
            Written::Cancelled(_) => Err(Refusal::TooManyRequests {
                limit: limit.name,
                wait: now.until(limit.window_end(now)),
            }),
        })
    }
}

impl Admission<'_> {
    /// The challenge that was admitted.
    #[must_use]
    pub const fn challenge(&self) -> &Challenge {
        self.challenge
    }

    /// The challenge, each counter, and the cooldown, in the order in which
    /// [`refusal`](Self::refusal) reads their reasons.
    fn actions(&self, table: &str) -> Result<Vec<TransactWriteItem>, BuildError> {
        let mut actions = vec![self.put_challenge(table)?];
        for counter in &self.counters {
            actions.push(counter.count(table)?);
        }
        if !self.cooldown.is_zero() {
            actions.push(self.start_cooldown(table)?);
        }
        Ok(actions)
    }

    fn put_challenge(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let unproven = self
            .counters
            .iter()
            .find(|counter| counter.limit.is_conversion_guard());
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item::from_challenge(
                self.challenge,
                unproven.map(Counter::key),
            )))
            .condition_expression("attribute_not_exists(pk)")
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn start_cooldown(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let now = self.challenge.issued_at;
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(item::cooldown_key(&self.challenge.destination)))
            .update_expression(
                "SET sent_at = :now, challenge_id = :id, expires_at_seconds = :sweep",
            )
            .condition_expression("attribute_not_exists(sent_at) OR sent_at <= :before")
            .expression_attribute_values(":now", item::millis(now))
            .expression_attribute_values(":id", item::text(self.challenge.id.as_str()))
            .expression_attribute_values(":before", item::millis(now.minus(self.cooldown)))
            .expression_attribute_values(":sweep", item::sweep_after(now.plus(self.cooldown)))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The refusal that these reasons amount to: the one that lasts longest.
    /// `None` if only counters were full that have others beside them: those are
    /// to be asked next.
    fn refusal(&mut self, reasons: &[CancellationReason]) -> Result<Option<Refusal>, Fault> {
        let now = self.challenge.issued_at;
        let mut reasons = reasons
            .iter()
            .map(|reason| condition_failed(reason).then_some(reason));
        let mut next = || reasons.next().flatten();
        if next().is_some() {
            return Err(Fault::new(
                Dependency::Table,
                "admit",
                "challenge id already taken",
            ));
        }
        let mut longest: Option<(Duration, &'static str)> = None;
        for counter in &mut self.counters {
            if next().is_some() && !counter.try_next() {
                let wait = now.until(counter.limit.window_end(now));
                longest = longest.max(Some((wait, counter.limit.name)));
            }
        }
        if let Some(cooldown) = next() {
            let item = cooldown.item();
            let sent_at = item.map_or(Ok(now), |item| item::time(item, "sent_at"))?;
            let wait = now.until(sent_at.plus(self.cooldown));
            longest = longest.max(Some((wait, "cooldown")));
        }
        Ok(longest.map(|(wait, limit)| Refusal::TooManyRequests { limit, wait }))
    }
}
