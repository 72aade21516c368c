//! Use case: a client reads the user of its access token.

use otp_domain::{Destination, Refusal, Unauthorized, UnixTime, UserRecord};
use secrecy::SecretString;

use super::SessionService;
use crate::{Error, access_token::Principal};

/// The user of an access token.
#[derive(Debug)]
pub struct Profile {
    /// The user's current record.
    pub user: UserRecord,
    /// The destination that started the token's session.
    pub destination: Destination,
}

impl SessionService {
    /// Reads the user of an access token.
    ///
    /// # Errors
    ///
    /// Refused if the token is not ours or has expired, or if the user is removed
    /// or disabled. A fault if the table or a key is unavailable.
    pub async fn profile(
        &self,
        access_token: &SecretString,
        now: UnixTime,
    ) -> Result<Profile, Error> {
        let principal = self.tokens.verify(access_token, now).await?;
        let user = self.active_user(&principal).await;
        Ok(Profile {
            user: user
                .map_err(|error| error.about(&principal.destination).about(&principal.user))?,
            destination: principal.destination,
        })
    }

    async fn active_user(&self, principal: &Principal) -> Result<UserRecord, Error> {
        let user = self.store.find_user_record(&principal.destination).await?;
        let user = user.filter(|user| user.id == principal.user && !user.disabled);
        let gone = Unauthorized::InvalidToken("user removed or disabled");
        Ok(user.ok_or(Refusal::Unauthorized(gone))?)
    }
}
