//! The table: its items, and calls of it with their retries.
//!
//! | `pk` | `sk` | holds |
//! |---|---|---|
//! | `email#alice@example.com`, `phone#+14155550123` | `user` | the user of this destination with what a login needs, as a copy, and the last login |
//! | | `challenge#<id>` | a challenge with its expiry, and the attempts at it; nothing of its code |
//! | | `request#<hash>` | the challenge of an idempotency key |
//! | | `guesses` | the wrong guesses, and until when the next send waits |
//! | | `history` | the last code that came back, those that did not since, the last messages, and the marks of each way |
//! | | `device#<id>`, `device#<id>#sends` | the guesses at a known device, and its sends |
//! | | `sends` | the sends to the mailbox in each hour, and until when all are made up for |
//! | `user#<id>` | `user` | the user: the destinations, and since when; the claims; whether disabled; a version |
//! | | `event#<sequence>#<kind>#<session>` | what happened to the user, for applications |
//! | | `session#<hash>` | a session: the digest of its refresh token, and the seal |
//! | `client#203.0.113.7` | `logins-hour#<start>`, `validations-hour#<start>` | the client's requests |
//! | `prefix#+1#<shard>`, `deployment#email#<shard>` | `messages` | messages of each day, and those whose codes did not come back |
//! | `network#email#203.0.113.0/24`, `network#+1#203.0.113.0/24` | `messages` | messages of each day that strangers of this network asked for, and those whose codes came back |
//!
//! If an answer is lost, the SDK sends the write again, and the write must count
//! once. A transaction carries a request token, by which `DynamoDB` recognises
//! the retry for ten minutes. A single update has no request token: an attempt
//! adds its operation id to a *set*, where adding twice changes nothing, and a
//! rotation finds its own digest in the item. A client's request may count twice,
//! which admits fewer.

pub(crate) mod attributes;
mod clauses;
#[cfg(test)]
pub(crate) mod fixture;
mod read;
mod transaction;

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use rand::RngExt;

pub(crate) use clauses::Clauses;
pub(crate) use transaction::{Written, condition_failed};

use crate::{
    ambient,
    fault::{Cause, Dependency, Fault},
};

/// An item, or the key of one.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The table, by its name or ARN.
#[derive(Clone)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
}

/// Time limit for one step of a use case, with all its calls of the table.
pub(crate) const BUDGET: Duration = Duration::from_secs(3);

impl Table {
    /// The table with this name or ARN.
    #[must_use]
    pub const fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }
}

/// Runs a step of a use case within its time limit.
pub(crate) async fn within_budget<T, E: From<Fault>>(
    operation: &'static str,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let ended = tokio::time::timeout(BUDGET, step).await;
    ended.unwrap_or_else(|_| Err(timed_out(operation).into()))
}

/// Repeats a call of a busy table within the time limit, with growing random pauses.
pub(crate) async fn until_settled<T, F>(
    operation: &'static str,
    attempt: impl Fn() -> F,
) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    within_budget(operation, async {
        let mut longest_pause = 20;
        loop {
            match attempt().await {
                Err(Fault {
                    cause: Cause::Busy(_),
                    ..
                }) => {
                    let pause = ambient::rng().random_range(longest_pause / 2..=longest_pause);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    longest_pause = (longest_pause * 2).min(500);
                }
                settled => return settled,
            }
        }
    })
    .await
}

/// A fault of the table.
pub(crate) fn fault(operation: &'static str, cause: impl Into<Cause>) -> Fault {
    Fault::new(Dependency::Table, operation, cause)
}

pub(crate) fn timed_out(operation: &'static str) -> Fault {
    fault(operation, Cause::Timeout)
}

/// A request that the SDK could not build.
pub(crate) fn not_built(operation: &'static str) -> Fault {
    fault(operation, "request not built")
}
