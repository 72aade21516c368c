//! The conversion guard: it stops messages whose codes do not come back.
//!
//! docs/decisions/conversion-guard.md derives the rule.

use std::time::Duration;

use super::{LimitKind, Scope, UnixTime, limit};

/// The guard of one allowed prefix, or of e-mail.
///
/// A message is *unproven* until its code comes back. The guard has room for a
/// number of unproven messages. Each code that comes back takes its own message
/// off, and earns the right to forgive one other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversionGuard {
    /// What the guard counts by.
    pub scope: Scope,
    /// The guard's name in the table and in the log.
    pub name: &'static str,
    /// The unproven messages that it has room for.
    pub room: u32,
}

/// What one counter of a guard holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuardCount {
    /// Messages that are neither proven nor forgiven. A message that is forgiven
    /// and proven later takes the count below zero.
    pub unproven: i64,
    /// Codes that came back and have not forgiven a message yet.
    pub proven: i64,
    /// The last message.
    pub sent_at: Option<UnixTime>,
    /// The last code that came back.
    pub proven_at: Option<UnixTime>,
}

/// Whether a counter has room for one more message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardVerdict {
    /// It has.
    Open,
    /// It has, once it is eased: when its values are these.
    Eased(GuardCount),
    /// It has none; there may be some after this wait.
    Closed(Duration),
}

/// In this time an idle counter forgives as many messages as it has room for.
const REFILL: Duration = Duration::from_hours(24);

/// How long codes that came back may forgive messages, from the last of them.
const TRUST: Duration = Duration::from_hours(7 * 24);

/// How many times the room may be forgiven for codes that came back earlier.
const TRUSTED_ROOMS: i64 = 3;

/// Most codes come back within this time, if ever.
const TYPING: Duration = Duration::from_mins(2);

/// The wait while codes may be coming back.
const SOON: Duration = Duration::from_secs(5);

impl ConversionGuard {
    /// A counter that was not written for this long says as much as none.
    pub const MEMORY: Duration = TRUST;

    /// What a refused client is told of the guard.
    #[must_use]
    pub const fn kind(&self) -> LimitKind {
        LimitKind::Deployment
    }

    /// The number of counters that share the guard's room.
    #[must_use]
    pub fn shards(&self) -> u32 {
        limit::shards(self.room)
    }

    /// The room of one counter. The shares add up to the room.
    #[must_use]
    pub fn share(&self, shard: u32) -> u32 {
        limit::share(self.room, shard, self.shards())
    }

    /// Judges whether a counter has room for one more message.
    ///
    /// A full counter is eased first: by the time since its last message, then by
    /// the codes that came back.
    #[must_use]
    pub fn judge(&self, shard: u32, count: &GuardCount, now: UnixTime) -> GuardVerdict {
        let room = self.share(shard);
        if count.unproven < i64::from(room) {
            return GuardVerdict::Open;
        }
        let idle = count.sent_at.map_or(REFILL, |at| at.until(now));
        let slot = REFILL / room.max(1);
        let by_time = i64::try_from(idle.as_millis() / slot.as_millis().max(1));
        let left = count.unproven - by_time.unwrap_or(i64::MAX).min(count.unproven);
        let trusted = count.proven_at.is_some_and(|at| at.until(now) <= TRUST);
        let most = if trusted {
            TRUSTED_ROOMS * i64::from(room)
        } else {
            0
        };
        let proven = count.proven.clamp(0, most);
        let by_proof = proven.min(left);
        if left - by_proof < i64::from(room) {
            return GuardVerdict::Eased(GuardCount {
                unproven: left - by_proof,
                proven: proven - by_proof,
                ..*count
            });
        }
        GuardVerdict::Closed(if idle < TYPING {
            SOON
        } else {
            slot.saturating_sub(idle)
        })
    }
}

#[cfg(test)]
mod tests;
