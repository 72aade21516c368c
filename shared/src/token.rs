//! The token: a JWT access token in the profile of RFC 9068, signed by KMS.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Validation, jwk::JwkSet};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        Destination, EmailAddress, Family, PhoneNumber, RequestId, Unauthorized, UnixTime, UserId,
    },
    fault::{Dependency, Fault},
    keys::SigningKey,
};

/// The type of our tokens, and of no others (RFC 9068 section 2.1).
const TYPE: &str = "at+jwt";

/// Says who logged in, to whom, until when; and takes its own word for it.
pub struct TokenIssuer {
    key: SigningKey,
    second: Option<SigningKey>,
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

/// Whom a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The user.
    pub user: UserId,
    /// The destination that they proved to hold.
    pub destination: Destination,
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
    auth_time: u64,
    jti: &'a str,
    amr: &'static [&'static str],
    #[serde(flatten)]
    proved: Proved<'a>,
}

/// The claims that say whom a token speaks for.
#[derive(Deserialize)]
struct Spoken {
    sub: String,
    exp: u64,
    email: Option<String>,
    phone_number: Option<String>,
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
    /// An issuer that signs with `key`, takes signatures of `second` too, and
    /// whose tokens live `ttl`.
    #[must_use]
    pub const fn new(
        key: SigningKey,
        second: Option<SigningKey>,
        issuer: String,
        audience: String,
        ttl: Duration,
    ) -> Self {
        Self {
            key,
            second,
            issuer,
            audience,
            ttl,
        }
    }

    /// Who signs: the `iss` of every token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Fetches what the first token needs, ahead of it.
    ///
    /// # Errors
    ///
    /// KMS cannot be reached, or refuses.
    pub async fn warm_up(&self) -> Result<(), Fault> {
        self.key.public().await.map(|_| ())
    }

    /// The keys that tokens are to be checked with (RFC 7517 section 5).
    ///
    /// # Errors
    ///
    /// KMS cannot be reached, or refuses.
    pub async fn published(&self) -> Result<JwkSet, Fault> {
        let mut keys = vec![self.key.public().await?.jwk().clone()];
        if let Some(second) = &self.second {
            keys.push(second.public().await?.jwk().clone());
        }
        Ok(JwkSet { keys })
    }

    /// Makes and signs a token for the login that started `family`.
    ///
    /// # Errors
    ///
    /// KMS cannot be reached, or refuses.
    pub async fn mint(
        &self,
        family: &Family,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Token, Fault> {
        let (proved, amr) = Proved::by(&family.destination);
        let jti = RequestId::draw(rng);
        let claims = Claims {
            iss: &self.issuer,
            sub: family.user.as_str(),
            aud: &self.audience,
            iat: now.as_secs(),
            exp: now.as_secs() + self.ttl.as_secs(),
            auth_time: family.created_at.as_secs(),
            jti: jti.as_str(),
            amr,
            proved,
        };
        let header = Header {
            alg: "RS256",
            typ: TYPE,
            kid: self.key.public().await?.kid(),
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

    /// Whom a token of ours speaks for.
    ///
    /// # Errors
    ///
    /// The public keys cannot be had from KMS. The inner error says why the
    /// token is none of ours, or none any more.
    pub async fn verify(
        &self,
        jwt: &SecretString,
        now: UnixTime,
    ) -> Result<Result<Bearer, Unauthorized>, Fault> {
        let jwt = jwt.expose_secret();
        let kid = jsonwebtoken::decode_header(jwt)
            .ok()
            .filter(|header| header.typ.as_deref() == Some(TYPE))
            .and_then(|header| header.kid);
        let Some(kid) = kid else {
            return Ok(Err(Unauthorized::InvalidToken("not of our kind")));
        };
        let mut key = self.key.public().await?;
        if let Some(second) = &self.second
            && key.kid() != kid
        {
            key = second.public().await?;
        }
        if key.kid() != kid {
            return Ok(Err(Unauthorized::InvalidToken("another key")));
        }
        let spoken = jsonwebtoken::decode::<Spoken>(jwt, key.decoding(), &self.validation());
        let Ok(spoken) = spoken.map(|token| token.claims) else {
            return Ok(Err(Unauthorized::InvalidToken("not our word")));
        };
        if now.as_secs() >= spoken.exp {
            return Ok(Err(Unauthorized::InvalidToken("expired")));
        }
        Ok(spoken
            .bearer()
            .ok_or(Unauthorized::InvalidToken("speaks for nobody")))
    }

    /// Everything but the time of day, which the library would ask the machine
    /// for.
    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        validation.validate_exp = false;
        validation
    }
}

impl Spoken {
    fn bearer(self) -> Option<Bearer> {
        let destination = match (self.email, self.phone_number) {
            (Some(email), None) => Destination::Email(EmailAddress::parse(&email).ok()?),
            (None, Some(number)) => Destination::Phone(PhoneNumber::parse(&number).ok()?),
            _ => return None,
        };
        Some(Bearer {
            user: UserId::from_table(self.sub),
            destination,
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
