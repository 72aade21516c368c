//! A right guess starts a session.

use otp_domain::{
    Challenge, Claims, Destination, Device, OperationId, RefreshToken, Refusal, ResolvedUser,
    Session, SessionLifetimes, UnixTime, UnknownUsers, User,
};
use rand::CryptoRng;

use super::{
    DeviceToken, LoggedIn, SessionService,
    validate::{RightGuess, ValidateRequest},
};
use crate::{
    Error,
    access_token::AccessToken,
    fault::Fault,
    store::{Redeeming, Redemption},
    table,
};

/// How often one request redeems, if its user changes in between.
const REDEMPTIONS: u8 = 2;

/// What is known of the user of a right guess.
enum Standing {
    /// The code is unused. The user, or nobody: read, or carried by the challenge.
    Unused(Option<User>),
    /// The code is used, or void since a later login. The user as it is now.
    Used(Option<User>),
}

/// The claims of a user. A user whom the validation creates has none.
pub(super) fn claims_of(user: Option<&User>) -> Claims {
    user.map_or_else(Claims::default, |user| user.claims.clone())
}

impl SessionService {
    /// Mints a token, and redeems the challenge. The client gets the token only if
    /// the redemption wins.
    ///
    /// The token is about the user whom the challenge carries. If the redemption finds
    /// another, it is dropped, and the guess is judged again with what stands
    /// (docs/decisions/redeeming.md).
    pub(super) async fn start(
        &self,
        right: &RightGuess<'_>,
        request: &ValidateRequest,
        operation: &OperationId,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<LoggedIn, Error> {
        let challenge = &right.charged.challenge;
        let unknown_users = self.policy.unknown_users_at(&challenge.destination);
        let mut standing = self.standing(challenge, unknown_users).await?;
        for nth in 0.. {
            let found = match standing {
                Standing::Unused(_) if nth == REDEMPTIONS => break,
                Standing::Unused(user) => user,
                Standing::Used(user) => {
                    let user = user.filter(|user| !user.disabled);
                    let user = user.as_ref();
                    let token = user.and_then(|user| right.derived_token(request, &user.id));
                    return self.log_in_again(right, token, user, now, rng).await;
                }
            };
            let claims = claims_of(found.as_ref());
            let known = right.known_device(found.as_ref());
            let devices = found.as_ref().map(|user| user.devices).unwrap_or_default();
            let user = unknown_users.resolve(found, rng)?;
            let token = right
                .derived_token(request, user.id())
                .unwrap_or_else(|| RefreshToken::draw(user.id().clone(), rng));
            let session = self.session_of(&user, &token, right, request, now).await?;
            let redeeming = Redeeming {
                guess: &right.charged,
                user: &user,
                claims: &claims,
                session: &session,
                adds_device: known.is_none() && !self.policy.device_life.is_zero(),
                takes_off_guesses: self.takes_off_guesses(&challenge.destination),
            };
            let to = &session.destination;
            let mint = self.tokens.mint(&session, to, &claims, now, rng);
            let redeem = self.store.redeem(&redeeming, operation, nth, now);
            let may_repeat = request.idempotency_key.is_some();
            let (minted, redeemed) = sign_and_redeem(mint, redeem, may_repeat).await?;
            standing = match redeemed {
                Redemption::Lost(winner) => {
                    // A repeat would wait for another signature.
                    minted?;
                    Standing::Used(winner)
                }
                Redemption::Changed(user) => Standing::Unused(user),
                Redemption::Withdrawn => return Err(Refusal::InvalidOtp("withdrawn").into()),
                Redemption::Won => {
                    let device = known.unwrap_or_else(|| right.new_device(user.id(), devices, rng));
                    return Ok(LoggedIn {
                        access_token: minted?,
                        device: self.known_again(right, device, now),
                        user,
                        refresh_token: token,
                        refresh_expires_in: now.until(session.expires_at),
                        challenge_id: challenge.id.clone(),
                        is_repeated: false,
                    });
                }
            };
        }
        Err(table::fault("redeem", "the user changed twice meanwhile").into())
    }

    /// Whether a right code takes wrong guesses off: not where that tells who has an account.
    pub(super) fn takes_off_guesses(&self, at: &Destination) -> bool {
        self.policy.unknown_users_at(at) != UnknownUsers::Conceal
    }

    /// What the client keeps, so that the device is known from now on.
    pub(super) fn known_again(
        &self,
        right: &RightGuess<'_>,
        device: Device,
        now: UnixTime,
    ) -> Option<DeviceToken> {
        let device = device.until(self.policy.device_end(now)?);
        let (to, key) = (&right.charged.challenge.destination, right.charged.key);
        Some(DeviceToken {
            token: key.device_token(&device, to),
            expires_in: self.policy.device_life,
        })
    }

    /// What is known of the user before a token is minted. The user is read only after a
    /// right guess: otherwise the time of a refusal could tell who is a user.
    async fn standing(
        &self,
        challenge: &Challenge,
        unknown_users: UnknownUsers,
    ) -> Result<Standing, Error> {
        if challenge.user.is_believed(unknown_users) {
            return Ok(Standing::Unused(challenge.user.user()));
        }
        let user = self.store.find_user(&challenge.destination).await?;
        let mut known = user.iter();
        let is_used = known.any(|user| user.has_logged_in_since(challenge.issued_at));
        Ok(if is_used {
            Standing::Used(user)
        } else {
            Standing::Unused(user)
        })
    }

    async fn session_of(
        &self,
        user: &ResolvedUser,
        token: &RefreshToken,
        right: &RightGuess<'_>,
        request: &ValidateRequest,
        now: UnixTime,
    ) -> Result<Session, Fault> {
        let challenge = &right.charged.challenge;
        let lifetimes = self.lifetimes_of(challenge, now);
        let session = Session {
            new_user: user.is_new(),
            label: request.label.clone(),
            ..Session::start(token, &challenge.destination, lifetimes, now)
        };
        Ok(session.sealed(self.digest_keys.current().await?))
    }

    /// A session that a fixed code starts ends with that code.
    fn lifetimes_of(&self, challenge: &Challenge, now: UnixTime) -> SessionLifetimes {
        let own = self.lifetimes;
        let (to, issued_at) = (&challenge.destination, challenge.issued_at);
        let end = self.test_identities.end_for(to, issued_at);
        SessionLifetimes {
            absolute: end.map_or(own.absolute, |end| own.absolute.min(now.until(end))),
            ..own
        }
    }
}

/// Signs the token and uses the code up: at once, if the client can repeat its request
/// and get this login when the signature fails; otherwise the signature comes first, and
/// the code stays unused without it.
async fn sign_and_redeem(
    mint: impl Future<Output = Result<AccessToken, Fault>>,
    redeem: impl Future<Output = Result<Redemption, Fault>>,
    may_repeat: bool,
) -> Result<(Result<AccessToken, Fault>, Redemption), Fault> {
    let (minted, redeemed) = if may_repeat {
        tokio::join!(mint, redeem)
    } else {
        (Ok(mint.await?), redeem.await)
    };
    Ok((minted, redeemed?))
}
