//! The counters that share a limit.

use std::collections::HashMap;

use rand::{CryptoRng, seq::SliceRandom};

/// The most counters of a shared limit. A login that meets a full one reads each.
const MOST: u32 = 128;

/// The admissions of one counter of a large limit. Logins at the same counter
/// conflict, and a limit of many admissions is there for many logins a second.
const SHARE: u32 = 300;

/// The most counters of a limit that is too small for full shares.
const FEW: u32 = 3;

/// The fewest admissions of a counter that are worth an item.
const LEAST_SHARE: u32 = 20;

/// The number of counters that share `max` admissions.
pub(super) fn shards_of(max: u32) -> u32 {
    let few = (max / LEAST_SHARE).clamp(1, FEW);
    (max / SHARE).clamp(few, MOST)
}

/// One of the counters that share a limit.
#[derive(Clone, Copy)]
pub(super) struct Shard {
    pub(super) nth: u32,
    pub(super) of: u32,
}

impl Shard {
    /// How many of `max` admissions this counter allows. The shares add up to `max`, so
    /// the counters together never admit more.
    pub(super) const fn share(self, max: u32) -> u32 {
        max / self.of + (self.nth < max % self.of) as u32
    }
}

/// The shards of a counter, and what a login knows of each.
pub(super) struct Shards<Known> {
    /// All of them, in random order, so that they fill evenly.
    order: Vec<u32>,
    current: u32,
    known: HashMap<u32, Known>,
}

impl<Known> Shards<Known> {
    /// So many shards, of which nothing is known. A random one is the current one.
    pub(super) fn shuffled(all: u32, rng: &mut impl CryptoRng) -> Self {
        let mut order: Vec<u32> = (0..all).collect();
        order.shuffle(rng);
        Self {
            current: order.first().copied().unwrap_or_default(),
            order,
            known: HashMap::new(),
        }
    }

    pub(super) fn shard(&self, nth: u32) -> Shard {
        let of = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        Shard { nth, of }
    }

    pub(super) fn current(&self) -> Shard {
        self.shard(self.current)
    }

    /// What is known of the current shard.
    pub(super) fn here(&self) -> Option<&Known> {
        self.known.get(&self.current)
    }

    /// The shards of which nothing is known.
    pub(super) fn unknown(&self) -> impl Iterator<Item = Shard> {
        let all = self.order.iter();
        let unknown = all.filter(|shard| !self.known.contains_key(shard));
        unknown.map(|shard| self.shard(*shard))
    }

    /// What is known, of every shard of which something is.
    pub(super) fn known(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }

    /// Makes a shard the current one.
    pub(super) fn go_to(&mut self, nth: u32) -> Shard {
        self.current = nth;
        self.current()
    }

    pub(super) fn learn(&mut self, shard: Shard, known: Known) {
        self.known.insert(shard.nth, known);
    }

    /// Moves on to a shard that is known to be fit; `false` if there is none.
    pub(super) fn move_to(&mut self, is_fit: impl Fn(&Known) -> bool) -> bool {
        let mut order = self.order.iter();
        let next = order.find(|shard| self.known.get(shard).is_some_and(&is_fit));
        next.inspect(|shard| self.current = **shard).is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn the_shares_add_up_to_the_limit_and_none_is_empty(
            max in prop_oneof![1u32..=2000, 1u32..=100_000_000],
            beside in 1u32..=128,
        ) {
            let shares_of = |of| -> Vec<u32> {
                (0..of).map(|nth| Shard { nth, of }.share(max)).collect()
            };
            // A guard beside the limit may have more counters than the limit fills.
            prop_assert_eq!(shares_of(beside).iter().sum::<u32>(), max);
            let shares = shares_of(shards_of(max));
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
            assert_eq!(shards_of(max), counters, "{max}");
        }
    }

    #[test]
    fn a_login_tries_each_shard_once_from_a_random_one_on() {
        let firsts: std::collections::HashSet<_> = (0..50)
            .map(|seed| {
                Shards::<()>::shuffled(4, &mut StdRng::seed_from_u64(seed))
                    .current()
                    .nth
            })
            .collect();
        assert_eq!(firsts.len(), 4);
        let mut shards = Shards::shuffled(4, &mut StdRng::seed_from_u64(1));
        let mut all: Vec<_> = shards.unknown().map(|it| it.nth).collect();
        assert_eq!((all[0], shards.current().of), (shards.current().nth, 4));
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
        shards.learn(shards.current(), "full");
        assert_eq!(shards.here(), Some(&"full"));
        assert!(
            !shards
                .unknown()
                .any(|shard| shard.nth == shards.current().nth)
        );
    }

    #[test]
    fn a_login_moves_on_only_to_a_shard_that_is_known_to_be_fit() {
        let mut shards = Shards::shuffled(3, &mut StdRng::seed_from_u64(1));
        let first = shards.current();
        let others: Vec<_> = shards.unknown().skip(1).collect();
        shards.learn(first, 5);
        shards.learn(others[0], 5);
        assert!(!shards.move_to(|count| *count < 5));
        assert_eq!(shards.current().nth, first.nth);
        shards.learn(others[1], 4);
        assert!(shards.move_to(|count| *count < 5));
        let here = (shards.current().nth, shards.here());
        assert_eq!(here, (others[1].nth, Some(&4)));
        assert_eq!(shards.known().sum::<i32>(), 14);
    }
}
