//! The conversion guard: it stops messages whose codes do not come back.
//!
//! docs/decisions/conversion-guard.md derives the rule.

use std::time::Duration;

use super::{FullLimit, LimitKind, Scope, UnixTime};

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
    /// Whether the provider's reports say which e-mails bounced.
    pub bounces_are_reported: bool,
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
    pub const MEMORY: Duration = Duration::from_hours(31 * 24);

    /// The guard, when it is closed at this instant for so long.
    #[must_use]
    pub fn closed(&self, at: UnixTime, wait: Duration) -> FullLimit {
        FullLimit {
            scope: self.scope.clone(),
            name: self.name,
            kind: LimitKind::Deployment,
            kept: 0,
            ends_at: at.plus(wait),
        }
    }
}

impl GuardCount {
    /// Judges whether a counter with this share of the room has some for one more
    /// message.
    ///
    /// A full counter is eased first: by the time since its last message, then by
    /// the codes that came back.
    #[must_use]
    pub fn judge(&self, room: u32, now: UnixTime) -> GuardVerdict {
        if self.unproven < i64::from(room) {
            return GuardVerdict::Open;
        }
        let idle = self.sent_at.map_or(REFILL, |at| at.until(now));
        let slot = REFILL / room.max(1);
        let by_time = i64::try_from(idle.as_millis() / slot.as_millis().max(1));
        let left = self.unproven - by_time.unwrap_or(i64::MAX).min(self.unproven);
        let trusted = self.proven_at.is_some_and(|at| at.until(now) <= TRUST);
        let most = if trusted {
            TRUSTED_ROOMS * i64::from(room)
        } else {
            0
        };
        let proven = self.proven.clamp(0, most);
        let by_proof = proven.min(left);
        if left - by_proof < i64::from(room) {
            return GuardVerdict::Eased(Self {
                unproven: left - by_proof,
                proven: proven - by_proof,
                ..*self
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
