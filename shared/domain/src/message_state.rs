//! What became of a message.

use super::Mark;

/// What became of a message, as far as it is reported. A later one replaces an earlier
/// one, in whichever order the reports arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageState {
    /// The provider was asked to send it. Nothing is reported.
    Asked,
    /// The provider still tries.
    Delayed,
    /// The mail server or the carrier took it.
    Delivered,
    /// It is lost. The next one may arrive.
    Failed,
    /// The way loses messages.
    Lost(Mark),
}

impl MessageState {
    /// Its name in the table, in the log and for operators.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Lost(mark) => mark.as_str(),
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let plain = [Self::Asked, Self::Delayed, Self::Delivered, Self::Failed];
        let mut plain = plain.into_iter();
        let found = plain.find(|state| state.as_str() == name);
        found.or_else(|| Mark::named(name).map(Self::Lost))
    }

    /// The mark that it puts on its way.
    #[must_use]
    pub const fn mark(self) -> Option<Mark> {
        match self {
            Self::Lost(mark) => Some(mark),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_name_of_its_own_and_a_complaint_is_the_last_word() {
        let lost = Mark::ALL.map(MessageState::Lost);
        let states = [
            MessageState::Asked,
            MessageState::Delayed,
            MessageState::Delivered,
            MessageState::Failed,
        ];
        let states: Vec<_> = states.into_iter().chain(lost).collect();
        assert!(states.is_sorted());
        for state in states {
            assert_eq!(MessageState::named(state.as_str()), Some(state));
        }
        assert_eq!(MessageState::named("lost"), None);
    }
}
