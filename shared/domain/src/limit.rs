//! Rate limits: how many admissions a scope gets within a window.

use std::time::Duration;

use super::{ClientAddress, Destination, DestinationKind, Refusal, UnixTime};

/// What a limit counts by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Per destination, or per mailbox of several destinations.
    Destination(Destination),
    /// Per known device of a destination, by the device's name.
    Device(Destination, String),
    /// Per client.
    Client(ClientAddress),
    /// Per allowed prefix.
    Prefix(String),
    /// Per network of strangers, for e-mail or for an allowed prefix.
    Network(String, ClientAddress),
    /// For the whole deployment, per kind of destination.
    Deployment(DestinationKind),
}

/// What a refused client is told of the limit that refuses. It tells nobody who
/// has an account: every destination has the same limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitKind {
    /// The least time between two sends to the destination.
    Cooldown,
    /// The sends to the destination, or those that a known device asked for.
    Destination,
    /// The requests of the client.
    Client,
    /// The messages of the deployment, or of a part of it.
    Deployment,
}

impl LimitKind {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cooldown => "cooldown",
            Self::Destination => "destination",
            Self::Client => "client",
            Self::Deployment => "deployment",
        }
    }
}

/// At most `max` admissions of a scope within each `window` of the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What the limit counts by.
    pub scope: Scope,
    /// The limit's name in the table and in the log.
    pub name: &'static str,
    /// The length of its windows.
    pub window: Duration,
    /// Admissions within one window.
    pub max: u32,
    /// How many of them are kept for those who are trusted more.
    pub kept: u32,
    /// The size by which its counters are shared out: the same for whoever is counted, beside
    /// a guard or without one.
    pub spread: u32,
    /// Whether a withdrawn send is refunded.
    pub refundable: bool,
    /// Whether room comes back one by one through the window, and not at its end.
    pub refills: bool,
}

impl Limit {
    /// What a refused client is told of this limit.
    #[must_use]
    pub const fn kind(&self) -> LimitKind {
        match self.scope {
            Scope::Destination(_) | Scope::Device(..) => LimitKind::Destination,
            Scope::Client(_) => LimitKind::Client,
            Scope::Prefix(_) | Scope::Network(..) | Scope::Deployment(_) => LimitKind::Deployment,
        }
    }

    /// The start of the window that `now` falls into.
    #[must_use]
    pub fn window_start(&self, now: UnixTime) -> UnixTime {
        now.window_start(self.window)
    }

    /// When that window ends. Until then, a full limit keeps refusing.
    #[must_use]
    pub fn window_end(&self, now: UnixTime) -> UnixTime {
        self.window_start(now).plus(self.window)
    }

    /// The limit, when it is full at this instant.
    #[must_use]
    pub fn full(&self, at: UnixTime) -> FullLimit {
        FullLimit {
            scope: self.scope.clone(),
            name: self.name,
            kind: self.kind(),
            kept: self.kept,
            ends_at: self.window_end(at),
        }
    }

    /// The time in which one admission of a limit that refills comes back.
    #[must_use]
    pub fn refill(&self) -> Duration {
        (self.window / self.max.max(1)).max(Duration::from_millis(1))
    }
}

/// A limit that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullLimit {
    /// What the limit counts by.
    pub scope: Scope,
    /// The limit's name.
    pub name: &'static str,
    /// What the client is told of the limit.
    pub kind: LimitKind,
    /// How much of the limit is kept from whom it refuses. Others may have room.
    pub kept: u32,
    /// When the limit has room again at the latest.
    pub ends_at: UnixTime,
}

impl FullLimit {
    /// The refusal by this limit.
    #[must_use]
    pub fn refusal(&self, now: UnixTime) -> Refusal {
        Refusal::TooManyRequests {
            limit: self.name,
            kind: self.kind,
            wait: now.until(self.ends_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(scope: Scope) -> Limit {
        Limit {
            scope,
            name: "any",
            window: Duration::from_hours(1),
            max: 1000,
            kept: 0,
            spread: 1000,
            refundable: true,
            refills: false,
        }
    }

    #[test]
    fn what_a_client_is_told_of_a_limit_follows_from_what_the_limit_counts_by() {
        let destination: Destination = "alice@example.com".parse().unwrap();
        for (scope, told) in [
            (Scope::Destination(destination.clone()), "destination"),
            (
                Scope::Device(destination, "device".to_owned()),
                "destination",
            ),
            (Scope::Client(ClientAddress::from_gateway(None)), "client"),
            (Scope::Prefix("+1".to_owned()), "deployment"),
            (Scope::Deployment(DestinationKind::Phone), "deployment"),
        ] {
            assert_eq!(limit(scope).kind().as_str(), told);
        }
        assert_eq!(LimitKind::Cooldown.as_str(), "cooldown");
    }

    #[test]
    fn a_window_follows_the_clock_and_ends_where_the_next_begins() {
        let limit = limit(Scope::Deployment(DestinationKind::Email));
        let noon = UnixTime::from_secs(1_767_268_800);
        let one = noon.plus(Duration::from_hours(1));
        for at in [noon, one.minus(Duration::from_millis(1))] {
            assert_eq!((limit.window_start(at), limit.window_end(at)), (noon, one));
        }
        assert_eq!(limit.window_start(one), one);
    }

    #[test]
    fn a_full_limit_tells_how_long_it_refuses() {
        let limit = limit(Scope::Prefix("+1".to_owned()));
        let at = UnixTime::from_secs(1_767_268_800 + 600);
        let wait = Duration::from_mins(50);
        let (name, kind) = ("any", LimitKind::Deployment);
        let refusal = Refusal::TooManyRequests {
            limit: name,
            kind,
            wait,
        };
        assert_eq!(limit.full(at).refusal(at), refusal);
    }
}
