//! What a code is for.

use std::borrow::Cow;

use super::UserId;

/// What a code is for. It is part of the code, and of its challenge's key in the table: a
/// code for one thing does nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It logs somebody in.
    Login,
    /// It adds its destination to this user.
    Adding(UserId),
}

impl Purpose {
    /// The name in what is authenticated.
    pub(super) fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Login => "login".into(),
            Self::Adding(user) => format!("adding#{}", user.as_str()).into(),
        }
    }
}
