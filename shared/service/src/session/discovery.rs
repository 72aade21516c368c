//! Use case: a verifier fetches the issuer and the keys of access tokens.

use jsonwebtoken::jwk::JwkSet;

use super::SessionService;
use crate::Error;

impl SessionService {
    /// The issuer of access tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.tokens.issuer()
    }

    /// The only OAuth client of this service.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.tokens.client_id()
    }

    /// The public keys that verify access tokens.
    ///
    /// # Errors
    ///
    /// A fault if KMS is unavailable.
    pub async fn published_keys(&self) -> Result<JwkSet, Error> {
        Ok(self.tokens.published_keys().await?)
    }
}
