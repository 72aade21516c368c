//! Whom a destination logs in.

use rand::CryptoRng;

use super::challenge::draw_id;

/// Names one user, for ever: opaque, and unrelated to the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserId(String);

impl UserId {
    /// Draws a new id of 128 random bits.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        Self(draw_id(rng))
    }

    /// Wraps an id as read from the table.
    #[must_use]
    pub const fn from_table(id: String) -> Self {
        Self(id)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user, as the table knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their name.
    pub id: UserId,
    /// Whether they may not log in.
    pub disabled: bool,
}

/// The user that a login is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// The table knows them.
    Known(UserId),
    /// It does not; this login makes them.
    New(UserId),
}

impl Account {
    /// Whose token it will be.
    #[must_use]
    pub const fn user_id(&self) -> &UserId {
        match self {
            Self::Known(id) | Self::New(id) => id,
        }
    }

    /// Whether this login makes the user.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }
}
