//! Sessions: what a validation starts, refreshes continue, and a logout ends.
//!
//! Each refresh replaces the session's refresh token by a successor, and only
//! the newest token is good (rotation, RFC 9700 section 4.14.2). An older token
//! that comes back is *reused*: either the thief or the victim presents it, so
//! the session ends.

use std::time::Duration;

use super::{Destination, RefreshToken, RefreshTokenDigest, RotationSalt, UnixTime, UserId};

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub struct SessionLifetimes {
    /// Life of a session from its start, however often it is refreshed.
    pub absolute: Duration,
    /// Life of a session that is not refreshed.
    pub idle: Duration,
    /// How long after a refresh the replaced token may be retried. A retry gets
    /// the same successor: its client never saw the first answer.
    pub grace: Duration,
}

/// Names a session in the table and in operators' lists. It is a hash, so that
/// a reader of either cannot present a token of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionId(String);

/// A session of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// Whose session it is.
    pub user: UserId,
    /// The destination that the user proved to hold.
    pub destination: Destination,
    /// When the session started.
    pub created_at: UnixTime,
    /// The digest of the one good refresh token.
    pub current: RefreshTokenDigest,
    /// The digest of the token that was replaced last, and the salt that made
    /// its successor.
    pub previous: Option<(RefreshTokenDigest, RotationSalt)>,
    /// When the current token was issued.
    pub refreshed_at: UnixTime,
    /// The first instant at which the current token is worthless.
    pub expires_at: UnixTime,
    /// The first instant after the session's absolute life.
    pub ends_at: UnixTime,
}

/// What a presented refresh token means for its session.
#[derive(Debug)]
pub enum Presentation {
    /// The token is the current one: replace it.
    Current,
    /// The token was replaced within the grace period and its successor is
    /// unused: answer with that successor again.
    Retried(RefreshToken),
    /// The token was replaced before that: somebody has a copy.
    Reused,
    /// The session is past its life.
    Expired,
}

impl Session {
    /// The session that a validation starts, with `token` as its first token.
    #[must_use]
    pub fn start(
        token: &RefreshToken,
        destination: &Destination,
        lifetimes: SessionLifetimes,
        now: UnixTime,
    ) -> Self {
        let ends_at = now.plus(lifetimes.absolute);
        Self {
            id: token.session_id(),
            user: token.user().clone(),
            destination: destination.clone(),
            created_at: now,
            current: token.digest(),
            previous: None,
            refreshed_at: now,
            expires_at: now.plus(lifetimes.idle).min(ends_at),
            ends_at,
        }
    }

    /// The session after its current `token` was replaced by the successor that
    /// `salt` makes.
    #[must_use]
    pub fn refreshed(
        &self,
        token: &RefreshToken,
        salt: RotationSalt,
        lifetimes: SessionLifetimes,
        now: UnixTime,
    ) -> Self {
        Self {
            current: token.successor(&salt).digest(),
            previous: Some((token.digest(), salt)),
            refreshed_at: now,
            expires_at: now.plus(lifetimes.idle).min(self.ends_at),
            ..self.clone()
        }
    }

    /// Judges a token that names this session. A token that names it was once
    /// good, because the id cannot be guessed; so one that is neither current
    /// nor just replaced is an old one.
    #[must_use]
    pub fn judge(
        &self,
        token: &RefreshToken,
        lifetimes: SessionLifetimes,
        now: UnixTime,
    ) -> Presentation {
        if now >= self.expires_at {
            return Presentation::Expired;
        }
        let digest = token.digest();
        if digest == self.current {
            return Presentation::Current;
        }
        match &self.previous {
            Some((previous, salt))
                if digest == *previous && now < self.refreshed_at.plus(lifetimes.grace) =>
            {
                Presentation::Retried(token.successor(salt))
            }
            _ => Presentation::Reused,
        }
    }
}

impl SessionId {
    /// Wraps an id from the table or from an operator.
    #[must_use]
    pub const fn new(id: String) -> Self {
        Self(id)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests;
