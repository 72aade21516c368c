//! Every "no" that is not our fault.

use std::time::Duration;

/// A refusal is a decision, not an error: nothing is broken when one is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This deployment does not send to that channel, country or prefix.
    DestinationNotAllowed,
    /// A limit is used up; the same request may succeed after this long.
    TooManyRequests(Duration),
    /// The code is wrong, expired, used, replaced, exhausted or was never
    /// issued. The client is not told which; the log is.
    InvalidOtp(&'static str),
}
