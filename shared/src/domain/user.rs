//! Whom a destination logs in.

use rand::CryptoRng;

use super::{Channel, Destination, UnixTime, challenge::draw_id};

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

/// All that the table knows of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Their name.
    pub id: UserId,
    /// Whatever logs them in, the e-mail address first.
    pub destinations: Vec<Destination>,
    /// When they became a user.
    pub created_at: UnixTime,
    /// When they last logged in, if they ever have.
    pub last_login_at: Option<UnixTime>,
    /// Whether they may not log in.
    pub disabled: bool,
}

impl Profile {
    /// The destination that this channel reaches, if there is one.
    #[must_use]
    pub fn destination(&self, channel: Channel) -> Option<&Destination> {
        let mut destinations = self.destinations.iter();
        destinations.find(|destination| destination.channel() == channel)
    }
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
