//! Instants, in milliseconds since the Unix epoch.

use std::time::Duration;

/// An instant, in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Milliseconds give two challenges of one destination an order. What a client
/// sees is rounded to seconds, towards the safe side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The instant `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The instant `secs` seconds after the epoch.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// The instant `wait` after this one.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// The instant `wait` before this one, but not before the epoch.
    #[must_use]
    pub fn minus(self, wait: Duration) -> Self {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// The time from this instant until `later`; zero if `later` has passed.
    #[must_use]
    pub const fn until(self, later: Self) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0))
    }

    /// The start of the window of length `window` that holds this instant.
    /// Windows follow the clock (an hour starts on the hour, a day at midnight
    /// UTC), so that all instances have the same windows.
    #[must_use]
    pub fn window_start(self, window: Duration) -> Self {
        let millis = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        Self(self.0 - self.0 % millis.max(1))
    }

    /// The start of the UTC day that holds this instant.
    #[must_use]
    pub fn utc_day(self) -> Self {
        self.window_start(Duration::from_hours(24))
    }
}

/// A wait in whole seconds, rounded up, so that it is never too short.
#[must_use]
pub const fn seconds_to_wait(wait: Duration) -> u64 {
    wait.as_secs() + (wait.subsec_nanos() > 0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_instant_is_kept_in_milliseconds_and_told_in_whole_seconds() {
        let at = UnixTime::from_millis(1_999);
        assert_eq!((at.as_millis(), at.as_secs()), (1_999, 1));
        assert_eq!(UnixTime::from_millis(1_000_000).as_secs(), 1_000);
        assert_eq!(UnixTime::from_secs(2).as_millis(), 2_000);
        assert_eq!(UnixTime::from_secs(u64::MAX).as_millis(), u64::MAX);
    }

    #[test]
    fn no_wait_leads_out_of_time() {
        let (first, last) = (UnixTime::from_millis(0), UnixTime::from_millis(u64::MAX));
        let at = UnixTime::from_secs(10);
        assert_eq!(at.plus(Duration::from_secs(5)), UnixTime::from_secs(15));
        assert_eq!(at.minus(Duration::from_secs(4)), UnixTime::from_secs(6));
        assert_eq!(at.minus(Duration::from_secs(11)), first);
        assert_eq!(at.plus(Duration::MAX), last);
        assert_eq!(at.minus(Duration::MAX), first);
        assert_eq!(at.until(UnixTime::from_secs(12)), Duration::from_secs(2));
        assert_eq!(at.until(UnixTime::from_secs(9)), Duration::ZERO);
    }

    #[test]
    fn a_day_begins_at_midnight_utc() {
        let midnight = UnixTime::from_secs(1_767_225_600);
        let last = midnight
            .plus(Duration::from_hours(24))
            .minus(Duration::from_millis(1));
        assert_eq!((midnight.utc_day(), last.utc_day()), (midnight, midnight));
        assert_eq!(last.window_start(Duration::ZERO), last);
        assert_eq!(last.window_start(Duration::MAX), UnixTime::from_secs(0));
    }

    #[test]
    fn a_wait_is_rounded_up() {
        for (millis, seconds) in [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (60_000, 60)] {
            assert_eq!(seconds_to_wait(Duration::from_millis(millis)), seconds);
        }
        assert_eq!(seconds_to_wait(Duration::from_nanos(1)), 1);
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn a_window_holds_the_instant_it_was_made_for(at in 0..u64::MAX / 2, secs in 1u64..200_000) {
            let (at, window) = (UnixTime::from_millis(at), Duration::from_secs(secs));
            let start = at.window_start(window);
            prop_assert!(start <= at);
            prop_assert!(at < start.plus(window));
            prop_assert_eq!(start.window_start(window), start);
        }
    }
}
