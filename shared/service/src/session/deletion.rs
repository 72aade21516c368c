//! Use case: users delete their account.

use otp_domain::UnixTime;
use rand::CryptoRng;
use secrecy::SecretString;

use super::{SessionService, account::gone};
use crate::{Error, access_token::Principal, store::Ending};

impl SessionService {
    /// Removes the user of a fresh access token, with all destinations and known devices,
    /// and ends every session. Whoever asks again, after a lost answer, gets the same.
    ///
    /// The user goes first, in one transaction: from then on no session starts and none is
    /// refreshed, so the ones that end here are the last.
    ///
    /// # Errors
    ///
    /// Refused if the token is not ours, its login is too old, its session has ended, or the
    /// user is disabled. A fault if the table or a key is unavailable: the user may be
    /// removed, and sessions that can do nothing may be left.
    pub async fn delete_account(
        &self,
        token: &SecretString,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Principal, Error> {
        let principal = self.fresh_principal(token, now).await?;
        let deleted = self.delete(&principal, now, rng).await;
        deleted.map_err(|error| error.about(&principal))?;
        Ok(principal)
    }

    async fn delete(
        &self,
        principal: &Principal,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Error> {
        // Without a user, an earlier request has come so far.
        if let Some(user) = self.user_of(principal).await? {
            if user.is_disabled() {
                return Err(gone());
            }
            self.session_stands(principal, now).await?;
            self.users.remove(&user, now, rng).await?;
        }
        let all = self.store.end_sessions(&principal.user, Ending::All, now);
        all.await?;
        Ok(())
    }
}
