//! A validation of a code that is used: the client may have lost the answer to
//! its first request, and repeat it.

use otp_domain::{
    ChallengeId, Claims, Presentation, RefreshToken, Refusal, ResolvedUser, UnixTime,
};
use rand::CryptoRng;

use super::{LoggedIn, SessionService};
use crate::Error;

impl SessionService {
    /// Answers with the login that the same request led to, as long as its refresh
    /// token is unused. `token` is that refresh token, or `None` if the client
    /// cannot repeat its request; `claims` are those of the user.
    ///
    /// # Errors
    ///
    /// Refused if another request used the code, or the session has moved on. A
    /// fault if the table or a key is unavailable.
    pub(super) async fn log_in_again(
        &self,
        challenge_id: &ChallengeId,
        token: Option<RefreshToken>,
        claims: &Claims,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<LoggedIn, Error> {
        let refusal = Refusal::InvalidOtp("used, or void since a later login");
        let token = token.ok_or(refusal)?;
        let id = token.session_id();
        let session = self.store.find_session(token.user(), &id).await?;
        let session = session.ok_or(refusal)?;
        if !self.is_genuine(&session).await? {
            return Err(Refusal::InvalidOtp("not sealed by this service").into());
        }
        let Presentation::Current = session.judge(&token, self.lifetimes, now) else {
            return Err(Refusal::InvalidOtp("its refresh token was used").into());
        };
        let access_token = self.tokens.mint(&session, claims, now, rng).await?;
        let (user, expires_at) = (session.user, session.expires_at);
        Ok(LoggedIn {
            access_token,
            user: if session.new_user {
                ResolvedUser::New(user)
            } else {
                ResolvedUser::Existing(user)
            },
            refresh_token: token,
            refresh_expires_in: now.until(expires_at),
            challenge_id: challenge_id.clone(),
            is_repeated: true,
        })
    }
}
