//! Refresh tokens: a client presents one to get a new access token.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};

use super::{SessionId, UserId};

/// The longest user id in a token, in bytes.
const LONGEST_USER_ID: usize = 128;

/// A refresh token: 128 random bits for the session, a secret of 256 random
/// bits, and the user's id. It is opaque to clients.
pub struct RefreshToken {
    session: [u8; 16],
    secret: SecretBox<[u8; 32]>,
    user: UserId,
}

/// The stored form of a token: SHA-256 of its secret. Codes need a keyed digest;
/// 256 random bits do not.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshTokenDigest([u8; 32]);

/// Random bits that turn a token into its successor. The table keeps them, so
/// that a retried refresh gets the same successor. Without the token, they are
/// useless.
#[derive(Clone, PartialEq, Eq)]
pub struct RotationSalt([u8; 32]);

impl RefreshToken {
    /// Draws the first token of a new session.
    pub fn draw(user: UserId, rng: &mut impl CryptoRng) -> Self {
        let mut session = [0; 16];
        rng.fill_bytes(&mut session);
        Self {
            session,
            secret: SecretBox::new(Box::new(draw(rng))),
            user,
        }
    }

    /// A token of bits that are as good as random.
    pub(super) fn derived(user: UserId, session: [u8; 16], secret: [u8; 32]) -> Self {
        Self {
            session,
            secret: SecretBox::new(Box::new(secret)),
            user,
        }
    }

    /// Reads a token that a client presents. `None` if the text is not the form
    /// of a token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (session, rest) = bytes.split_first_chunk()?;
        let (secret, user) = rest.split_first_chunk()?;
        let user = std::str::from_utf8(user).ok()?;
        if user.is_empty() || user.len() > LONGEST_USER_ID {
            return None;
        }
        Some(Self {
            session: *session,
            secret: SecretBox::new(Box::new(*secret)),
            user: UserId::from_table(user.to_owned()),
        })
    }

    /// The token as text, for the answer to its client only.
    #[must_use]
    pub fn expose_secret(&self) -> String {
        let secret = self.secret.expose_secret();
        let user = self.user.as_str().as_bytes();
        URL_SAFE_NO_PAD.encode([&self.session, secret.as_slice(), user].concat())
    }

    /// The user that the token claims to belong to.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.user
    }

    /// The session that the token claims to belong to.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        SessionId::new(URL_SAFE_NO_PAD.encode(Sha256::digest(self.session)))
    }

    /// The stored form of the token.
    #[must_use]
    pub fn digest(&self) -> RefreshTokenDigest {
        RefreshTokenDigest(Sha256::digest(self.secret.expose_secret()).into())
    }

    /// The token that replaces this one: its secret is HMAC-SHA-256 of `salt`
    /// under this token's secret.
    #[must_use]
    pub fn successor(&self, salt: &RotationSalt) -> Self {
        Self {
            session: self.session,
            secret: SecretBox::new(Box::new(self.mac(salt).finalize().into_bytes().into())),
            user: self.user.clone(),
        }
    }

    fn mac(&self, salt: &RotationSalt) -> Hmac<Sha256> {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes keys of every length (RFC 2104)"
        )]
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret())
            .expect("HMAC takes keys of every length");
        mac.chain_update(salt.0)
    }
}

impl RotationSalt {
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

impl TryFrom<&[u8]> for RefreshTokenDigest {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl TryFrom<&[u8]> for RotationSalt {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl AsRef<[u8]> for RefreshTokenDigest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for RotationSalt {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

impl fmt::Debug for RefreshTokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshTokenDigest(..)")
    }
}

impl fmt::Debug for RotationSalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RotationSalt(..)")
    }
}
