//! Refresh tokens, and the families that descend from one login.
//!
//! A login starts a family with one token. Each refresh takes the token for a
//! successor, and the family lives on in that alone (RFC 9700 section 4.14.2).
//! A token that comes back after its successor took over was copied: whoever
//! brings it, thief or victim, ends the family.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};

use super::{Destination, UnixTime, UserId};

/// How long families live.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// From the login on, however often it is refreshed.
    pub absolute: Duration,
    /// Without a refresh.
    pub idle: Duration,
    /// How long a token may come again after it was taken for a successor, and
    /// get the same one: for clients that never saw the answer.
    pub grace: Duration,
}

/// No user's id is longer, in bytes; a key of the table could not hold any.
const LONGEST_USER_ID: usize = 128;

/// What a client keeps to get new tokens with: opaque to it. It names its
/// family, and carries 256 random bits that prove it.
pub struct RefreshToken {
    family: [u8; 16],
    secret: SecretBox<[u8; 32]>,
    user: UserId,
}

/// The name under which the table keeps a family: a hash, so that whoever reads
/// the table, or an operator's list, cannot even name a family to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyName(String);

/// The stored form of a token: its secret's hash. No key is needed, unlike for
/// codes: nobody can try 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshDigest([u8; 32]);

/// What a token and the random bits of its refresh are mixed to the successor
/// with. The table keeps it, so that the same token leads to the same successor
/// again; without the token it leads nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; 32]);

/// All that descends from one login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: FamilyName,
    /// Whose login it was.
    pub user: UserId,
    /// What the login proved.
    pub destination: Destination,
    /// When it was.
    pub created_at: UnixTime,
    /// The one token that it lives on in.
    pub current: RefreshDigest,
    /// The token before, and what made the current one of it.
    pub previous: Option<(RefreshDigest, Salt)>,
    /// When the current token was given out.
    pub refreshed_at: UnixTime,
    /// The first instant at which the current token is worth nothing.
    pub expires_at: UnixTime,
    /// The first instant at which the family is, however alive.
    pub ends_at: UnixTime,
}

/// What presenting a token amounts to.
#[derive(Debug)]
pub enum Presented {
    /// It is the current one: a successor is due.
    Current,
    /// It is the one before, within the grace, and its successor is unused.
    Again(RefreshToken),
    /// It was used up long ago: somebody has a copy.
    Copied,
    /// The family is past its life.
    Expired,
}

impl RefreshToken {
    /// The first token of a new family.
    pub fn draw(user: UserId, rng: &mut impl CryptoRng) -> Self {
        let mut family = [0; 16];
        rng.fill_bytes(&mut family);
        Self {
            family,
            secret: SecretBox::new(Box::new(draw(rng))),
            user,
        }
    }

    /// Reads a token as a client brings it back. Text that cannot be a token of
    /// ours gives `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (family, rest) = bytes.split_first_chunk()?;
        let (secret, user) = rest.split_first_chunk()?;
        let user = std::str::from_utf8(user).ok()?;
        if user.is_empty() || user.len() > LONGEST_USER_ID {
            return None;
        }
        Some(Self {
            family: *family,
            secret: SecretBox::new(Box::new(*secret)),
            user: UserId::from_table(user.to_owned()),
        })
    }

    /// The token as text, for the one client that it is for.
    #[must_use]
    pub fn expose_secret(&self) -> String {
        let secret = self.secret.expose_secret();
        let user = self.user.as_str().as_bytes();
        URL_SAFE_NO_PAD.encode([&self.family, secret.as_slice(), user].concat())
    }

    /// Whose it claims to be.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.user
    }

    /// Which family it claims to be of.
    #[must_use]
    pub fn family(&self) -> FamilyName {
        FamilyName(URL_SAFE_NO_PAD.encode(Sha256::digest(self.family)))
    }

    /// The form of it that is stored.
    #[must_use]
    pub fn digest(&self) -> RefreshDigest {
        RefreshDigest(Sha256::digest(self.secret.expose_secret()).into())
    }

    /// The token that takes over from this one: HMAC-SHA-256 of `salt` under
    /// this one's secret.
    #[must_use]
    pub fn successor(&self, salt: &Salt) -> Self {
        Self {
            family: self.family,
            secret: SecretBox::new(Box::new(self.mac(salt).finalize().into_bytes().into())),
            user: self.user.clone(),
        }
    }

    fn mac(&self, salt: &Salt) -> Hmac<Sha256> {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes keys of every length (RFC 2104)"
        )]
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret())
            .expect("HMAC takes keys of every length");
        mac.chain_update(salt.0)
    }
}

impl Family {
    /// The family that a login starts, with `token` as its first.
    #[must_use]
    pub fn start(
        token: &RefreshToken,
        destination: &Destination,
        lifetimes: Lifetimes,
        now: UnixTime,
    ) -> Self {
        let ends_at = now.plus(lifetimes.absolute);
        Self {
            name: token.family(),
            user: token.user.clone(),
            destination: destination.clone(),
            created_at: now,
            current: token.digest(),
            previous: None,
            refreshed_at: now,
            expires_at: now.plus(lifetimes.idle).min(ends_at),
            ends_at,
        }
    }

    /// The family after `token`, its current one, was taken for the successor
    /// that `salt` makes.
    #[must_use]
    pub fn refreshed(
        &self,
        token: &RefreshToken,
        salt: Salt,
        lifetimes: Lifetimes,
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

    /// What `token`, which names this family, amounts to. Nobody can name a
    /// family who never had a token of it, so one that is neither the current
    /// nor the one before is an older one.
    #[must_use]
    pub fn judge(&self, token: &RefreshToken, lifetimes: Lifetimes, now: UnixTime) -> Presented {
        if now >= self.expires_at {
            return Presented::Expired;
        }
        let digest = token.digest();
        if digest == self.current {
            return Presented::Current;
        }
        match &self.previous {
            Some((previous, salt))
                if digest == *previous && now < self.refreshed_at.plus(lifetimes.grace) =>
            {
                Presented::Again(token.successor(salt))
            }
            _ => Presented::Copied,
        }
    }
}

impl FamilyName {
    /// Wraps a name as read from the table or typed by an operator.
    #[must_use]
    pub const fn new(name: String) -> Self {
        Self(name)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Salt {
    /// Draws 256 random bits.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        Self(draw(rng))
    }
}

fn draw(rng: &mut impl CryptoRng) -> [u8; 32] {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    bytes
}

impl TryFrom<&[u8]> for RefreshDigest {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl TryFrom<&[u8]> for Salt {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl AsRef<[u8]> for RefreshDigest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Salt {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

impl fmt::Debug for RefreshDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshDigest(..)")
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

#[cfg(test)]
mod tests;
