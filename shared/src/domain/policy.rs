//! What an operator may tune.

use std::time::Duration;

use super::UnixTime;

/// The numbers that bound guessing and sending.
///
/// `Config` holds each to its range; the defaults are those of the README.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Digits of a code: 6 (NIST SP 800-63B-4 section 3.1.3.2) to 10.
    pub code_length: u8,
    /// Life of a code: 1 second to 10 minutes (the same section's maximum).
    pub code_ttl: Duration,
    /// Comparisons that one challenge is good for: 1 to 10.
    pub max_attempts: u8,
    /// Least time between two sends to one destination; zero for none.
    pub cooldown: Duration,
    /// Sends to one destination within one hour of the clock.
    pub sends_per_hour: u32,
    /// Sends to one destination within one UTC day.
    pub sends_per_day: u32,
}

/// At most `max` admissions within each `window` of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name in the table.
    pub name: &'static str,
    /// The length of its windows.
    pub window: Duration,
    /// Admissions within one window.
    pub max: u32,
}

impl Limit {
    /// The start of the window that `now` falls into.
    #[must_use]
    pub fn window_start(&self, now: UnixTime) -> UnixTime {
        now.window_start(self.window)
    }

    /// When that window ends, and with it the refusals of this limit.
    #[must_use]
    pub fn window_end(&self, now: UnixTime) -> UnixTime {
        self.window_start(now).plus(self.window)
    }
}

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

impl Policy {
    /// The windows that a send to one destination must fit into, all of them.
    #[must_use]
    pub const fn send_limits(&self) -> [Limit; 2] {
        [
            Limit {
                name: "hour",
                window: HOUR,
                max: self.sends_per_hour,
            },
            Limit {
                name: "day",
                window: DAY,
                max: self.sends_per_day,
            },
        ]
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            code_length: 6,
            code_ttl: Duration::from_mins(5),
            max_attempts: 3,
            cooldown: Duration::from_secs(30),
            sends_per_hour: 5,
            sends_per_day: 10,
        }
    }
}
