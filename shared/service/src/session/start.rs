//! A right guess starts a session.

use otp_domain::{
    Challenge, Claims, OperationId, RefreshToken, ResolvedUser, Session, SessionLifetimes,
    UnixTime, User,
};
use rand::CryptoRng;

use super::{
    LoggedIn, SessionService,
    validate::{RightGuess, ValidateRequest},
};
use crate::{
    Error,
    fault::{Dependency, Fault},
    store::{Redeeming, Redemption},
};

/// How often one request redeems, if its user changes in between.
const REDEMPTIONS: u8 = 2;

/// What is known of the user of a right guess.
enum Standing {
    /// The code is unused. The user, or nobody: read, or carried by the challenge.
    Unused(Option<User>),
    /// The code is used, or void since a later login. The user as it is now, if the
    /// request may be a repeat.
    Used(Option<User>),
}

/// The claims of a user. A user whom the validation creates has none.
fn claims_of(user: Option<&User>) -> Claims {
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
        let challenge = &right.attempted.challenge;
        let mut standing = self.standing(challenge, request).await?;
        let mut nth = 0;
        loop {
            let user = match standing {
                Standing::Unused(_) if nth == REDEMPTIONS => {
                    let cause = "the user changed twice meanwhile";
                    return Err(Fault::new(Dependency::Table, "redeem", cause).into());
                }
                Standing::Unused(user) => user,
                Standing::Used(user) => {
                    let user = user.filter(|user| !user.disabled);
                    let claims = claims_of(user.as_ref());
                    let token = user.and_then(|user| right.derived_token(request, &user.id));
                    let repeated = self.log_in_again(&challenge.id, token, &claims, now, rng);
                    return repeated.await;
                }
            };
            let claims = claims_of(user.as_ref());
            let user = self.policy.unknown_users.resolve(user, rng)?;
            let refresh_token = right
                .derived_token(request, user.id())
                .unwrap_or_else(|| RefreshToken::draw(user.id().clone(), rng));
            let session = self.session_of(&user, &refresh_token, challenge, now);
            let session = session.await?;
            let redeeming = Redeeming {
                attempted: &right.attempted,
                user: &user,
                claims: &claims,
                session: &session,
            };
            let mint = self.tokens.mint(&session, &claims, now, rng);
            let redeem = self.store.redeem(&redeeming, operation, nth, now);
            let (minted, redeemed) = if request.idempotency_key.is_some() {
                // Without a token, the client repeats the request and gets this login.
                tokio::join!(mint, redeem)
            } else {
                // Without a token, the code must stay unused (docs/decisions/redeeming.md).
                let token = mint.await?;
                (Ok(token), redeem.await)
            };
            standing = match redeemed? {
                Redemption::Lost(winner) => Standing::Used(winner),
                Redemption::Changed(user) => Standing::Unused(user),
                Redemption::Won => {
                    return Ok(LoggedIn {
                        access_token: minted?,
                        user,
                        refresh_token,
                        refresh_expires_in: now.until(session.expires_at),
                        challenge_id: challenge.id.clone(),
                        is_repeated: false,
                    });
                }
            };
            nth += 1;
        }
    }

    /// What is known of the user before a token is minted. A code that this instance
    /// knows as used costs no signature. The user is read only after a right guess:
    /// otherwise the time of a refusal could tell who is a user.
    async fn standing(
        &self,
        challenge: &Challenge,
        request: &ValidateRequest,
    ) -> Result<Standing, Error> {
        let to = &challenge.destination;
        if self.store.knows_as_used(challenge) {
            let may_be_repeat = request.idempotency_key.is_some();
            return Ok(Standing::Used(if may_be_repeat {
                self.store.find_user(to).await?
            } else {
                None
            }));
        }
        if let Some(user) = challenge.user.believed(self.policy.unknown_users) {
            return Ok(Standing::Unused(user));
        }
        let user = self.store.find_user(to).await?;
        let is_used = user
            .as_ref()
            .is_some_and(|user| user.has_logged_in_since(challenge.issued_at));
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
        challenge: &Challenge,
        now: UnixTime,
    ) -> Result<Session, Fault> {
        let lifetimes = self.lifetimes_of(challenge, now);
        let session = Session {
            new_user: user.is_new(),
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
