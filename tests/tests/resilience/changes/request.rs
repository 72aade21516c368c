//! The requests in which a user changes.

use tests::Call;

use super::operator::Change;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Login,
    Validate,
    ValidateWithKey,
    /// The repeat of a validation under an idempotency key.
    ValidateRepeated,
    /// A validation by someone who is no user yet.
    ValidateNewcomer,
    Refresh,
    /// A refresh by a token whose successor is unused.
    RefreshRetried,
    Me,
    Logout,
    LogoutAll,
    /// The operator's tool sets claims.
    SetClaims,
    /// The operator's tool disables the user.
    Disable,
    /// The operator's tool enables the user, who is disabled.
    Enable,
    /// The operator's tool removes the user.
    Remove,
}

impl Request {
    pub const ALL: [Self; 14] = [
        Self::Login,
        Self::Validate,
        Self::ValidateWithKey,
        Self::ValidateRepeated,
        Self::ValidateNewcomer,
        Self::Refresh,
        Self::RefreshRetried,
        Self::Me,
        Self::Logout,
        Self::LogoutAll,
        Self::SetClaims,
        Self::Disable,
        Self::Enable,
        Self::Remove,
    ];

    /// Those that treat unknown users in a way of their own.
    pub const LOGGING_IN: [Self; 2] = [Self::Login, Self::Validate];

    /// Of a user who does not exist yet, only the next one can come between.
    pub fn can_meet(self, change: Change) -> bool {
        self != Self::ValidateNewcomer || change == Change::Replace
    }

    /// The calls that it makes at least, if nothing changes.
    pub const fn least_calls(self) -> usize {
        match self {
            Self::Me => 1,
            Self::Logout | Self::SetClaims | Self::Disable => 2,
            _ => 3,
        }
    }

    /// The call that decides whether the request gets a token, or whether it changes the user.
    /// A change before it counts.
    pub const fn decided_by(self) -> Option<Call> {
        match self {
            Self::Validate | Self::ValidateWithKey | Self::ValidateNewcomer => Some(Call::Redeem),
            Self::ValidateRepeated => Some(Call::FindSession),
            Self::Refresh => Some(Call::Rotate),
            Self::RefreshRetried | Self::Me => Some(Call::FindUser),
            Self::SetClaims => Some(Call::SetClaims),
            Self::Disable | Self::Enable | Self::Remove => Some(Call::ChangeUser),
            Self::Login | Self::Logout | Self::LogoutAll => None,
        }
    }

    /// Whether it leads to a session that did not exist before.
    pub const fn starts_a_session(self) -> bool {
        matches!(
            self,
            Self::Login | Self::Validate | Self::ValidateWithKey | Self::ValidateNewcomer
        )
    }

    /// Whether the operator's tool makes it.
    pub const fn is_operators(self) -> bool {
        matches!(
            self,
            Self::SetClaims | Self::Disable | Self::Enable | Self::Remove
        )
    }
}
