use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{Challenge, ChallengeId, Delivery, Destination, IdempotencyKey, UnixTime};
use tokio::time::{sleep, timeout};

use super::{Store, item, transaction::until_settled};
use crate::fault::{Dependency, Fault};

/// How long a repeated login waits for the first one, which may still be sending.
/// Providers usually accept a message sooner.
const WAIT: Duration = Duration::from_secs(3);

/// The pause before the first look. Each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The challenge that the first request with the same idempotency key got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedLogin {
    /// The challenge's id.
    pub challenge_id: ChallengeId,
    /// When its code was drawn.
    pub issued_at: UnixTime,
    /// When its code expires.
    pub expires_at: UnixTime,
    /// What the first request learnt about the message, if it has ended.
    pub delivery: Option<Delivery>,
}

impl Store {
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
            self.client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(item::request_key(&challenge.destination, key)))
                .update_expression("SET seen_through = :yes, delivery = :delivery")
                .condition_expression("challenge_id = :id")
                .expression_attribute_values(":yes", AttributeValue::Bool(true))
                .expression_attribute_values(":delivery", item::text(delivery.as_str()))
                .expression_attribute_values(":id", item::text(challenge.id.as_str()))
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
            let Ok(item) = self.get(item::request_key(destination, key)).await else {
                return Ok(Delivery::Unconfirmed);
            };
            let Some(item) = item else {
                let cause = "the first request was withdrawn";
                return Err(Fault::new(Dependency::Provider, "deliver", cause));
            };
            if let Some(delivery) = item::replayed_login(&item)?.delivery {
                return Ok(delivery);
            }
        }
    }
}
