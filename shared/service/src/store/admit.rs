use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        CancellationReason, Put, ReturnValuesOnConditionCheckFailure as OnFailure,
        TransactWriteItem,
    },
};
use otp_domain::{Challenge, ConversionGuard, FullLimit, IdempotencyKey, Limit};
use rand::CryptoRng;
use tokio::time::timeout;

use super::{
    ReplayedLogin, Store, item,
    tally::Tally,
    transaction::{BUDGET, Written, condition_failed},
};
use crate::{
    Error,
    fault::{Dependency, Fault},
};

/// The rules that a login must pass.
pub struct AdmissionRules {
    /// Every limit that counts it.
    pub limits: Vec<Limit>,
    /// The conversion guard that counts its message, unless it is off.
    pub guard: Option<ConversionGuard>,
    /// The least time since the last login of the same destination.
    pub cooldown: Duration,
    /// The client's idempotency key, if it sent one.
    pub key: Option<IdempotencyKey>,
}

/// An admitted login, and what withdrawing it needs.
pub struct Admission<'a> {
    pub(super) challenge: &'a Challenge,
    pub(super) tallies: Vec<Tally<'a>>,
    pub(super) rules: &'a AdmissionRules,
}

/// A login that is not refused.
pub enum Admitted<'a> {
    /// It is new: send its code.
    New(Admission<'a>),
    /// The client retried it: its code was sent before.
    Replayed(ReplayedLogin),
}

/// Why a login is not admitted.
enum NotAdmitted {
    /// These limits refuse it.
    Refused(Vec<FullLimit>),
    /// It is the repeat of an earlier request.
    Replayed(ReplayedLogin),
}

/// What the reasons of a cancelled admission mean.
enum Cancelled {
    /// It is the repeat of an earlier request.
    Replayed(ReplayedLogin),
    /// Counters are full, and these limits refuse whatever counter is tried.
    Full(Vec<FullLimit>),
}

impl Store {
    /// Stores a fresh challenge and counts it against every limit, in one
    /// transaction.
    ///
    /// # Errors
    ///
    /// Refused if a limit is reached; of several limits, the one that lasts
    /// longest is named, and of limits that are known to refuse, one that lasts
    /// longest of those. A fault if the table is broken.
    pub async fn admit<'a>(
        &self,
        challenge: &'a Challenge,
        rules: &'a AdmissionRules,
        rng: &mut impl CryptoRng,
    ) -> Result<Admitted<'a>, Error> {
        let at = challenge.issued_at;
        let mut admission = Admission {
            challenge,
            tallies: Tally::of_login(challenge, rules, rng),
            rules,
        };
        let decided = timeout(BUDGET, self.decide(&mut admission)).await;
        let not_admitted =
            decided.unwrap_or_else(|_| Err(Fault::new(Dependency::Table, "admit", "timeout")))?;
        match not_admitted {
            None => Ok(Admitted::New(admission)),
            Some(NotAdmitted::Replayed(earlier)) => {
                self.count_request(rules, at).await;
                Ok(Admitted::Replayed(earlier))
            }
            Some(NotAdmitted::Refused(limits)) => {
                let refusal = self.refuse(limits, rules, at).await;
                Err(refusal.map_or_else(
                    || Fault::new(Dependency::Table, "admit", "refused without a limit").into(),
                    Error::from,
                ))
            }
        }
    }

    /// Decides by memory if a limit is known to refuse, otherwise by the table.
    /// `None` if the login is admitted.
    async fn decide(&self, admission: &mut Admission<'_>) -> Result<Option<NotAdmitted>, Fault> {
        let (challenge, rules) = (admission.challenge, admission.rules);
        let known = self.known_to_refuse(challenge, rules).await?;
        if known.is_empty() {
            return self.try_shards(admission).await;
        }
        let earlier = self.find_replay(challenge, rules).await?;
        Ok(Some(earlier.map_or(
            NotAdmitted::Refused(known),
            NotAdmitted::Replayed,
        )))
    }

    /// Tries until the admission is written (`None`) or decided otherwise. If a
    /// counter is full, it reads the others and tries those with room.
    async fn try_shards(
        &self,
        admission: &mut Admission<'_>,
    ) -> Result<Option<NotAdmitted>, Fault> {
        let mut attempt = 0;
        loop {
            let actions = admission
                .actions(&self.table)
                .map_err(|_| Fault::new(Dependency::Table, "admit", "request not built"))?;
            let token = format!("{}-{attempt}", admission.challenge.id.as_str());
            let Written::Cancelled(reasons) = self.transact(&token, actions).await? else {
                return Ok(None);
            };
            let mut refusing = match admission.cancelled(&reasons)? {
                Cancelled::Replayed(earlier) => return Ok(Some(NotAdmitted::Replayed(earlier))),
                Cancelled::Full(limits) => limits,
            };
            // Until every shard is known, it is unknown what lasts longest.
            self.read_counters(&mut admission.tallies).await?;
            refusing.extend(admission.tallies.iter_mut().flat_map(Tally::move_on));
            if !refusing.is_empty() {
                return Ok(Some(NotAdmitted::Refused(refusing)));
            }
            attempt += 1;
        }
    }

    /// Reads the other counters of each tally whose counter is full.
    async fn read_counters(&self, tallies: &mut [Tally<'_>]) -> Result<(), Fault> {
        let unread: Vec<_> = tallies.iter().map(Tally::unread).collect();
        let keys = unread.iter().flatten().map(|(_, key)| key.clone());
        let mut items = self.get_all(keys.collect()).await?.into_iter();
        for (tally, unread) in tallies.iter_mut().zip(&unread) {
            for ((shard, _), item) in unread.iter().zip(items.by_ref()) {
                tally.learn(*shard, &item)?;
            }
        }
        Ok(())
    }
}

