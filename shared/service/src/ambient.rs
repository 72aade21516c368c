//! The clock and the entropy of the machine. All other code takes time and
//! randomness as arguments; `clippy.toml` enforces this.

use std::time::{Duration, Instant, SystemTime};

use otp_domain::UnixTime;
use rand::{SeedableRng, rngs::StdRng, rngs::SysRng};

/// The wall clock. A clock before 1970 reads as 1970.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the wall clock"
)]
pub fn now() -> UnixTime {
    let since_epoch = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

/// A cryptographic generator, seeded by the operating system for each request.
///
/// # Panics
///
/// If the operating system gives no entropy: without it, no code can be drawn.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "without entropy no request may be served"
)]
pub fn rng() -> StdRng {
    StdRng::try_from_rng(&mut SysRng).expect("the operating system gives entropy")
}

/// Measures elapsed time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one reader of the monotonic clock"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Waits until `wait` has passed since the start.
    pub async fn reach(&self, wait: Duration) {
        tokio::time::sleep(wait.saturating_sub(self.elapsed())).await;
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
