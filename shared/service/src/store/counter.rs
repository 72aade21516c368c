//! Counters: one item per window of a limit, and several shards for a shared
//! limit. `tally` has those that share an item.

use otp_domain::{FullLimit, Limit, UnixTime};
use rand::{CryptoRng, seq::SliceRandom};

/// The condition of a count; takes `:max`.
pub(super) const HAS_ROOM: &str = "(attribute_not_exists(admitted) OR admitted < :max)";

/// The update of a count; takes `:one` and `:sweep`.
pub(super) const COUNT: &str = "SET expires_at_seconds = :sweep ADD admitted :one";

/// The shards of a counter that are not tried yet, in random order, so that they
/// fill evenly. The current one is the last.
#[derive(Default)]
pub(super) struct Shards {
    left: Vec<u32>,
    all: u32,
}

impl Shards {
    pub(super) fn shuffled(all: u32, rng: &mut impl CryptoRng) -> Self {
        let mut left: Vec<u32> = (0..all).collect();
        left.shuffle(rng);
        Self { left, all }
    }

    /// How many there are.
    pub(super) const fn all(&self) -> u32 {
        self.all
    }

    pub(super) fn current(&self) -> u32 {
        self.left.last().copied().unwrap_or_default()
    }

    /// Moves on to another shard; `false` if every shard was tried.
    pub(super) fn try_next(&mut self) -> bool {
        let others = self.left.len() > 1;
        if others {
            self.left.pop();
        }
        others
    }
}

/// The limit, when it is full at this instant.
pub(super) fn full(limit: &Limit, at: UnixTime) -> FullLimit {
    FullLimit {
        scope: limit.scope.clone(),
        name: limit.name,
        kind: limit.kind(),
        ends_at: limit.window_end(at),
    }
}
