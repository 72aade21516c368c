//! Every "no" that is not our fault.

use std::time::Duration;

use super::Channel;

/// Why nobody is known by a request (RFC 6750 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthorized {
    /// It shows no token.
    NoToken,
    /// It shows one that is not good; the log is told why.
    InvalidToken(&'static str),
}

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
    /// The refresh token is unknown, expired, used up or revoked. The client is
    /// not told which; the log is.
    InvalidRefreshToken(&'static str),
    /// Who asks is not known by the token that they showed, or showed none.
    Unauthorized(Unauthorized),
}
