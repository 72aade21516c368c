//! Counters: one item per window of a limit. `tally` has those that share an item,
//! and `shards` those that share a limit.

use otp_domain::{FullLimit, Limit, UnixTime};

/// The condition of a count; takes `:max`.
pub(super) const HAS_ROOM: &str = "(attribute_not_exists(admitted) OR admitted < :max)";

/// The update of a count; takes `:one` and `:sweep`.
pub(super) const COUNT: &str = "SET expires_at_seconds = :sweep ADD admitted :one";

/// The limit, when it is full at this instant.
pub(super) fn full(limit: &Limit, at: UnixTime) -> FullLimit {
    FullLimit {
        scope: limit.scope.clone(),
        name: limit.name,
        kind: limit.kind(),
        ends_at: limit.window_end(at),
    }
}
