//! What an instance remembers of refusals.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use otp_domain::{FullLimit, Scope, UnixTime};

/// Limits that refused lately, so that a repeated request is refused without
/// asking the table again.
///
/// The number of requests of a client never goes down before its window ends, so
/// a full limit of a client is remembered until then. Other limits get room back
/// when a message is withdrawn, so they are remembered for [`MOMENT`] only.
#[derive(Default)]
pub(super) struct Memory(Mutex<HashMap<&'static str, Refusals>>);

/// The limits of one name, with the end of their memory.
type Refusals = HashMap<Scope, (FullLimit, UnixTime)>;

/// How long a limit that may get room back is believed to be full.
const MOMENT: Duration = Duration::from_secs(10);

/// The most limits of one name that are remembered.
const MOST: usize = 1000;

impl Memory {
    fn refusals(&self) -> MutexGuard<'_, HashMap<&'static str, Refusals>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a limit that refuses now.
    pub(super) fn remember(&self, limit: &FullLimit, now: UnixTime) {
        let until = match limit.scope {
            Scope::Client(_) => limit.ends_at,
            _ => limit.ends_at.min(now.plus(MOMENT)),
        };
        let mut refusals = self.refusals();
        let same_name = refusals.entry(limit.name).or_default();
        if same_name.len() >= MOST {
            same_name.retain(|_, (_, until)| now < *until);
        }
        if same_name.len() < MOST {
            same_name.insert(limit.scope.clone(), (limit.clone(), until));
        }
    }

    /// The limit of this scope and name, if it is known to refuse now who has so much of it
    /// kept from him.
    pub(super) fn recall(
        &self,
        scope: &Scope,
        name: &str,
        kept: u32,
        now: UnixTime,
    ) -> Option<FullLimit> {
        let refusals = self.refusals();
        let (limit, until) = refusals.get(name)?.get(scope)?;
        (now < *until && limit.kept <= kept).then(|| limit.clone())
    }

    /// Forgets a limit that may have room again.
    pub(super) fn forget(&self, scope: &Scope, name: &str) {
        if let Some(same_name) = self.refusals().get_mut(name) {
            same_name.remove(scope);
        }
    }

    /// Forgets everything.
    pub(super) fn reset(&self) {
        self.refusals().clear();
    }
}

#[cfg(test)]
mod tests {
    use otp_domain::{ClientAddress, DestinationKind, LimitKind};

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_767_226_200);
    const ALL: Scope = Scope::Deployment(DestinationKind::Phone);

    fn full(scope: Scope, seconds: u64) -> FullLimit {
        FullLimit {
            scope,
            name: "any",
            kind: LimitKind::Deployment,
            kept: 0,
            ends_at: NOW.plus(Duration::from_secs(seconds)),
        }
    }

    fn client(n: u32) -> Scope {
        let address = std::net::Ipv4Addr::from(n).to_string();
        Scope::Client(ClientAddress::from_gateway(Some(&address)))
    }

    #[test]
    fn a_client_is_remembered_until_its_window_ends_and_a_cap_for_a_moment() {
        let known = Memory::default();
        for (scope, seconds, remembered) in [
            (client(1), 3000, 3000),
            (ALL, 3000, 10),
            (Scope::Prefix("+1".to_owned()), 3, 3),
        ] {
            let limit = full(scope.clone(), seconds);
            known.remember(&limit, NOW);
            let end = NOW.plus(Duration::from_secs(remembered));
            let before = end.minus(Duration::from_millis(1));
            assert_eq!(known.recall(&scope, "any", 0, before), Some(limit));
            assert_eq!(known.recall(&scope, "any", 0, end), None);
            assert_eq!(known.recall(&scope, "another", 0, NOW), None);
        }
    }

    #[test]
    fn a_limit_that_is_forgotten_refuses_no_longer() {
        let known = Memory::default();
        known.remember(&full(ALL, 60), NOW);
        known.forget(&ALL, "any");
        assert_eq!(known.recall(&ALL, "any", 0, NOW), None);
        known.remember(&full(client(1), 60), NOW);
        known.reset();
        assert_eq!(known.recall(&client(1), "any", 0, NOW), None);
    }

    #[test]
    fn the_memory_is_bounded_and_makes_room_when_entries_are_over() {
        let known = Memory::default();
        for n in 0..2000 {
            known.remember(&full(client(n), 60), NOW);
        }
        assert_eq!(known.refusals()["any"].len(), MOST);
        let later = NOW.plus(Duration::from_mins(1));
        known.remember(&full(client(5000), 120), later);
        assert!(known.recall(&client(5000), "any", 0, later).is_some());
        assert_eq!(known.refusals()["any"].len(), 1);
    }
}
