//! The guard's counters, as the table keeps them.

use std::time::Duration;

use otp_domain::{ConversionGuard, GuardCount, GuardVerdict, Scope, UnixTime};
use rand::{rngs::StdRng, seq::SliceRandom};

/// A guard with its default room, and its counters.
pub struct Counters {
    guard: ConversionGuard,
    counts: Vec<GuardCount>,
}

impl Counters {
    pub fn new() -> Self {
        let guard = ConversionGuard {
            scope: Scope::Prefix("+1".to_owned()),
            name: "sms-unproven",
            room: 50,
        };
        let counts = vec![GuardCount::default(); guard.shards() as usize];
        Self { guard, counts }
    }

    /// Counts a message; returns its counter, or the wait if there is no room.
    pub fn admit(&mut self, now: UnixTime, rng: &mut StdRng) -> Result<u32, Duration> {
        let mut shards: Vec<u32> = (0..self.guard.shards()).collect();
        shards.shuffle(rng);
        let mut wait = Duration::MAX;
        for shard in shards {
            let count = &mut self.counts[shard as usize];
            match self.guard.judge(shard, count, now) {
                GuardVerdict::Open => {}
                GuardVerdict::Eased(eased) => *count = eased,
                GuardVerdict::Closed(of_shard) => {
                    wait = wait.min(of_shard);
                    continue;
                }
            }
            count.unproven += 1;
            count.sent_at = Some(now);
            return Ok(shard);
        }
        Err(wait)
    }

    /// Takes a message off, whose code came back.
    pub fn prove(&mut self, shard: u32, now: UnixTime) {
        let count = &mut self.counts[shard as usize];
        count.unproven -= 1;
        count.proven += 1;
        count.proven_at = Some(now);
    }
}
