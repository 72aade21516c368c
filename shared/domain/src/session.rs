//! Sessions: what a validation starts, refreshes continue, and a logout ends.
//!
//! Each refresh replaces the session's refresh token with a successor, and only
//! the newest token is valid (rotation, RFC 9700 section 4.14.2). An older token
//! that comes back is *reused*. The service cannot tell the thief from the
//! owner, so the session ends.

mod label;
mod seal;

use std::time::Duration;

pub use label::DeviceLabel;
pub use seal::Seal;

use super::{Destination, RefreshToken, RefreshTokenDigest, RotationSalt, UnixTime, UserId};

/// The lifetimes of a session.
#[derive(Clone, Copy, Debug)]
pub struct SessionLifetimes {
    /// Lifetime of a session from its start, however often it is refreshed.
    pub absolute: Duration,
    /// Lifetime of a session that is not refreshed.
    pub idle: Duration,
    /// The grace period: how long a replaced token still returns the same
    /// successor, for clients that lost the answer.
    pub grace: Duration,
}

/// Identifies a session in the table and in operators' lists. It is a hash, so
/// neither the table nor a list is enough to build a token of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionId(String);

/// A session of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// The session's user.
    pub user: UserId,
    /// The destination whose control the user proved.
    pub destination: Destination,
    /// What the client called its device at the validation.
    pub label: Option<DeviceLabel>,
    /// When the session started.
    pub created_at: UnixTime,
    /// Whether the validation that started the session created the user.
    pub new_user: bool,
    /// The digest of the current refresh token.
    pub current: RefreshTokenDigest,
    /// The digest of the previous token, and the salt that made its successor.
    pub previous: Option<(RefreshTokenDigest, RotationSalt)>,
    /// When the current token was issued.
    pub refreshed_at: UnixTime,
    /// The instant at which the current token expires.
    pub expires_at: UnixTime,
    /// The instant at which the session ends, however often it is refreshed.
    pub ends_at: UnixTime,
    /// The proof that this service started the session.
    pub seal: Option<Seal>,
}

/// What a presented refresh token means for its session.
#[derive(Debug)]
pub enum Presentation {
    /// The token is the current one: rotate it.
    Current,
    /// The token was replaced within the grace period and its successor is
    /// unused: answer with that successor again.
    Retried(RefreshToken),
    /// The token was replaced, and the grace period is over or its successor
    /// was used: somebody has a copy.
    Reused,
    /// The session has expired.
    Expired,
}

impl Session {
    /// The session of an existing user that a validation starts, with `token` as
    /// its first token.
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
            label: None,
            created_at: now,
            new_user: false,
            current: token.digest(),
            previous: None,
            refreshed_at: now,
            expires_at: now.plus(lifetimes.idle).min(ends_at),
            ends_at,
            seal: None,
        }
    }

    /// The session after `salt` turned its current `token` into the successor.
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

    /// Judges a token that names this session. Only a holder of one of the
    /// session's tokens can name it, so a token that is neither the current nor
    /// the previous one is an older one.
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
    /// Reads the id that a client names a session by: 43 characters of base64url. `None`
    /// for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let in_base64url = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        let fits = text.len() == 43 && text.bytes().all(in_base64url);
        fits.then(|| Self(text.to_owned()))
    }

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
