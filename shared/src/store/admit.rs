use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure as OnFailure,
        TransactWriteItem, Update,
    },
};
use rand::CryptoRng;
use tokio::time::timeout;

use super::{
    Store,
    counter::Counter,
    item,
    transaction::{BUDGET, Written, condition_failed},
};
use crate::{
    domain::{Challenge, ChallengeId, IdempotencyKey, Limit, Refusal, RequestId, UnixTime},
    fault::{Dependency, Fault},
};

/// After this long a request that was not seen through never will be: the
/// function's time is up (`Timeout` in template.yaml).
const GIVEN_UP: Duration = Duration::from_secs(25);

/// What a send must fit into.
pub struct Terms {
    /// Every limit.
    pub limits: Vec<Limit>,
    /// Least time since the last send to the same destination.
    pub cooldown: Duration,
    /// The client's name for the request, if it gave one.
    pub key: Option<IdempotencyKey>,
}

/// A send that was admitted, and what it would take to undo that.
pub struct Admission<'a> {
    pub(super) challenge: &'a Challenge,
    pub(super) counters: Vec<Counter<'a>>,
    pub(super) terms: &'a Terms,
}

/// The challenge that the same request led to before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its name.
    pub challenge_id: ChallengeId,
    /// When its code was drawn.
    pub issued_at: UnixTime,
    /// When its code ends.
    pub expires_at: UnixTime,
}

/// What becomes of a login that is not refused.
pub enum Admitted<'a> {
    /// It is a new one.
    Now(Admission<'a>),
    /// It is a repeated one, and was admitted before.
    Before(Earlier),
}

/// What the reasons of a cancelled admission amount to.
enum Cancelled {
    Refused(Refusal),
    Repeated(Earlier),
    /// Only counters were full that have others beside them: those are to be
    /// asked next.
    TryNext,
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
        terms: &'a Terms,
        rng: &mut impl CryptoRng,
    ) -> Result<Result<Admitted<'a>, Refusal>, Fault> {
        let at = challenge.issued_at;
        let counters = terms.limits.iter().map(|limit| Counter::of(limit, at, rng));
        let mut admission = Admission {
            challenge,
            counters: counters.collect(),
            terms,
        };
        let settled = timeout(BUDGET, self.settle(&mut admission)).await;
        let settled =
            settled.unwrap_or_else(|_| Err(Fault::new(Dependency::Table, "admit", "timeout")))?;
        Ok(match settled {
            None => Ok(Admitted::Now(admission)),
            Some(Ok(earlier)) => Ok(Admitted::Before(earlier)),
            Some(Err(refusal)) => Err(refusal),
        })
    }

    /// Asks counter after counter until the admission stands (`None`) or it is
    /// known why it does not.
    async fn settle(
        &self,
        admission: &mut Admission<'_>,
    ) -> Result<Option<Result<Earlier, Refusal>>, Fault> {
        let mut attempt = 0;
        loop {
            let actions = admission
                .actions(&self.table)
                .map_err(|_| Fault::new(Dependency::Table, "admit", "request not built"))?;
            let token = format!("{}-{attempt}", admission.challenge.id.as_str());
            let Written::Cancelled(reasons) = self.transact(&token, actions).await? else {
                return Ok(None);
            };
            match admission.cancelled(&reasons)? {
                Cancelled::Refused(refusal) => return Ok(Some(Err(refusal))),
                Cancelled::Repeated(earlier) => return Ok(Some(Ok(earlier))),
                Cancelled::TryNext => attempt += 1,
            }
        }
    }

    /// Remembers that the client's request has been seen through, so that a
    /// repeated one gets its answer again. One that has not been, because we
    /// died or lost the table on the way, is forgotten after a while.
    ///
    /// # Errors
    ///
    /// The table cannot be reached: a late repeat will be a new request.
    pub async fn remember(&self, admission: &Admission<'_>) -> Result<(), Fault> {
        let Some(key) = &admission.terms.key else {
            return Ok(());
        };
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::request_key(key)))
            .update_expression("SET seen_through = :yes")
            .condition_expression("challenge_id = :id")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":id", item::text(admission.challenge.id.as_str()))
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Table, "UpdateItem", &error))?;
        Ok(())
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

    /// The challenge, the client's request, each counter, and the cooldown, in
    /// the order in which [`cancelled`](Self::cancelled) reads their reasons.
    fn actions(&self, table: &str) -> Result<Vec<TransactWriteItem>, BuildError> {
        let mut actions = vec![self.put_challenge(table)?];
        if let Some(key) = &self.terms.key {
            actions.push(self.put_request(key, table)?);
        }
        for counter in &self.counters {
            actions.push(counter.count(table)?);
        }
        if !self.terms.cooldown.is_zero() {
            actions.push(self.start_cooldown(table)?);
        }
        Ok(actions)
    }

    fn put_request(
        &self,
        key: &IdempotencyKey,
        table: &str,
    ) -> Result<TransactWriteItem, BuildError> {
        let now = self.challenge.issued_at;
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item::from_request(key, self.challenge)))
            .condition_expression(
                "attribute_not_exists(pk) OR expires_at <= :now \
                 OR (attribute_not_exists(seen_through) AND issued_at <= :given_up)",
            )
            .expression_attribute_values(":now", item::millis(now))
            .expression_attribute_values(":given_up", item::millis(now.minus(GIVEN_UP)))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
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
            .expression_attribute_values(":before", item::millis(now.minus(self.terms.cooldown)))
            .expression_attribute_values(":sweep", item::sweep_after(now.plus(self.terms.cooldown)))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Of several refusals, the one that lasts longest is told. But a repeated
    /// request is recognised first, whatever limits it would meet now.
    fn cancelled(&mut self, reasons: &[CancellationReason]) -> Result<Cancelled, Fault> {
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
        if let Some(request) = self.terms.key.as_ref().and_then(|_| next()) {
            return self.repeated(request);
        }
        let mut longest: Option<(Duration, &'static str)> = None;
        let mut others_left = false;
        for counter in &mut self.counters {
            if next().is_none() {
                continue;
            }
            if counter.try_next() {
                others_left = true;
            } else {
                let wait = now.until(counter.limit.window_end(now));
                longest = longest.max(Some((wait, counter.limit.name)));
            }
        }
        if let Some(cooldown) = next() {
            let item = cooldown.item();
            let sent_at = item.map_or(Ok(now), |item| item::time(item, "sent_at"))?;
            let wait = now.until(sent_at.plus(self.terms.cooldown));
            longest = longest.max(Some((wait, "cooldown")));
        }
        // Only when no counter is left to ask is it known what lasts longest.
        Ok(match longest {
            Some((wait, limit)) if !others_left => {
                Cancelled::Refused(Refusal::TooManyRequests { limit, wait })
            }
            _ => Cancelled::TryNext,
        })
    }

    fn repeated(&self, request: &CancellationReason) -> Result<Cancelled, Fault> {
        let missing = || Fault::new(Dependency::Table, "admit", "no earlier request told");
        let item = request.item().ok_or_else(missing)?;
        let earlier = item::earlier(item, &self.challenge.destination)?;
        Ok(earlier.map_or(
            Cancelled::Refused(Refusal::IdempotencyKeyReused),
            Cancelled::Repeated,
        ))
    }
}
