//! Access tokens: JWTs in the profile of RFC 9068, signed by KMS.

mod destination;

use std::{fmt, time::Duration};

use aws_sdk_kms::Client;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Validation, jwk::JwkSet};
use otp_domain::{
    Claims, Destination, EmailAddress, OperationId, PhoneNumber, Refusal, Session, SessionId,
    Unauthorized, UnixTime, UserId,
};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::destination::DestinationClaims;
use crate::{
    Error,
    fault::{Dependency, Fault},
    keys::SigningKey,
};

/// The `typ` header of access tokens (RFC 9068 section 2.1).
const TYPE: &str = "at+jwt";

/// The settings of access tokens.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The KMS key that signs the tokens.
    pub signing_key_id: String,
    /// A second KMS key, published and accepted, which signs nothing.
    pub second_signing_key_id: Option<String>,
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: String,
    /// The claim `client_id`.
    pub client_id: String,
    /// The lifetime of a token.
    pub ttl: Duration,
}

/// Mints and verifies access tokens.
pub struct TokenIssuer {
    key: SigningKey,
    second: Option<SigningKey>,
    issuer: String,
    audience: String,
    client_id: String,
    ttl: Duration,
}

/// The public keys that verify tokens.
pub struct PublishedKeys {
    /// The keys (RFC 7517 section 5).
    pub keys: JwkSet,
    /// Why the second key, which signs nothing, is not among them.
    pub missing: Option<Fault>,
}

/// A signed access token.
pub struct AccessToken {
    jwt: SecretString,
    /// The token's lifetime, from its minting.
    pub ttl: Duration,
}

/// The user and the destination of a verified access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The user.
    pub user: UserId,
    /// The destination whose control the user proved.
    pub destination: Destination,
    /// When the user proved it.
    pub auth_time: UnixTime,
    /// The session that the token belongs to.
    pub session: SessionId,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    client_id: &'a str,
    iat: u64,
    exp: u64,
    auth_time: u64,
    sid: &'a str,
    jti: &'a str,
    amr: &'static [&'static str],
    #[serde(flatten)]
    destination: DestinationClaims<'a>,
    #[serde(flatten)]
    operators: &'a Map<String, Value>,
}

/// The claims that identify the principal.
#[derive(Deserialize)]
struct VerifiedClaims {
    sub: String,
    exp: u64,
    auth_time: u64,
    sid: String,
    email: Option<String>,
    phone_number: Option<String>,
}

impl TokenIssuer {
    /// An issuer with these KMS keys. It makes no call yet.
    #[must_use]
    pub fn new(settings: &Settings, kms: &Client) -> Self {
        let key = |id: &String| SigningKey::new(kms.clone(), id.clone());
        Self {
            key: key(&settings.signing_key_id),
            second: settings.second_signing_key_id.as_ref().map(key),
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            client_id: settings.client_id.clone(),
            ttl: settings.ttl,
        }
    }

    /// The claim `iss` of every token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The claim `client_id` of every token: the only OAuth client.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Fetches the public half of the signing key, which the first token needs.
    ///
    /// # Errors
    ///
    /// KMS is unreachable, or refuses.
    pub async fn warm_up(&self) -> Result<(), Fault> {
        self.key.public().await.map(|_| ())
    }

    /// The public keys that verify tokens.
    ///
    /// # Errors
    ///
    /// KMS is unreachable, or refuses to show the key that signs.
    pub async fn published_keys(&self) -> Result<PublishedKeys, Fault> {
        let second = async {
            match &self.second {
                Some(second) => second.public().await.map(Some),
                None => Ok(None),
            }
        };
        let (first, second) = tokio::join!(self.key.public(), second);
        let (second, missing) = match second {
            Ok(second) => (second, None),
            Err(fault) => (None, Some(fault)),
        };
        let keys = [Some(first?), second].into_iter().flatten();
        Ok(PublishedKeys {
            keys: JwkSet {
                keys: keys.map(|key| key.jwk().clone()).collect(),
            },
            missing,
        })
    }

