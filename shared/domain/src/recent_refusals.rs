//! What an instance remembers of refusals.

use std::{collections::HashMap, time::Duration};

use super::{LimitKind, Refusal, Scope, UnixTime};

/// A limit that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullLimit {
    /// What the limit counts by.
    pub scope: Scope,
    /// The limit's name.
    pub name: &'static str,
    /// What the client is told of the limit.
    pub kind: LimitKind,
    /// When the limit has room again at the latest.
    pub ends_at: UnixTime,
}

impl FullLimit {
    fn refusal(&self, now: UnixTime) -> (Duration, Refusal) {
        let wait = now.until(self.ends_at);
        let (limit, kind) = (self.name, self.kind);
        (wait, Refusal::TooManyRequests { limit, kind, wait })
    }

    /// The refusal by the limit that lasts longest.
    #[must_use]
    pub fn longest<'a>(
        limits: impl IntoIterator<Item = &'a Self>,
        now: UnixTime,
    ) -> Option<Refusal> {
        let refusals = limits.into_iter().map(|limit| limit.refusal(now));
        let longest = refusals.max_by_key(|(wait, _)| *wait);
        longest.map(|(_, refusal)| refusal)
    }
}

/// Limits that refused lately, so that a repeated request is refused without
/// asking the table again.
///
/// The number of requests of a client never goes down before its window ends, so
/// a full limit of a client is remembered until then. Other limits get room back
/// when a message is withdrawn, so they are remembered for [`MOMENT`] only.
#[derive(Debug, Default)]
pub struct RecentRefusals(HashMap<&'static str, HashMap<Scope, Remembered>>);

#[derive(Debug)]
struct Remembered {
    limit: FullLimit,
    until: UnixTime,
}

/// How long a limit that may get room back is believed to be full.
pub const MOMENT: Duration = Duration::from_secs(10);

/// The most limits of one name that are remembered.
const MOST: usize = 1000;

impl RecentRefusals {
    /// Remembers a limit that refuses now.
    pub fn remember(&mut self, limit: FullLimit, now: UnixTime) {
        let until = match limit.scope {
            Scope::Client(_) => limit.ends_at,
            _ => limit.ends_at.min(now.plus(MOMENT)),
        };
        let same_name = self.0.entry(limit.name).or_default();
        if same_name.len() >= MOST {
            same_name.retain(|_, known| now < known.until);
        }
        if same_name.len() < MOST {
            same_name.insert(limit.scope.clone(), Remembered { limit, until });
        }
    }

    /// The limit of this scope and name, if it is known to refuse now.
    #[must_use]
    pub fn recall(&self, scope: &Scope, name: &str, now: UnixTime) -> Option<&FullLimit> {
        let known = self.0.get(name)?.get(scope)?;
        (now < known.until).then_some(&known.limit)
    }

    /// Forgets a limit that may have room again.
    pub fn forget(&mut self, scope: &Scope, name: &str) {
        if let Some(same_name) = self.0.get_mut(name) {
            same_name.remove(scope);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientAddress;

    const NOW: UnixTime = UnixTime::from_secs(1_767_226_200);

    fn full(scope: Scope, seconds: u64) -> FullLimit {
        FullLimit {
            scope,
            name: "any",
            kind: LimitKind::Deployment,
            ends_at: NOW.plus(Duration::from_secs(seconds)),
        }
    }

    fn client(n: u32) -> Scope {
        let address = std::net::Ipv4Addr::from(n).to_string();
        Scope::Client(ClientAddress::from_gateway(Some(&address)))
    }

    #[test]
    fn a_client_is_remembered_until_its_window_ends_and_a_cap_for_a_moment() {
        let mut known = RecentRefusals::default();
        for (scope, seconds, remembered) in [
            (client(1), 3000, 3000),
            (Scope::Deployment, 3000, 10),
            (Scope::Prefix("+1".to_owned()), 3, 3),
        ] {
            let limit = full(scope.clone(), seconds);
            known.remember(limit.clone(), NOW);
            let end = NOW.plus(Duration::from_secs(remembered));
            let before = end.minus(Duration::from_millis(1));
            assert_eq!(known.recall(&scope, "any", before), Some(&limit));
            assert_eq!(known.recall(&scope, "any", end), None);
            assert_eq!(known.recall(&scope, "another", NOW), None);
        }
    }

    #[test]
    fn a_limit_that_is_forgotten_refuses_no_longer() {
        let mut known = RecentRefusals::default();
        known.remember(full(Scope::Deployment, 60), NOW);
        known.forget(&Scope::Deployment, "any");
        assert_eq!(known.recall(&Scope::Deployment, "any", NOW), None);
    }

    #[test]
    fn the_memory_is_bounded_and_makes_room_when_entries_are_over() {
        let mut known = RecentRefusals::default();
        for n in 0..2000 {
            known.remember(full(client(n), 60), NOW);
        }
        assert_eq!(known.0["any"].len(), MOST);
        let later = NOW.plus(Duration::from_mins(1));
        known.remember(full(client(5000), 120), later);
        assert!(known.recall(&client(5000), "any", later).is_some());
        assert_eq!(known.0["any"].len(), 1);
    }

    #[test]
    fn the_longest_wait_is_told() {
        let limits = [full(client(1), 20), full(Scope::Deployment, 30)];
        let Some(Refusal::TooManyRequests { wait, .. }) = FullLimit::longest(&limits, NOW) else {
            panic!("no refusal");
        };
        assert_eq!(wait, Duration::from_secs(30));
    }
}
