//! Every "no" that is not our fault.

use std::time::Duration;

use super::Channel;

/// A refusal is a decision, not an error: nothing is broken when one is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This deployment does not send to that channel, country or prefix.
    DestinationNotAllowed,
    /// There is no such user, and clients may know.
    UserNotFound(Channel),
    /// The client has used its idempotency key for another request.
    IdempotencyKeyReused,
    /// A limit is used up.
    TooManyRequests {
        /// Its name, for the log: of several, the one that lasts longest.
        limit: &'static str,
        /// The same request may succeed after this long.
        wait: Duration,
    },
    /// The code is wrong, expired, used, replaced, exhausted or was never
    /// issued. The client is not told which; the log is.
    InvalidOtp(&'static str),
}
