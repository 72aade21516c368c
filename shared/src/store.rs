//! The table: one method, one call (and its repeats).
//!
//! | `pk` | `sk` | holds |
//! |---|---|---|
//! | `email#alice@example.com` | `challenge#<id>` | the digest, its life, the attempts spent |
//! | | `cooldown` | the last send |
//! | | `sends-hour#<start>`, `sends-day#<start>` | how many sends that window admitted |
//! | | `user` | the user that this destination logs in, and when it last did |
//! | `user#<id>` | `family#<hash>` | a login that lives on: the digest of its refresh token |
//! | `request#<hash>` | `request` | what a client's idempotency key led to |
//! | `client#203.0.113.7` | `logins-hour#<start>`, `validations-hour#<start>` | the client's requests |
//! | `prefix#+1#<shard>` | `sms-prefix-day#<start>`, `sms-unproven#<start>` | text messages to a prefix |
//! | `deployment#<shard>` | `sms-day#<start>` | text messages of all |
//!
//! Every write may be sent twice, when an answer is lost and the SDK repeats
//! it, and must count once. A transaction carries a request token, under which
//! `DynamoDB` itself recognises the repeat for ten minutes. A single update knows
//! no token, so it writes the request's id into the item and accepts what is its
//! own: `spend_attempt` adds it to a *set*, where adding twice changes nothing.

mod admit;
mod counter;
mod families;
mod item;
mod redeem;
mod spend;
mod transaction;
mod users;
mod withdraw;

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{Client, types::AttributeValue};

pub use admit::{Admission, Admitted, Earlier, Terms};
pub use families::Refreshed;
pub use spend::Spent;
pub use users::{Change, UserPages};

use crate::{
    domain::{Challenge, ChallengeId, Destination, UnixTime, User},
    fault::{Dependency, Fault},
};

type Item = HashMap<String, AttributeValue>;

/// All that is kept: challenges, limits, users and their refresh tokens.
pub struct Store {
    client: Client,
    table: String,
}

/// How long an item outlives its use, for clocks that disagree.
const SWEEP_DELAY: Duration = Duration::from_mins(1);

impl Store {
    /// The table of that name.
    #[must_use]
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The user that `destination` logs in, if it ever has.
    ///
    /// # Errors
    ///
    /// The table cannot be reached, or holds an item that is not ours.
    pub async fn find_user(&self, destination: &Destination) -> Result<Option<User>, Fault> {
        let operation = "GetItem";
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item::user_key(destination)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Table, operation, &error))?;
        let user = output.item.filter(item::is_user);
        user.map(|item| item::user(&item)).transpose()
    }

    /// The newest challenge of `destination` that is still worth guessing at,
    /// for clients that do not say which they mean.
    ///
    /// # Errors
    ///
    /// The table cannot be reached, or holds an item that is not ours.
    pub async fn newest_live(
        &self,
        destination: &Destination,
        max_attempts: u8,
        now: UnixTime,
    ) -> Result<Option<ChallengeId>, Fault> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :challenge)")
            .filter_expression(item::IS_LIVE)
            .expression_attribute_values(":pk", item::partition(destination))
            .expression_attribute_values(":challenge", item::text(item::CHALLENGE_PREFIX))
            .expression_attribute_values(":now", item::millis(now))
            .expression_attribute_values(":max", item::number(max_attempts))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut newest: Option<Challenge> = None;
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| Fault::from_sdk(Dependency::Table, "Query", &error))?;
            let challenge = item::challenge(&item, destination)?;
            if newest
                .as_ref()
                .is_none_or(|known| known.issued_at < challenge.issued_at)
            {
                newest = Some(challenge);
            }
        }
        Ok(newest.map(|challenge| challenge.id))
    }
}
