//! Who a token speaks for, and whether the proof behind it is fresh.

use otp_domain::{Destination, Refusal, Session, Unauthorized, UnixTime, UserRecord};
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
pub struct FreshAccount {
    account: Account,
    /// The destination by which the session began.
    pub(super) proven: Destination,
}

impl std::ops::Deref for FreshAccount {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
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
        let principal = self.fresh_principal(token, now).await?;
        let found = tokio::try_join!(
            self.active_user(&principal),
            self.session_stands(&principal, now)
        );
        let (user, session) = found.map_err(|error| error.about(&principal))?;
        Ok(FreshAccount {
            account: Account { principal, user },
            proven: session.destination,
        })
    }

    /// Whom a fresh access token names, whether or not there is such a user.
    pub(super) async fn fresh_principal(
        &self,
        token: &SecretString,
        now: UnixTime,
    ) -> Result<Principal, Error> {
        let principal = self.tokens.verify(token, now).await?;
        if now >= principal.auth_time.plus(self.fresh_login) {
            return Err(Error::from(Refusal::StaleLogin(self.fresh_login)).about(&principal));
        }
        Ok(principal)
    }

    /// The user whom a token names, also if disabled; `None` if the user is removed.
    pub(super) async fn user_of(&self, principal: &Principal) -> Result<Option<UserRecord>, Error> {
        Ok(self.store.find_user_by_id(&principal.user).await?)
    }

    async fn active_user(&self, principal: &Principal) -> Result<UserRecord, Error> {
        let user = self.user_of(principal).await?;
        user.filter(|user| !user.is_disabled()).ok_or_else(gone)
    }

    /// The session of a token, which has not ended.
    pub(super) async fn session_stands(
        &self,
        of: &Principal,
        now: UnixTime,
    ) -> Result<Session, Error> {
        let session = self.store.find_session(&of.user, &of.session).await?;
        let session = session.filter(|session| now < session.expires_at);
        session.ok_or_else(ended)
    }
}

/// The user of the token is removed or disabled.
pub(super) fn gone() -> Error {
    Refusal::Unauthorized(Unauthorized::InvalidToken("user removed or disabled")).into()
}

/// The session of the token has ended.
pub(super) fn ended() -> Error {
    Refusal::Unauthorized(Unauthorized::InvalidToken("session ended")).into()
}
