//! Use case: a client exchanges its refresh token for a successor and a new
//! access token.

use std::time::Duration;

use otp_domain::{
    Destination, Presentation, RefreshToken, Refusal, RotationSalt, Session, UnixTime, UserId,
    UserRecord,
};
use rand::CryptoRng;

use super::SessionService;
use crate::{Error, about::About, access_token::AccessToken, fault::Fault, store::Rotation};

/// The log's reason for a reused token. The metric filter in `template.yaml`
/// matches this text.
pub const REUSED: &str = "reused: session ended";

/// A request to refresh a session.
#[derive(Debug)]
pub struct RefreshRequest {
    /// The refresh token; `None` if the client's text is not the form of one.
    pub refresh_token: Option<RefreshToken>,
}

/// A refreshed session.
#[derive(Debug)]
pub struct Refreshed {
    /// The new access token.
    pub access_token: AccessToken,
    /// The user.
    pub user: UserId,
    /// The destination that started the session.
    pub destination: Destination,
    /// The successor of the refresh token.
    pub refresh_token: RefreshToken,
    /// The remaining lifetime of the refresh token.
    pub refresh_expires_in: Duration,
}

impl From<&Refreshed> for About {
    fn from(refreshed: &Refreshed) -> Self {
        Self::from(&refreshed.destination)
            .and(&refreshed.user)
            .and(refreshed.refresh_token.session_id())
    }
}

impl SessionService {
    /// Rotates the refresh token and mints an access token. It signs before it
    /// writes (docs/decisions/redeeming.md), so an unavailable signing key costs nothing.
    ///
    /// # Errors
    ///
    /// Refused if the token is unknown, expired or reused, or its user is disabled
    /// or removed. A fault if the table or a key is unavailable.
    pub async fn refresh(
        &self,
        request: &RefreshRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Refreshed, Error> {
        let token = request.refresh_token.as_ref();
        let token = token.ok_or(Refusal::InvalidRefreshToken(
            "not a refresh token of this service",
        ))?;
        let id = token.session_id();
        let (session, user) = tokio::join!(
            self.store.find_session(token.user(), &id),
            self.store.find_user_by_id(token.user()),
        );
        let session = session?.ok_or_else(|| {
            let reason = "unknown session, or one that has ended";
            Error::from(Refusal::InvalidRefreshToken(reason)).about(id)
        })?;
        let refreshed = self.mint_and_rotate(token, &session, user, now, rng).await;
        refreshed.map_err(|error| error.about(&session))
    }

    async fn mint_and_rotate(
        &self,
        token: &RefreshToken,
        session: &Session,
        user: Result<Option<UserRecord>, Fault>,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Refreshed, Error> {
        if !self.is_genuine(session).await? {
            return Err(Refusal::InvalidRefreshToken("not sealed by this service").into());
        }
        // A reused token ends the session, whether or not the user was read.
        let retried = self.present(token, session, now).await?;
        let user = user?.filter(|user| !user.is_disabled());
        let named = user
            .as_ref()
            .and_then(|user| Some((user.named(&session.destination)?, &user.claims)));
        let Some((named, claims)) = named else {
            self.store
                .end_session(&session.user, &session.id, now)
                .await?;
            return Err(Refusal::InvalidRefreshToken("user removed or disabled").into());
        };
        let access_token = self.tokens.mint(session, named, claims, now, rng).await?;
        let (successor, expires_at) = match retried {
            Some(successor) => (successor, session.expires_at),
            None => self.rotate(token, session, now, rng).await?,
        };
        Ok(Refreshed {
            access_token,
            user: session.user.clone(),
            destination: session.destination.clone(),
            refresh_token: successor,
            refresh_expires_in: now.until(expires_at),
        })
    }

    /// Judges the token. Returns the successor if the token already has one, and
    /// `None` if it needs one. A reused token ends the session.
    async fn present(
        &self,
        token: &RefreshToken,
        session: &Session,
        now: UnixTime,
    ) -> Result<Option<RefreshToken>, Error> {
        match session.judge(token, self.lifetimes, now) {
            Presentation::Current => Ok(None),
            Presentation::Retried(successor) => Ok(Some(successor)),
            Presentation::Expired => Err(Refusal::InvalidRefreshToken("expired").into()),
            Presentation::Reused => {
                self.store
                    .end_session(&session.user, &session.id, now)
                    .await?;
                Err(Refusal::InvalidRefreshToken(REUSED).into())
            }
        }
    }

    /// Writes the successor. If another refresh of the same token wrote first,
    /// returns the successor of that refresh.
    async fn rotate(
        &self,
        token: &RefreshToken,
        session: &Session,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<(RefreshToken, UnixTime), Error> {
        let salt = RotationSalt::draw(rng);
        let after = session.refreshed(token, salt.clone(), self.lifetimes, now);
        // A new seal with each refresh: while digest keys rotate, sessions move to
        // the current key.
        let seal = after.seal(self.digest_keys.current().await?);
        let rotation = self
            .store
            .rotate(&after, &seal, &token.digest(), &salt, now)
            .await?;
        let stands = match rotation {
            Rotation::Won => return Ok((token.successor(&salt), after.expires_at)),
            Rotation::Lost(stands) => stands,
        };
        let stands = stands.ok_or(Refusal::InvalidRefreshToken(
            "session ended during the request",
        ))?;
        let successor = self.present(token, &stands, now).await?;
        let successor =
            successor.ok_or(Refusal::InvalidRefreshToken("expired during the request"))?;
        Ok((successor, stands.expires_at))
    }
}
