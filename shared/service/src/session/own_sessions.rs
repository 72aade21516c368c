//! Use case: users see and end their own sessions.

use otp_domain::{Session, SessionId, UnixTime};

use super::{Account, FreshAccount, SessionService, account::ended};
use crate::{Error, store::Ending};

impl SessionService {
    /// The user's sessions, the one that was refreshed last first.
    ///
    /// # Errors
    ///
    /// Refused if the session of the token has ended. A fault if the table is unavailable.
    pub async fn own_sessions(
        &self,
        account: &Account,
        now: UnixTime,
    ) -> Result<Vec<Session>, Error> {
        let principal = &account.principal;
        let sessions = self.store.sessions(&principal.user).await;
        let mut sessions = sessions.map_err(|fault| Error::from(fault).about(principal))?;
        sessions.retain(|session| now < session.expires_at);
        if !sessions.iter().any(|it| it.id == principal.session) {
            return Err(ended().about(principal));
        }
        sessions.sort_by_key(|session| std::cmp::Reverse(session.refreshed_at));
        Ok(sessions)
    }

    /// Ends one session of the user, if there is one with this id.
    ///
    /// # Errors
    ///
    /// A fault if the table is unavailable. The session may have ended.
    pub async fn end_own_session(
        &self,
        account: &FreshAccount,
        id: &SessionId,
        now: UnixTime,
    ) -> Result<(), Error> {
        let principal = &account.principal;
        let ended = self.store.end_session(&principal.user, id, now).await;
        ended.map_err(|fault| Error::from(fault).about(principal))
    }

    /// Ends every session of the user except that of the token.
    ///
    /// # Errors
    ///
    /// A fault if the table is unavailable. Some sessions may have ended.
    pub async fn end_other_sessions(
        &self,
        account: &FreshAccount,
        now: UnixTime,
    ) -> Result<(), Error> {
        let principal = &account.principal;
        let others = Ending::Except(&principal.session);
        let ended = self.store.end_sessions(&principal.user, others, now).await;
        ended
            .map(|_| ())
            .map_err(|fault| Error::from(fault).about(principal))
    }
}
