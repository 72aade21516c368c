//! Use case: a verifier fetches the issuer and the keys of access tokens.

use super::SessionService;
use crate::{Error, access_token::PublishedKeys};

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
    /// A fault if the key that signs is unavailable.
    pub async fn published_keys(&self) -> Result<PublishedKeys, Error> {
        Ok(self.tokens.published_keys().await?)
    }
}
