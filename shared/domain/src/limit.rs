//! Rate limits: how many admissions a scope gets within a window.

use std::time::Duration;

use super::{ClientAddress, Destination, UnixTime};

/// What a limit counts by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Per destination, or per mailbox of several destinations.
    Destination(Destination),
    /// Per client.
    Client(ClientAddress),
    /// Per allowed prefix.
    Prefix(String),
    /// For the whole deployment.
    Deployment,
}

/// What a refused client is told of the limit that refuses. It tells nobody who
/// has an account: every destination has the same limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitKind {
    /// The least time between two sends to the destination.
    Cooldown,
    /// The sends to the destination.
    Destination,
    /// The requests of the client.
    Client,
    /// The messages of the deployment, or of a part of it.
    Deployment,
}

impl LimitKind {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cooldown => "cooldown",
            Self::Destination => "destination",
            Self::Client => "client",
            Self::Deployment => "deployment",
        }
    }
}

/// Where a limit is counted. Limits that share an item cost one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Book {
    /// In an item of its own for each window.
    Own,
    /// Beside the other limits of a mailbox, in the item of each UTC day that also holds
    /// the challenges of its sends.
    Sends,
    /// Beside the conversion guard of this name, in an item without an end.
    Guard(&'static str),
}

/// At most `max` admissions of a scope within each `window` of the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What the limit counts by.
    pub scope: Scope,
    /// The limit's name in the table and in the log.
    pub name: &'static str,
    /// The length of its windows.
    pub window: Duration,
    /// Admissions within one window.
    pub max: u32,
    /// Whether a withdrawn send is refunded.
    pub refundable: bool,
    /// Where the limit is counted.
    pub book: Book,
}

/// The most shards of a shared limit. A login that meets a full one reads each.
const MAX_SHARDS: u32 = 128;

/// The admissions of one shard of a large limit. Logins at the same shard conflict,
/// and a limit of many admissions is there for many logins a second.
const SHARE: u32 = 300;

/// The most shards of a limit that is too small for full shares.
const FEW_SHARDS: u32 = 3;

/// The fewest admissions of a shard that are worth a key.
const LEAST_SHARE: u32 = 20;

/// The number of counters that share `max` admissions.
pub(super) fn shards(max: u32) -> u32 {
    let few = (max / LEAST_SHARE).clamp(1, FEW_SHARDS);
    (max / SHARE).clamp(few, MAX_SHARDS)
}

/// How many of `max` admissions one of `shards` counters allows.
pub(super) fn share(max: u32, shard: u32, shards: u32) -> u32 {
    max / shards + u32::from(shard < max % shards)
}

impl Limit {
    /// What a refused client is told of this limit.
    #[must_use]
    pub const fn kind(&self) -> LimitKind {
        match self.scope {
            Scope::Destination(_) => LimitKind::Destination,
            Scope::Client(_) => LimitKind::Client,
            Scope::Prefix(_) | Scope::Deployment => LimitKind::Deployment,
        }
    }

    /// The start of the window that `now` falls into.
    #[must_use]
    pub fn window_start(&self, now: UnixTime) -> UnixTime {
        now.window_start(self.window)
    }

    /// When that window ends. Until then, a full limit keeps refusing.
    #[must_use]
    pub fn window_end(&self, now: UnixTime) -> UnixTime {
        self.window_start(now).plus(self.window)
    }

    /// The number of counters that share this limit.
    #[must_use]
    pub fn shards(&self) -> u32 {
        match self.scope {
            Scope::Destination(_) | Scope::Client(_) => 1,
            Scope::Prefix(_) | Scope::Deployment => shards(self.max),
        }
    }

    /// How many admissions one of `shards` counters allows. The shares add up to
    /// `max`, so the counters together never admit more.
    #[must_use]
    pub fn share(&self, shard: u32, shards: u32) -> u32 {
        share(self.max, shard, shards)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limit(scope: Scope, max: u32) -> Limit {
        Limit {
            scope,
            name: "any",
            window: Duration::from_hours(1),
            max,
            refundable: true,
            book: Book::Own,
        }
    }

    #[test]
    fn what_a_client_is_told_of_a_limit_follows_from_what_the_limit_counts_by() {
        let destination = "alice@example.com".parse().unwrap();
        for (scope, told, counters) in [
            (Scope::Destination(destination), "destination", 1),
            (
                Scope::Client(ClientAddress::from_gateway(None)),
                "client",
                1,
            ),
            (Scope::Prefix("+1".to_owned()), "deployment", 3),
            (Scope::Deployment, "deployment", 3),
        ] {
            let limit = limit(scope, 1000);
            assert_eq!(limit.kind().as_str(), told);
            assert_eq!(limit.shards(), counters, "{told}");
        }
        assert_eq!(LimitKind::Cooldown.as_str(), "cooldown");
    }

    #[test]
    fn a_window_follows_the_clock_and_ends_where_the_next_begins() {
        let limit = limit(Scope::Deployment, 1);
        let noon = UnixTime::from_secs(1_767_268_800);
        let one = noon.plus(Duration::from_hours(1));
        for at in [noon, one.minus(Duration::from_millis(1))] {
            assert_eq!((limit.window_start(at), limit.window_end(at)), (noon, one));
        }
        assert_eq!(limit.window_start(one), one);
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn the_shares_add_up_to_the_limit_and_none_is_empty(
            max in prop_oneof![1u32..=2000, 1u32..=100_000_000],
            beside in 1u32..=128,
        ) {
            let limit = limit(Scope::Deployment, max);
            let shares_of = |shards| -> Vec<u32> {
                (0..shards).map(|shard| limit.share(shard, shards)).collect()
            };
            // A guard beside the limit may have more counters than the limit fills.
            prop_assert_eq!(shares_of(beside).iter().sum::<u32>(), max);
            let shares = shares_of(limit.shards());
            prop_assert_eq!(shares.iter().sum::<u32>(), max);
            prop_assert!(shares.iter().all(|share| *share > 0));
        }
    }

    #[test]
    fn large_limits_have_a_counter_for_each_300_and_small_ones_keep_three() {
        for (max, counters) in [
            (1, 1),
            (39, 1),
            (50, 2),
            (60, 3),
            (200, 3),
            (1000, 3),
            (1199, 3),
            (1200, 4),
            (5000, 16),
            (38_400, 128),
            (100_000_000, 128),
        ] {
            assert_eq!(shards(max), counters, "{max}");
        }
    }
}
