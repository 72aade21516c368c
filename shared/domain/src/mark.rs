//! Marks: why a way to a destination loses codes.

use std::time::Duration;

/// Why a way to a destination loses codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// The phone has opted out of messages, or blocks them.
    OptedOut,
    /// There is no such number.
    Unreachable,
    /// The mailbox refuses messages, or there is none.
    Bounced,
    /// The provider sends nothing there: the destination is on its suppression list.
    Suppressed,
    /// The recipient reported a message as spam.
    Complained,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Self; 5] = [
        Self::OptedOut,
        Self::Unreachable,
        Self::Bounced,
        Self::Suppressed,
        Self::Complained,
    ];

    /// Its name in the table, in the log and for operators.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OptedOut => "opted-out",
            Self::Unreachable => "unreachable",
            Self::Bounced => "bounced",
            Self::Suppressed => "suppressed",
            Self::Complained => "complained",
        }
    }

    /// The mark of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.as_str() == name)
    }

    /// How long it counts; `None` if it counts until it is lifted. A mailbox may be made
    /// again, and a number may get a new owner.
    #[must_use]
    pub const fn lasts(self) -> Option<Duration> {
        match self {
            Self::Bounced => Some(Duration::from_hours(30 * 24)),
            Self::Unreachable => Some(Duration::from_hours(7 * 24)),
            Self::OptedOut | Self::Suppressed | Self::Complained => None,
        }
    }
}
