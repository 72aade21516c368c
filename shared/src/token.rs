//! The token: a JWT access token in the profile of RFC 9068, signed by KMS.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::{
    domain::{Destination, RequestId, UnixTime, UserId},
    fault::{Dependency, Fault},
    keys::SigningKey,
};

/// Says who logged in, to whom, until when.
pub struct TokenIssuer {
    key: SigningKey,
    issuer: String,
    audience: String,
    ttl: Duration,
}

/// A signed token, ready to be handed to the one client that proved itself.
pub struct Token {
    jwt: SecretString,
    /// How long it lives from its minting.
    pub ttl: Duration,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
    jti: &'a str,
    amr: &'static [&'static str],
    #[serde(flatten)]
    proved: Proved<'a>,
}

/// The claims of `OpenID` Connect Core section 5.1 for what the login proved.
#[derive(Serialize)]
#[serde(untagged)]
enum Proved<'a> {
    Email {
        email: &'a str,
        email_verified: bool,
    },
    Phone {
        phone_number: &'a str,
        phone_number_verified: bool,
    },
}

impl<'a> Proved<'a> {
    /// The proof and its method references (RFC 8176).
    fn by(destination: &'a Destination) -> (Self, &'static [&'static str]) {
        let text = destination.as_str();
        match destination {
            Destination::Email(_) => (
                Self::Email {
                    email: text,
                    email_verified: true,
                },
                &["otp"],
            ),
            Destination::Phone(_) => (
                Self::Phone {
                    phone_number: text,
                    phone_number_verified: true,
                },
                &["otp", "sms"],
            ),
        }
    }
}

impl TokenIssuer {
    /// An issuer whose tokens live `ttl`.
    #[must_use]
    pub const fn new(key: SigningKey, issuer: String, audience: String, ttl: Duration) -> Self {
        Self {
            key,
            issuer,
            audience,
            ttl,
        }
    }

    /// Makes and signs a token for a user who holds `destination`.
    ///
    /// # Errors
    ///
    /// KMS cannot be reached, or refuses.
    pub async fn mint(
        &self,
        user: &UserId,
        destination: &Destination,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Token, Fault> {
        let (proved, amr) = Proved::by(destination);
        let jti = RequestId::draw(rng);
        let claims = Claims {
            iss: &self.issuer,
            sub: user.as_str(),
            aud: &self.audience,
            iat: now.as_secs(),
            exp: now.as_secs() + self.ttl.as_secs(),
            jti: jti.as_str(),
            amr,
            proved,
        };
        let header = Header {
            alg: "RS256",
            typ: "at+jwt",
            kid: self.key.kid(),
        };
        let mut jwt = format!("{}.{}", encode(&header)?, encode(&claims)?);
        let signature = self.key.sign(jwt.as_bytes()).await?;
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
        Ok(Token {
            jwt: jwt.into(),
            ttl: self.ttl,
        })
    }
}

fn encode(part: &impl Serialize) -> Result<String, Fault> {
    let json = serde_json::to_vec(part)
        .map_err(|_| Fault::new(Dependency::Keys, "mint", "claims are not JSON"))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

impl Token {
    /// The token in its compact form (RFC 7515 section 3.1), for the answer.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.jwt.expose_secret()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}
