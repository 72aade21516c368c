//! The counters that share a limit.

use std::collections::HashMap;

use rand::{CryptoRng, seq::SliceRandom};

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

    /// How many there are.
    pub(super) fn all(&self) -> u32 {
        u32::try_from(self.order.len()).unwrap_or(u32::MAX)
    }

    pub(super) const fn current(&self) -> u32 {
        self.current
    }

    /// What is known of the current shard.
    pub(super) fn here(&self) -> Option<&Known> {
        self.known.get(&self.current)
    }

    /// The shards of which nothing is known.
    pub(super) fn unknown(&self) -> impl Iterator<Item = u32> {
        let all = self.order.iter().copied();
        all.filter(|shard| !self.known.contains_key(shard))
    }

    /// What is known, of every shard of which something is.
    pub(super) fn known(&self) -> impl Iterator<Item = &Known> + Clone {
        self.known.values()
    }

    pub(super) fn learn(&mut self, shard: u32, known: Known) {
        self.known.insert(shard, known);
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
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn a_login_tries_each_shard_once_from_a_random_one_on() {
        let firsts: std::collections::HashSet<_> = (0..50)
            .map(|seed| Shards::<()>::shuffled(4, &mut StdRng::seed_from_u64(seed)).current())
            .collect();
        assert_eq!(firsts.len(), 4);
        let mut shards = Shards::shuffled(4, &mut StdRng::seed_from_u64(1));
        let mut all: Vec<_> = shards.unknown().collect();
        assert_eq!((all[0], shards.all()), (shards.current(), 4));
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
        shards.learn(shards.current(), "full");
        assert_eq!(shards.here(), Some(&"full"));
        assert!(!shards.unknown().any(|shard| shard == shards.current()));
    }

    #[test]
    fn a_login_moves_on_only_to_a_shard_that_is_known_to_be_fit() {
        let mut shards = Shards::shuffled(3, &mut StdRng::seed_from_u64(1));
        let (first, others): (_, Vec<_>) = (shards.current(), shards.unknown().skip(1).collect());
        shards.learn(first, 5);
        shards.learn(others[0], 5);
        assert!(!shards.move_to(|count| *count < 5));
        assert_eq!(shards.current(), first);
        shards.learn(others[1], 4);
        assert!(shards.move_to(|count| *count < 5));
        assert_eq!((shards.current(), shards.here()), (others[1], Some(&4)));
        assert_eq!(shards.known().sum::<i32>(), 14);
    }
}
