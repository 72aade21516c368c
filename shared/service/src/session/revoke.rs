//! Use case: an OAuth client revokes a token (RFC 7009).

use otp_domain::{RefreshToken, Refusal, Session, UnixTime};
use secrecy::{ExposeSecret, SecretString};

use super::{LogoutRequest, SessionService};
use crate::{Error, ErrorKind};

/// A request to revoke a token.
#[derive(Debug)]
pub struct RevokeRequest {
    /// The token, of any form.
    pub token: SecretString,
}

impl SessionService {
    /// Ends the session of a refresh token, as [`Self::log_out`] does. Returns
    /// `None` if there is nothing to revoke.
    ///
    /// # Errors
    ///
    /// Refused if the token is an access token of ours that is still valid: it
    /// would stay valid. A fault if the table or a key is unavailable.
    pub async fn revoke(
        &self,
        request: &RevokeRequest,
        now: UnixTime,
    ) -> Result<Option<Session>, Error> {
        let refresh_token = RefreshToken::parse(request.token.expose_secret());
        if refresh_token.is_some() {
            let logout = LogoutRequest {
                refresh_token,
                all: false,
            };
            return self.log_out(&logout, now).await;
        }
        match self.tokens.verify(&request.token, now).await {
            Ok(principal) => Err(Error::from(Refusal::NotRevocable).about(&principal.destination)),
            Err(error) if matches!(error.kind, ErrorKind::Refused(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}
