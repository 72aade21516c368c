//! Use case: a verifier asks what it needs to check our tokens.

use jsonwebtoken::jwk::JwkSet;

use super::SessionService;
use crate::Error;

impl SessionService {
    /// The issuer of the tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.tokens.issuer()
    }

    /// The public keys that the tokens verify with.
    ///
    /// # Errors
    ///
    /// A fault if KMS is broken.
    pub async fn published_keys(&self) -> Result<JwkSet, Error> {
        Ok(self.tokens.published_keys().await?)
    }
}
