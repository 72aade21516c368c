use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        CancellationReason, Put, ReturnValuesOnConditionCheckFailure as OnFailure,
        TransactWriteItem, Update,
    },
};
use otp_domain::{Challenge, IdempotencyKey, Limit, LimitKind, Refusal};
use rand::CryptoRng;
use tokio::time::timeout;

use super::{
    ReplayedLogin, Store,
    counter::Counter,
    item,
    transaction::{BUDGET, Written, condition_failed},
};
use crate::{
    Error,
    fault::{Dependency, Fault},
};

/// After this long, a login that is not completed never will be: the function
/// has timed out (`Timeout` in template.yaml).
const ABANDONED_AFTER: Duration = Duration::from_secs(25);

/// The rules that a login must pass.
pub struct AdmissionRules {
    /// Every limit that counts it.
    pub limits: Vec<Limit>,
    /// The least time since the last login of the same destination.
    pub cooldown: Duration,
    /// The client's idempotency key, if it sent one.
    pub key: Option<IdempotencyKey>,
}

/// An admitted login, and what withdrawing it needs.
pub struct Admission<'a> {
    pub(super) challenge: &'a Challenge,
    pub(super) counters: Vec<Counter<'a>>,
    pub(super) rules: &'a AdmissionRules,
}

/// A login that is not refused.
pub enum Admitted<'a> {
    /// It is new: send its code.
    New(Admission<'a>),
    /// The client retried it: its code was sent before.
    Replayed(ReplayedLogin),
}

/// What the reasons of a cancelled admission mean.
enum Cancelled {
    Refused(Refusal),
    Replayed(ReplayedLogin),
    /// Only some shards of a counter were full: try the next.
    TryNextShard,
}

impl Store {
    /// Stores a fresh challenge and counts it against every limit, in one
    /// transaction.
    ///
    /// # Errors
    ///
    /// Refused if a limit is reached; of several limits, the one that lasts
    /// longest is named. A fault if the table is broken.
    pub async fn admit<'a>(
        &self,
        challenge: &'a Challenge,
        rules: &'a AdmissionRules,
        rng: &mut impl CryptoRng,
    ) -> Result<Admitted<'a>, Error> {
        let at = challenge.issued_at;
        let counters = rules.limits.iter().map(|limit| Counter::of(limit, at, rng));
        let mut admission = Admission {
            challenge,
            counters: counters.collect(),
            rules,
        };
        let replayed = timeout(BUDGET, self.try_shards(&mut admission)).await;
        let replayed = replayed
            .unwrap_or_else(|_| Err(Fault::new(Dependency::Table, "admit", "timeout").into()))?;
        Ok(match replayed {
            None => Admitted::New(admission),
            Some(earlier) => Admitted::Replayed(earlier),
        })
    }

    /// Tries shard after shard until the admission is written (`None`) or
    /// decided otherwise.
    async fn try_shards(
        &self,
        admission: &mut Admission<'_>,
    ) -> Result<Option<ReplayedLogin>, Error> {
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
                Cancelled::Refused(refusal) => return Err(refusal.into()),
                Cancelled::Replayed(earlier) => return Ok(Some(earlier)),
                Cancelled::TryNextShard => attempt += 1,
            }
        }
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
        if let Some(key) = &self.rules.key {
            actions.push(self.put_request(key, table)?);
        }
        for counter in &self.counters {
            actions.push(counter.count(table)?);
        }
        if !self.rules.cooldown.is_zero() {
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
                 OR (attribute_not_exists(seen_through) AND issued_at <= :abandoned)",
            )
            .expression_attribute_values(":now", item::millis(now))
            .expression_attribute_values(":abandoned", item::millis(now.minus(ABANDONED_AFTER)))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn put_challenge(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let guard = self
            .counters
            .iter()
            .find(|counter| counter.limit.is_conversion_guard());
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item::from_challenge(
                self.challenge,
                guard.map(Counter::key),
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
            .expression_attribute_values(":before", item::millis(now.minus(self.rules.cooldown)))
            .expression_attribute_values(":sweep", item::sweep_after(now.plus(self.rules.cooldown)))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Of several refusals, returns the one that lasts longest. A retried
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
        if let Some(request) = self.rules.key.as_ref().and_then(|_| next()) {
            return replayed(request).map(Cancelled::Replayed);
        }
        let mut longest: Option<(Duration, &'static str, LimitKind)> = None;
        let mut shards_left = false;
        for counter in &mut self.counters {
            if next().is_none() {
                continue;
            }
            if counter.try_next_shard() {
                shards_left = true;
            } else {
                let wait = now.until(counter.limit.window_end(now));
                let limit = &counter.limit;
                longest = longest.max(Some((wait, limit.name, limit.kind())));
            }
        }
        if let Some(cooldown) = next() {
            let item = cooldown.item();
            let sent_at = item.map_or(Ok(now), |item| item::time(item, "sent_at"))?;
            let wait = now.until(sent_at.plus(self.rules.cooldown));
            longest = longest.max(Some((wait, "cooldown", LimitKind::Cooldown)));
        }
        // Until every shard was tried, it is unknown what lasts longest.
        Ok(match longest {
            Some((wait, limit, kind)) if !shards_left => {
                Cancelled::Refused(Refusal::TooManyRequests { limit, kind, wait })
            }
            _ => Cancelled::TryNextShard,
        })
    }
}

fn replayed(request: &CancellationReason) -> Result<ReplayedLogin, Fault> {
    let missing = || Fault::new(Dependency::Table, "admit", "no earlier request returned");
    item::replayed_login(request.item().ok_or_else(missing)?)
}
