//! A validation of a code that is used: the client may have lost the answer to
//! its first request, and repeat it.

use otp_domain::{Devices, Presentation, RefreshToken, Refusal, ResolvedUser, UnixTime, User};
use rand::CryptoRng;

use super::{LoggedIn, SessionService, start::claims_of, validate::RightGuess};
use crate::Error;

impl SessionService {
    /// Answers with the login that the same request led to, as long as its refresh
    /// token is unused. `token` is that refresh token, or `None` if the client
    /// cannot repeat its request; `user` is the user as it is now.
    ///
    /// # Errors
    ///
    /// Refused if another request used the code, or the session has moved on. A
    /// fault if the table or a key is unavailable.
    pub(super) async fn log_in_again(
        &self,
        right: &RightGuess<'_>,
        token: Option<RefreshToken>,
        user: Option<&User>,
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
        let claims = claims_of(user);
        let access_token = self
            .tokens
            .mint(&session, &session.destination, &claims, now, rng);
        let access_token = access_token.await?;
        // The login of the first request has counted the device.
        let device = user.map(|user| {
            let devices = Devices {
                issued: user.devices.issued.saturating_sub(1),
                ..user.devices
            };
            let known = right.known_device(Some(user));
            known.unwrap_or_else(|| right.new_device(&user.id, devices, rng))
        });
        let device = device.and_then(|device| self.known_again(right, device, now));
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
            challenge_id: right.charged.challenge.id.clone(),
            device,
            is_repeated: true,
        })
    }
}
