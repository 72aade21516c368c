//! Who a token speaks for, and whether the proof behind it is fresh.

use otp_domain::{Refusal, Unauthorized, UnixTime, UserRecord};
use secrecy::SecretString;

use super::SessionService;
use crate::{Error, about::About, access_token::Principal};

/// The user of an access token, who is not disabled.
#[derive(Debug)]
pub struct Account {
    /// What the token says.
    pub principal: Principal,
    /// The user's current record.
    pub user: UserRecord,
}

/// The user of an access token whose login is younger than `FRESH_LOGIN_SECONDS`, and
/// whose session stands. Whatever changes an account takes one.
#[derive(Debug)]
pub struct FreshAccount(Account);

impl std::ops::Deref for FreshAccount {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.0
    }
}

impl From<&Principal> for About {
    fn from(principal: &Principal) -> Self {
        Self::from(&principal.destination)
            .and(&principal.user)
            .and(principal.session.clone())
    }
}

impl From<&Account> for About {
    fn from(account: &Account) -> Self {
        Self::from(&account.principal)
    }
}

impl SessionService {
    /// The account of an access token.
    ///
    /// # Errors
    ///
    /// Refused if the token is not ours or has expired, or if the user is removed
    /// or disabled. A fault if the table or a key is unavailable.
    pub async fn account(&self, token: &SecretString, now: UnixTime) -> Result<Account, Error> {
        let principal = self.tokens.verify(token, now).await?;
        let user = self.active_user(&principal).await;
        let user = user.map_err(|error| error.about(&principal))?;
        Ok(Account { principal, user })
    }

    /// The account of a fresh access token.
    ///
    /// # Errors
    ///
    /// The same, and refused if the login is too old, or the session has ended.
    pub async fn fresh_account(
        &self,
        token: &SecretString,
        now: UnixTime,
    ) -> Result<FreshAccount, Error> {
        let principal = self.tokens.verify(token, now).await?;
        if now >= principal.auth_time.plus(self.fresh_login) {
            return Err(Error::from(Refusal::StaleLogin(self.fresh_login)).about(&principal));
        }
        let (user, session) = tokio::join!(
            self.active_user(&principal),
            self.store.find_session(&principal.user, &principal.session),
        );
        let stands = match session {
            Ok(session) => session.is_some_and(|session| now < session.expires_at),
            Err(fault) => return Err(Error::from(fault).about(&principal)),
        };
        match user {
            Ok(user) if stands => Ok(FreshAccount(Account { principal, user })),
            Ok(_) => Err(ended().about(&principal)),
            Err(error) => Err(error.about(&principal)),
        }
    }

    async fn active_user(&self, principal: &Principal) -> Result<UserRecord, Error> {
        let user = self.store.find_user_record(&principal.destination).await?;
        let user = user.filter(|user| user.id == principal.user && !user.disabled);
        let gone = Unauthorized::InvalidToken("user removed or disabled");
        Ok(user.ok_or(Refusal::Unauthorized(gone))?)
    }
}

/// The session of the token has ended.
pub(super) fn ended() -> Error {
    Refusal::Unauthorized(Unauthorized::InvalidToken("session ended")).into()
}