    /// Makes and signs a token of `session`. It names one of the user's destinations, and
    /// has the operator's claims.
    ///
    /// # Errors
    ///
    /// KMS is unreachable, or refuses.
    pub async fn mint(
        &self,
        session: &Session,
        named: &Destination,
        claims: &Claims,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<AccessToken, Fault> {
        let (destination, _) = DestinationClaims::by(named);
        let (_, amr) = DestinationClaims::by(&session.destination);
        let jti = OperationId::draw(rng);
        let payload = Payload {
            iss: &self.issuer,
            sub: session.user.as_str(),
            aud: &self.audience,
            client_id: &self.client_id,
            iat: now.as_secs(),
            exp: now.as_secs() + self.ttl.as_secs(),
            auth_time: session.created_at.as_secs(),
            sid: session.id.as_str(),
            jti: jti.as_str(),
            amr,
            destination,
            operators: claims.members(),
        };
        let header = Header {
            alg: "RS256",
            typ: TYPE,
            kid: self.key.public().await?.kid(),
        };
        let mut jwt = format!("{}.{}", encode(&header)?, encode(&payload)?);
        let signature = self.key.sign(jwt.as_bytes()).await?;
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
        Ok(AccessToken {
            jwt: jwt.into(),
            ttl: self.ttl,
        })
    }

    /// Verifies a token and returns its principal.
    ///
    /// # Errors
    ///
    /// Refused if the token is not ours or has expired. A fault if KMS is
    /// unreachable.
    pub async fn verify(&self, jwt: &SecretString, now: UnixTime) -> Result<Principal, Error> {
        let jwt = jwt.expose_secret();
        let kid = jsonwebtoken::decode_header(jwt)
            .ok()
            .filter(|header| header.typ.as_deref() == Some(TYPE))
            .and_then(|header| header.kid);
        let Some(kid) = kid else {
            return Err(invalid("not an access token"));
        };
        let mut key = self.key.public().await?;
        if let Some(second) = &self.second
            && key.kid() != kid
        {
            key = second.public().await?;
        }
        if key.kid() != kid {
            return Err(invalid("signed by another key"));
        }
        let claims =
            jsonwebtoken::decode::<VerifiedClaims>(jwt, key.decoding(), &self.validation());
        let Ok(claims) = claims.map(|token| token.claims) else {
            return Err(invalid("wrong signature, issuer or audience"));
        };
        if now.as_secs() >= claims.exp {
            return Err(invalid("expired"));
        }
        claims
            .principal()
            .ok_or_else(|| invalid("no destination in the claims"))
    }

    /// Checks everything except the expiry: the library would read the machine's
    /// clock.
    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        validation.validate_exp = false;
        validation
    }
}

impl VerifiedClaims {
    fn principal(self) -> Option<Principal> {
        let destination = match (self.email, self.phone_number) {
            (Some(email), None) => Destination::Email(EmailAddress::parse(&email).ok()?),
            (None, Some(number)) => Destination::Phone(PhoneNumber::parse(&number).ok()?),
            _ => return None,
        };
        Some(Principal {
            user: UserId::from_table(self.sub),
            destination,
            auth_time: UnixTime::from_secs(self.auth_time),
            session: SessionId::new(self.sid),
        })
    }
}

fn invalid(reason: &'static str) -> Error {
    Refusal::Unauthorized(Unauthorized::InvalidToken(reason)).into()
}

fn encode(part: &impl Serialize) -> Result<String, Fault> {
    let json = serde_json::to_vec(part)
        .map_err(|_| Fault::new(Dependency::Keys, "mint", "claims are not JSON"))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

impl AccessToken {
    /// The token in its compact form (RFC 7515 section 3.1), for the answer.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.jwt.expose_secret()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(to: &Destination) -> Value {
        let (destination, amr) = DestinationClaims::by(to);
        let payload = Payload {
            iss: "",
            sub: "",
            aud: "",
            client_id: "",
            iat: 0,
            exp: 0,
            auth_time: 0,
            sid: "",
            jti: "",
            amr,
            destination,
            operators: &Map::new(),
        };
        serde_json::to_value(payload).unwrap()
    }

    #[test]
    fn no_operator_sets_a_member_that_tokens_have() {
        for to in ["alice@example.com", "+14155550123"] {
            let payload = payload(&to.parse().unwrap());
            let members = payload.as_object().unwrap();
            assert_eq!(members.len(), 12, "{members:?}");
            for name in members.keys() {
                let claims = Claims::parse(&format!(r#"{{"{name}":"x"}}"#));
                assert!(claims.is_err(), "{name} can be set");
            }
        }
    }

    #[test]
    fn a_token_says_which_destination_was_proved_and_how() {
        let of_email = payload(&"alice@example.com".parse().unwrap());
        assert_eq!(of_email["email"], "alice@example.com");
        assert_eq!(of_email["email_verified"], true);
        assert_eq!(of_email["amr"], serde_json::json!(["otp"]));
        let of_phone = payload(&"+14155550123".parse().unwrap());
        assert_eq!(of_phone["phone_number"], "+14155550123");
        assert_eq!(of_phone["phone_number_verified"], true);
        assert_eq!(of_phone["amr"], serde_json::json!(["otp", "sms"]));
    }

    #[test]
    fn a_principal_is_a_user_with_exactly_one_destination() {
        let principal = |email: Option<&str>, number: Option<&str>| {
            let claims = VerifiedClaims {
                sub: "u".to_owned(),
                exp: 0,
                auth_time: 0,
                sid: "s".to_owned(),
                email: email.map(str::to_owned),
                phone_number: number.map(str::to_owned),
            };
            claims.principal()
        };
        let (email, number) = ("alice@example.com", "+14155550123");
        for (found, expected) in [
            (principal(Some(email), None), email),
            (principal(None, Some(number)), number),
        ] {
            let found = found.unwrap();
            assert_eq!(
                (found.user.as_str(), found.destination.as_str()),
                ("u", expected)
            );
        }
        assert_eq!(principal(None, None), None);
        assert_eq!(principal(Some(email), Some(number)), None);
        assert_eq!(principal(Some("alice"), None), None);
        assert_eq!(principal(None, Some("1")), None);
    }
}
