//! Use case: a client ends its session, or all sessions of its user.

use otp_domain::{OperationId, Presentation, RefreshToken, Session, UnixTime};

use super::SessionService;
use crate::{Error, ambient, fault::Fault, store::Ending};

/// A request to end a session.
#[derive(Debug)]
pub struct LogoutRequest {
    /// A refresh token of the session; `None` if the client's text is not the
    /// form of one.
    pub refresh_token: Option<RefreshToken>,
    /// Whether to end every other session of the user, too.
    pub all: bool,
}

impl SessionService {
    /// Ends the session of the refresh token. With `all`, ends every session of
    /// the user if the token is current or a permitted retry, and the user's known
    /// devices with them; an older token ends its own session only. Returns `None` if the session does not exist.
    ///
    /// # Errors
    ///
    /// A fault if the table is unavailable. Some sessions may have ended.
    pub async fn log_out(
        &self,
        request: &LogoutRequest,
        now: UnixTime,
    ) -> Result<Option<Session>, Error> {
        let Some(token) = &request.refresh_token else {
            return Ok(None);
        };
        let id = token.session_id();
        let Some(session) = self.store.find_session(token.user(), &id).await? else {
            return Ok(None);
        };
        let is_good = matches!(
            session.judge(token, self.lifetimes, now),
            Presentation::Current | Presentation::Retried(_)
        );
        let ended = if request.all && is_good {
            self.end_all(&session, now).await
        } else {
            self.store
                .end_session(&session.user, &session.id, now)
                .await
        };
        ended.map_err(|fault| Error::from(fault).about(&session))?;
        Ok(Some(session))
    }

    /// Ends every session of the user, and the known devices at every destination. The
    /// session of the request ends last.
    async fn end_all(&self, session: &Session, now: UnixTime) -> Result<(), Fault> {
        if let Some(user) = self.store.find_user_by_id(&session.user).await? {
            let operation = OperationId::draw(&mut ambient::rng());
            self.store.end_devices(&user, &operation).await?;
        }
        let all = Ending::AllWithLast(&session.id);
        let ended = self.store.end_sessions(&session.user, all, now);
        ended.await.map(|_| ())
    }
}
