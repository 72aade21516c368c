//! Use case: somebody asks who a token speaks for, or how to tell.

use jsonwebtoken::jwk::JwkSet;
use secrecy::SecretString;

use super::Validate;
use crate::{
    domain::{Profile, Refusal, Unauthorized, UnixTime},
    fault::Fault,
    http::problem::Failure,
    token::Bearer,
};

impl Validate {
    /// Whom the token speaks for, by the token alone.
    ///
    /// # Errors
    ///
    /// It is none of ours, or expired; or we are broken.
    pub async fn bearer(&self, token: &SecretString, now: UnixTime) -> Result<Bearer, Failure> {
        let bearer = self.tokens.verify(token, now).await?;
        Ok(bearer.map_err(Refusal::Unauthorized)?)
    }

    /// The user that a token speaks for, as they are now.
    ///
    /// # Errors
    ///
    /// They may not log in any more, or are none; or we are broken.
    pub async fn profile(&self, bearer: &Bearer) -> Result<Profile, Failure> {
        let user = self.store.find_profile(&bearer.destination).await?;
        let user = user.filter(|user| user.id == bearer.user && !user.disabled);
        let gone = Unauthorized::InvalidToken("no such user any more");
        Ok(user.ok_or(Refusal::Unauthorized(gone))?)
    }

    /// The name of whoever signs the tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.tokens.issuer()
    }

    /// The keys to check the tokens with.
    ///
    /// # Errors
    ///
    /// They cannot be had from KMS.
    pub async fn published(&self) -> Result<JwkSet, Fault> {
        self.tokens.published().await
    }
}