impl Admission<'_> {
    /// The challenge that was admitted.
    #[must_use]
    pub const fn challenge(&self) -> &Challenge {
        self.challenge
    }

    /// The client's request, each tally, and the neighbouring day, in the order in
    /// which [`cancelled`](Self::cancelled) reads their reasons.
    fn actions(&self, table: &str) -> Result<Vec<TransactWriteItem>, BuildError> {
        let mut actions = Vec::new();
        if let Some(key) = &self.rules.key {
            actions.push(self.put_request(key, table)?);
        }
        let conversion_counter = self.tallies.iter().find_map(Tally::conversion_counter);
        for tally in &self.tallies {
            actions.push(tally.count(conversion_counter.clone(), table)?);
        }
        for check in self
            .tallies
            .iter()
            .filter_map(|it| it.check_neighbour(table))
        {
            actions.push(check?);
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
            .expression_attribute_values(":abandoned", item::abandoned_before(now))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Learns which counters are full. A retried request is recognised first,
    /// whatever limits it would meet now.
    fn cancelled(&mut self, reasons: &[CancellationReason]) -> Result<Cancelled, Fault> {
        let mut reasons = reasons
            .iter()
            .map(|reason| condition_failed(reason).then_some(reason));
        let mut next = || reasons.next().flatten();
        if let Some(request) = self.rules.key.as_ref().and_then(|_| next()) {
            return Ok(Cancelled::Replayed(replayed(request)?));
        }
        for tally in &mut self.tallies {
            if let Some(reason) = next() {
                tally.refused(reason.item())?;
            }
        }
        let mut refusing = Vec::new();
        for tally in self.tallies.iter().filter(|it| it.has_neighbour()) {
            if let Some(reason) = next() {
                refusing.extend(tally.refused_by_neighbour(reason.item())?);
            }
        }
        Ok(Cancelled::Full(refusing))
    }
}

fn replayed(request: &CancellationReason) -> Result<ReplayedLogin, Fault> {
    let missing = || Fault::new(Dependency::Table, "admit", "no earlier request returned");
    item::replayed_login(request.item().ok_or_else(missing)?)
}
