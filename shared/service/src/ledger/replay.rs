//! Logins under an idempotency key: a repeat gets the answer of the first request.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        AttributeValue, Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use otp_domain::{Challenge, ChallengeId, Delivery, Destination, IdempotencyKey, UnixTime};
use tokio::time::{sleep, timeout};

use super::{AdmissionRules, Issue, Ledger, Send};
use crate::{
    fault::{Dependency, Fault},
    table::{
        Item, Table,
        attributes::{count, field, key, malformed, millis, number, sweep_after, text, time},
        until_settled,
    },
};

/// How long a repeated login waits for the first one, which may still be sending.
/// Providers usually accept a message sooner.
const WAIT: Duration = Duration::from_secs(3);

/// The pause before the first look. Each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// After this long, a login that is not completed never will be: the function
/// has timed out (`Timeout` in template.yaml).
const ABANDONED_AFTER: Duration = Duration::from_secs(25);

/// The challenge that the first request with the same idempotency key got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedLogin {
    /// The challenge's id.
    pub challenge_id: ChallengeId,
    /// The number of digits of its code.
    pub digits: u8,
    /// When it sent its code.
    pub issued_at: UnixTime,
    /// When its code expires.
    pub expires_at: UnixTime,
    /// What the first request learnt about the message, if it has ended.
    pub delivery: Option<Delivery>,
}

impl ReplayedLogin {
    pub(super) fn read(item: &Item) -> Result<Self, Fault> {
        let id = field(item, "challenge_id", AttributeValue::as_s)?;
        Ok(Self {
            challenge_id: ChallengeId::parse(id).ok_or_else(|| malformed("challenge_id"))?,
            digits: u8::try_from(count(item, "digits")?).map_err(|_| malformed("digits"))?,
            issued_at: time(item, "issued_at")?,
            expires_at: time(item, "expires_at")?,
            delivery: item.get("delivery").map(|value| match value.as_s() {
                Ok(word) if word == Delivery::Confirmed.as_str() => Delivery::Confirmed,
                _ => Delivery::Unconfirmed,
            }),
        })
    }
}

/// The key of the item for an idempotency key. Each destination has its own keys.
pub(super) fn request_key(destination: &Destination, idempotency: &IdempotencyKey) -> Item {
    let hash = URL_SAFE_NO_PAD.encode(idempotency.hash());
    key(destination, format!("request#{hash}"))
}

/// Keeps the challenge that an idempotency key leads to, on condition that no earlier
/// request under the key may still be answered.
pub(super) fn put_request(
    key: &IdempotencyKey,
    send: &Send<'_>,
    digits: u8,
    table: &Table,
) -> Result<TransactWriteItem, BuildError> {
    let (challenge, now) = (send.challenge, send.at);
    let mut item = request_key(&challenge.destination, key);
    let ends = match send.issue {
        Issue::Again(Some(until)) => until,
        Issue::New | Issue::Again(None) => challenge.expires_at,
    };
    for (name, value) in [
        ("challenge_id", text(challenge.id.as_str())),
        ("digits", number(digits)),
        ("issued_at", millis(now)),
        ("expires_at", millis(ends)),
        ("expires_at_seconds", sweep_after(ends)),
    ] {
        item.insert(name.to_owned(), value);
    }
    let put = Put::builder()
        .table_name(&table.name)
        .set_item(Some(item))
        .condition_expression(
            "attribute_not_exists(pk) OR expires_at <= :now \
             OR (attribute_not_exists(seen_through) AND issued_at <= :abandoned)",
        )
        .expression_attribute_values(":now", millis(now))
        .expression_attribute_values(":abandoned", millis(now.minus(ABANDONED_AFTER)))
        .return_values_on_condition_check_failure(OnFailure::AllOld)
        .build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Whether the key's first request may still be answered: its code is live, and
/// it was completed or still may be.
pub(super) fn is_live(item: &Item, now: UnixTime) -> bool {
    let is_live = time(item, "expires_at").is_ok_and(|at| now < at);
    let is_young = || time(item, "issued_at").is_ok_and(|at| now.minus(ABANDONED_AFTER) < at);
    is_live && (item.contains_key("seen_through") || is_young())
}

impl Ledger {
    /// The challenge that the login's idempotency key led to, if there is one.
    pub(super) async fn find_replay(
        &self,
        to: &Destination,
        rules: &AdmissionRules<'_>,
        now: UnixTime,
    ) -> Result<Option<ReplayedLogin>, Fault> {
        let Some(key) = &rules.key else {
            return Ok(None);
        };
        let item = self.table.get(request_key(to, key));
        let live = item.await?.filter(|it| is_live(it, now));
        live.map(|item| ReplayedLogin::read(&item)).transpose()
    }

    /// Marks the client's idempotency key as completed, so that a retry gets the
    /// same answer. A key that is never completed, because the function died or
    /// lost the table, is free again after 25 seconds.
    ///
    /// # Errors
    ///
    /// The table is unreachable: a late retry will be a new request.
    pub async fn complete(
        &self,
        challenge: &Challenge,
        key: &IdempotencyKey,
        delivery: Delivery,
    ) -> Result<(), Fault> {
        let operation = "UpdateItem";
        let attempt = || async {
            self.table
                .client
                .update_item()
                .table_name(&self.table.name)
                .set_key(Some(request_key(&challenge.destination, key)))
                .update_expression("SET seen_through = :yes, delivery = :delivery")
                .condition_expression("challenge_id = :id")
                .expression_attribute_values(":yes", AttributeValue::Bool(true))
                .expression_attribute_values(":delivery", text(delivery.as_str()))
                .expression_attribute_values(":id", text(challenge.id.as_str()))
                .send()
                .await
                .map(|_| ())
                .map_err(|error| Fault::from_sdk(Dependency::Table, operation, &error))
        };
        until_settled(operation, attempt).await
    }

    /// Waits up to three seconds until the first request with this key has ended, and
    /// returns what it learnt about the message. Without an end, or without the
    /// table, the delivery is unconfirmed.
    ///
    /// # Errors
    ///
    /// The first request was withdrawn: its message was not sent.
    pub async fn await_completion(
        &self,
        destination: &Destination,
        key: &IdempotencyKey,
    ) -> Result<Delivery, Fault> {
        let ended = timeout(WAIT, self.poll_completion(destination, key)).await;
        ended.unwrap_or(Ok(Delivery::Unconfirmed))
    }

    async fn poll_completion(
        &self,
        destination: &Destination,
        key: &IdempotencyKey,
    ) -> Result<Delivery, Fault> {
        let mut pause = FIRST_PAUSE;
        loop {
            sleep(pause).await;
            pause *= 2;
            let Ok(item) = self.table.get(request_key(destination, key)).await else {
                return Ok(Delivery::Unconfirmed);
            };
            let Some(item) = item else {
                let cause = "the first request was withdrawn";
                return Err(Fault::new(Dependency::Provider, "deliver", cause));
            };
            if let Some(delivery) = ReplayedLogin::read(&item)?.delivery {
                return Ok(delivery);
            }
        }
    }
}
