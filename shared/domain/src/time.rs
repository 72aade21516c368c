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
