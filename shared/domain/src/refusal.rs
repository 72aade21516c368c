//! Every rule that refuses a request.

use std::time::Duration;

use super::{DestinationKind, LimitKind, Mark};

/// Why a request is unauthorized (RFC 6750 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthorized {
    /// The request has no token.
    NoToken,
    /// The token is invalid, for this reason. Only the log gets the reason.
    InvalidToken(&'static str),
}

/// Why the destinations of a user do not change as the user asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DestinationsRefusal {
    /// The code was right, but the destination is another user's.
    Taken,
    /// The user has as many destinations as a user may have.
    TooMany,
    /// The user would have no destination.
    Last,
    /// The login was by a destination that is too new to remove an older one.
    TooNew,
    /// The token of an undo is unknown, used or over.
    InvalidUndo,
}

impl From<DestinationsRefusal> for Refusal {
    fn from(why: DestinationsRefusal) -> Self {
        Self::Destinations(why)
    }
}

/// A refusal is a decision of a rule, not a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This deployment does not send to such destinations, or to that number.
    DestinationNotAllowed,
    /// The client names an app that this deployment does not know.
    UnknownApp,
    /// The provider says that this is no destination.
    DestinationRefused,
    /// No way to the destination is left: the last of them has this mark.
    DestinationUndeliverable(DestinationKind, Mark),
    /// The user is unknown, and clients may know (`UNKNOWN_USERS=reveal`).
    UserNotFound(DestinationKind),
    /// A limit is used up.
    TooManyRequests {
        /// The limit's name, for the log. Of several limits, the one with the
        /// longest wait.
        limit: &'static str,
        /// What the client is told of that limit.
        kind: LimitKind,
        /// The time after which the same request may succeed.
        wait: Duration,
    },
    /// The code is wrong, expired, used, replaced, exhausted or was never
    /// issued. Only the log gets the reason.
    InvalidOtp(&'static str),
    /// The refresh token is unknown, expired, reused or revoked. Only the log
    /// gets the reason.
    InvalidRefreshToken(&'static str),
    /// The client wants to revoke an access token, which is valid until it expires.
    NotRevocable,
    /// The access token is missing or invalid.
    Unauthorized(Unauthorized),
    /// The user's destinations do not change so.
    Destinations(DestinationsRefusal),
    /// The request needs a token whose login is younger than this.
    StaleLogin(Duration),
}
