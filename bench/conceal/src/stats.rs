//! Compares two sets of durations.

use std::time::Duration;

use libm::erfc;

/// Whether one of two sets tends to lie above the other (Mann and Whitney).
#[derive(Clone, Copy, Debug)]
pub struct RankTest {
    /// The probability that the second set has the greater member of a random pair; a tie counts
    /// one half. 0.5 if the sets cannot be told apart.
    pub auc: f64,
    /// The probability that sets from one source are at least this far apart; two-sided.
    pub p: f64,
}

impl RankTest {
    /// Uses the normal approximation, corrected for ties and for continuity. It needs a few dozen
    /// members in each set.
    pub fn of(first: &[Duration], second: &[Duration]) -> Self {
        let of_second = second.iter().map(|sample| (sample, true));
        let mut all: Vec<_> = first.iter().map(|sample| (sample, false)).collect();
        all.extend(of_second);
        all.sort_unstable();

        let (mut below, mut rank_sum, mut ties) = (0.0, 0.0, 0.0);
        for equals in all.chunk_by(|a, b| a.0 == b.0) {
            let size = count(equals.len());
            let seconds = equals.iter().filter(|(_, is_second)| *is_second).count();
            let mean_rank = below + f64::midpoint(size, 1.0);
            rank_sum += mean_rank * count(seconds);
            ties += size.powi(3) - size;
            below += size;
        }

        let (n1, n2) = (count(first.len()), count(second.len()));
        let (n, pairs) = (n1 + n2, n1 * n2);
        let u = rank_sum - n2 * (n2 + 1.0) / 2.0;
        let variance = pairs / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
        let distance = ((u - pairs / 2.0).abs() - 0.5).max(0.0);
        let p = if variance > 0.0 {
            erfc(distance / (2.0 * variance).sqrt())
        } else {
            1.0
        };
        Self { auc: u / pairs, p }
    }
}

/// The quantile `q` of a sorted set, by the nearest rank. Zero for an empty set.
pub fn quantile(sorted: &[Duration], q: f64) -> Duration {
    let rank = (1..=sorted.len()).find(|rank| count(*rank) >= q * count(sorted.len()));
    let index = rank.unwrap_or(sorted.len()).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

/// The median of a sorted set. For an even number of members, the mean of the middle two.
pub fn median(sorted: &[Duration]) -> Duration {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        (quantile(sorted, 0.5) + sorted.get(middle).copied().unwrap_or_default()) / 2
    } else {
        quantile(sorted, 0.5)
    }
}

fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(values: &[u64]) -> Vec<Duration> {
        values.iter().copied().map(Duration::from_millis).collect()
    }

    #[track_caller]
    fn assert_near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
    }

    #[test]
    fn disjoint_sets_are_told_apart() {
        let test = RankTest::of(&millis(&[1, 2, 3, 4, 5]), &millis(&[6, 7, 8, 9, 10]));
        assert_near(test.auc, 1.0);
        // z = (12.5 - 0.5) / sqrt(25 * 11 / 12)
        assert_near(test.p, 0.012_185_781);
        let test = RankTest::of(&millis(&[6, 7, 8, 9, 10]), &millis(&[1, 2, 3, 4, 5]));
        assert_near(test.auc, 0.0);
        assert_near(test.p, 0.012_185_781);
    }

    #[test]
    fn a_tie_counts_one_half_and_lowers_the_variance() {
        // Of 16 pairs the second is greater in 8 and the same in 2. Two groups of
        // ties, of 2 and 3: the sum of t^3 - t is 30.
        let test = RankTest::of(&millis(&[1, 1, 2, 3]), &millis(&[2, 2, 4, 0]));
        assert_near(test.auc, 9.0 / 16.0);
        let variance: f64 = 16.0 / 12.0 * (9.0 - 30.0 / 56.0);
        // U is 9, and 8 by chance.
        assert_near(test.p, erfc(0.5 / (2.0 * variance).sqrt()));
    }

    #[test]
    fn equal_samples_are_not_told_apart() {
        let test = RankTest::of(&millis(&[7; 30]), &millis(&[7; 40]));
        assert_near(test.auc, 0.5);
        assert_near(test.p, 1.0);
    }

    #[test]
    fn a_small_shift_of_many_samples_is_seen() {
        let set: Vec<_> = (0..500).collect();
        let later: Vec<_> = set.iter().map(|n| n + 100).collect();
        assert!(RankTest::of(&millis(&set), &millis(&later)).p < 1e-6);
        let next: Vec<_> = set.iter().map(|n| n + 1).collect();
        assert!(RankTest::of(&millis(&set), &millis(&next)).p > 0.5);
    }

    #[test]
    fn a_quantile_is_a_member_and_the_median_is_in_the_middle() {
        let set = millis(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        for (q, expected) in [(0.0, 1), (0.5, 5), (0.9, 9), (0.99, 10), (1.0, 10)] {
            assert_eq!(quantile(&set, q), Duration::from_millis(expected));
        }
        assert_eq!(median(&set), Duration::from_micros(5500));
        assert_eq!(median(&set[..9]), Duration::from_millis(5));
        assert_eq!(median(&[]), Duration::ZERO);
    }
}
