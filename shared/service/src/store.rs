//! The table. Each method is one call and its retries.
//!
//! | `pk` | `sk` | holds |
//! |---|---|---|
//! | `email#alice@example.com` | `sends#<day>` | the sends of a mailbox in each hour and in the day; the last send of each spelling; each challenge, with its digest and its expiry, and the attempts at it |
//! | | `request#<hash>` | the challenge of an idempotency key |
//! | | `user` | the user of this destination, and the last login |
//! | `user#<id>` | `session#<hash>` | a session: the digest of its refresh token, and the seal |
//! | | `claims` | the claims of the user, as a copy for refreshes |
//! | `client#203.0.113.7` | `logins-hour#<start>`, `validations-hour#<start>` | the client's requests |
//! | `prefix#+1#<shard>` | `sms-unproven` | text messages of each day to a prefix, and those whose codes did not come back |
//! | `deployment#<shard>` | `sms-day#<start>` | text messages of the deployment |
//! | | `email-unproven` | e-mails of each day, and those whose codes did not come back |
//!
//! If an answer is lost, the SDK sends the write again, and the write must count
//! once. A transaction carries a request token, by which `DynamoDB` recognises
//! the retry for ten minutes. A single update has no request token: `spend_attempt`
//! adds its operation id to a *set*, where adding twice changes nothing, and
//! `rotate` finds its own digest in the item, and `count_validation` its operation
//! id. The other updates may run twice.

mod admit;
mod clauses;
mod cooldown;
mod counter;
mod guard;
mod item;
mod read;
mod redeem;
mod refuse;
mod replay;
mod sessions;
mod shards;
mod spend;
mod storing;
mod tally;
mod transaction;
mod users;
mod withdraw;

use std::{collections::HashMap, sync::Mutex, time::Duration};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use futures_util::future::try_join_all;
use otp_domain::{
    Challenge, ChallengeId, Destination, OperationId, RecentLogins, RecentRefusals,
    UncountedLogins, UnixTime, User,
};

pub use admit::{Admission, AdmissionRules, Admitted};
pub use redeem::{Redeeming, Redemption};
pub use replay::ReplayedLogin;
pub use sessions::Rotation;
pub use spend::{Attempt, AttemptedChallenge};
pub use users::{AddUser, Change, UserPages};

use crate::fault::Fault;

type Item = HashMap<String, AttributeValue>;

/// Access to challenges, counters, users and sessions.
pub struct Store {
    client: Client,
    table: String,
    recent_refusals: Mutex<RecentRefusals>,
    recent_logins: Mutex<RecentLogins>,
    uncounted_logins: Mutex<UncountedLogins>,
}

/// How long the table keeps an item after its use, because clocks disagree.
const SWEEP_DELAY: Duration = Duration::from_mins(1);

impl Store {
    /// A store over the table with this name or ARN.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self {
            client,
            table,
            recent_refusals: Mutex::default(),
            recent_logins: Mutex::default(),
            uncounted_logins: Mutex::default(),
        }
    }

    /// The user of `destination`, if there is one.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find_user(&self, destination: &Destination) -> Result<Option<User>, Fault> {
        let user = self.get(item::user_key(destination)).await?;
        let user = user.filter(item::is_user);
        user.map(|item| item::user(&item)).transpose()
    }

    /// The challenge of `destination` that a guess without a challenge id answers:
    /// the one that this guess has already spent an attempt of, or else the newest
    /// live one. `attempt` is the id of the attempt that the guess spends of a
    /// challenge.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find_challenge(
        &self,
        destination: &Destination,
        max_attempts: u8,
        now: UnixTime,
        attempt: impl Fn(&ChallengeId) -> OperationId,
    ) -> Result<Option<ChallengeId>, Fault> {
        let reads = Challenge::days(now).into_iter();
        let reads = reads.map(|day| self.get(item::sends_key(destination, day)));
        let mut candidates: Vec<(bool, Challenge)> = Vec::new();
        for sends in try_join_all(reads).await?.iter().flatten() {
            for challenge in item::challenges(sends)? {
                if challenge.destination != *destination || challenge.expires_at <= now {
                    continue;
                }
                let spent_by = item::spent_by(sends, &challenge.id);
                let is_repeated = spent_by.contains(&attempt(&challenge.id));
                if is_repeated || spent_by.len() < usize::from(max_attempts) {
                    candidates.push((is_repeated, challenge));
                }
            }
        }
        let newest = candidates
            .into_iter()
            .max_by_key(|(is_repeated, challenge)| (*is_repeated, challenge.issued_at));
        Ok(newest.map(|(_, challenge)| challenge.id))
    }
}
