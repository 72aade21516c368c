//! Logins that wait for a write that counts them.

use std::collections::HashMap;

use super::{Limit, Scope, UnixTime};

/// The most clients whose logins wait.
const MOST: usize = 1000;

/// Logins that an instance has not counted against their client's limit of
/// validations. The next count of the same client and hour adds them, so that they
/// need no write of their own.
#[derive(Debug, Default)]
pub struct UncountedLogins(HashMap<Scope, (UnixTime, u32)>);

impl UncountedLogins {
    /// Adds logins of this window. Beyond a thousand clients they are forgotten:
    /// their limit of logins bounds them, too.
    pub fn add(&mut self, limit: &Limit, logins: u32, now: UnixTime) {
        let window = limit.window_start(now);
        if self.0.len() >= MOST {
            self.0.retain(|_, (known, _)| *known >= window);
        }
        if logins > 0 && self.0.len() < MOST {
            let waiting = self.0.entry(limit.scope.clone()).or_insert((window, 0));
            if waiting.0 != window {
                *waiting = (window, 0);
            }
            waiting.1 += logins;
        }
    }

    /// Takes the logins of this window.
    pub fn take(&mut self, limit: &Limit, now: UnixTime) -> u32 {
        let waiting = self.0.remove(&limit.scope);
        let of_window = waiting.filter(|(window, _)| *window == limit.window_start(now));
        of_window.map_or(0, |(_, logins)| logins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientAddress, Policy};
    use std::time::Duration;

    const NOW: UnixTime = UnixTime::from_secs(1_767_226_200);

    fn limit(n: u32) -> Limit {
        let address = std::net::Ipv4Addr::from(n).to_string();
        Policy::default().validation_limit(&ClientAddress::from_gateway(Some(&address)))
    }

    #[test]
    fn logins_wait_for_their_own_client_and_hour_and_are_taken_once() {
        let mut waiting = UncountedLogins::default();
        waiting.add(&limit(1), 1, NOW);
        waiting.add(&limit(1), 2, NOW);
        waiting.add(&limit(2), 1, NOW);
        assert_eq!(waiting.take(&limit(1), NOW), 3);
        assert_eq!(waiting.take(&limit(1), NOW), 0);
        let next_hour = NOW.plus(Duration::from_hours(1));
        assert_eq!(waiting.take(&limit(2), next_hour), 0);
    }

    #[test]
    fn a_thousand_clients_are_remembered() {
        let mut waiting = UncountedLogins::default();
        for n in 0..1001 {
            waiting.add(&limit(n), 1, NOW);
        }
        assert_eq!(waiting.take(&limit(1000), NOW), 0);
        assert_eq!(waiting.take(&limit(999), NOW), 1);
    }
}
