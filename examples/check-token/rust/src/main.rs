//! check-token ISSUER AUDIENCE < token
//!
//! Prints the subject. Exit code 1: refused. 2: cannot tell.

use std::{
    io::{Read, stdin},
    process::ExitCode,
    time::{Duration, Instant},
};

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header, errors::Error as JwtError,
    jwk::JwkSet,
};
use serde::{Deserialize, de::DeserializeOwned};

/// The keys are fetched again after this time.
const LIFE: Duration = Duration::from_hours(1);
/// They are also fetched again if a token's key is unknown, but at most once in this time.
const PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug)]
enum Error {
    /// The token is invalid: answer 401.
    Refused(String),
    /// The issuer is unavailable: answer 503.
    Unavailable(String),
}

#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

/// Create one per process: it keeps the keys.
struct Verifier {
    jwks_uri: String,
    keys: JwkSet,
    fetched: Instant,
    validation: Validation,
}

impl Verifier {
    fn discover(issuer: &str, audience: &str) -> Result<Self, Error> {
        let base = issuer.trim_end_matches('/');
        let found: Configuration = fetch(&format!("{base}/.well-known/openid-configuration"))?;
        if found.issuer != issuer {
            return Err(Error::Unavailable("the issuer does not match".into()));
        }
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        validation.leeway = 5; // seconds between the issuer's clock and yours
        Ok(Self {
            keys: fetch(&found.jwks_uri)?,
            jwks_uri: found.jwks_uri,
            fetched: Instant::now(),
            validation,
        })
    }

    fn check(&mut self, token: &str) -> Result<Claims, Error> {
        let header = decode_header(token)?;
        if header.typ.as_deref() != Some("at+jwt") {
            return Err(Error::Refused("not an access token".into()));
        }
        let key = self.key(header.kid.as_deref().unwrap_or_default())?;
        Ok(decode::<Claims>(token, &key, &self.validation)?.claims)
    }

    fn key(&mut self, kid: &str) -> Result<DecodingKey, Error> {
        let age = self.fetched.elapsed();
        if age > LIFE || (age > PAUSE && self.keys.find(kid).is_none()) {
            self.keys = fetch(&self.jwks_uri)?;
            self.fetched = Instant::now();
        }
        let key = self.keys.find(kid);
        let key = key.ok_or_else(|| Error::Refused("unknown key".into()))?;
        Ok(DecodingKey::from_jwk(key)?)
    }
}

impl From<JwtError> for Error {
    fn from(error: JwtError) -> Self {
        Self::Refused(error.to_string())
    }
}

fn fetch<T: DeserializeOwned>(url: &str) -> Result<T, Error> {
    let text = ureq::get(url)
        .config()
        .timeout_global(Some(Duration::from_secs(5)))
        .build()
        .call()
        .and_then(|mut answer| answer.body_mut().read_to_string());
    let text = text.map_err(|error| Error::Unavailable(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| Error::Unavailable(error.to_string()))
}

fn subject() -> Result<String, Error> {
    let usage = || Error::Unavailable("usage: check-token ISSUER AUDIENCE < token".into());
    let mut arguments = std::env::args().skip(1);
    let (issuer, audience) = arguments.next().zip(arguments.next()).ok_or_else(usage)?;
    let mut token = String::new();
    stdin().read_to_string(&mut token).map_err(|_| usage())?;
    let claims = Verifier::discover(&issuer, &audience)?.check(token.trim())?;
    Ok(claims.sub)
}

fn main() -> ExitCode {
    match subject() {
        Ok(subject) => {
            println!("{subject}");
            ExitCode::SUCCESS
        }
        Err(Error::Refused(why)) => {
            eprintln!("refused: {why}");
            ExitCode::from(1)
        }
        Err(Error::Unavailable(why)) => {
            eprintln!("cannot tell: {why}");
            ExitCode::from(2)
        }
    }
}
