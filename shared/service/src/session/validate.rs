//! Use case: a client validates a code.

use std::time::Duration;

use otp_domain::{
    Challenge, ChallengeId, Claims, ClientAddress, Destination, DigestKey, IdempotencyKey,
    OperationId, Passcode, RefreshToken, Refusal, RepeatableGuess, ResolvedUser, Session,
    SessionLifetimes, UnixTime, UnknownUsers, User, UserId, Verdict,
};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};

use super::SessionService;
use crate::{
    Error,
    about::About,
    access_token::AccessToken,
    keys::HeldKeys,
    store::{AttemptedChallenge, Redemption},
};

/// A request to validate a guess at a code.
#[derive(Debug)]
pub struct ValidateRequest {
    /// The client that guesses.
    pub client: ClientAddress,
    /// The destination that the client claims.
    pub destination: Destination,
    /// The challenge that the guess answers. Without it, the guess answers the
    /// destination's newest live challenge.
    pub challenge_id: Option<ChallengeId>,
    /// The guess: one or more digits. Its length is not checked yet.
    pub otp: SecretString,
    /// The client's key for this request, if the client sent one.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// A successful validation.
#[derive(Debug)]
pub struct LoggedIn {
    /// The access token.
    pub access_token: AccessToken,
    /// The user.
    pub user: ResolvedUser,
    /// The first refresh token of the session.
    pub refresh_token: RefreshToken,
    /// The lifetime of the refresh token.
    pub refresh_expires_in: Duration,
    /// The challenge that the guess answered.
    pub challenge_id: ChallengeId,
    /// Whether an earlier request started the session, and this one repeats it.
    pub is_repeated: bool,
}

impl From<&LoggedIn> for About {
    fn from(login: &LoggedIn) -> Self {
        Self::from(login.user.id())
            .and(&login.challenge_id)
            .and(login.refresh_token.session_id())
    }
}

/// The user of a destination, read concurrently with the attempt or after it.
enum UserLookup {
    Done(Option<User>),
    Deferred,
}

/// A guess that is the code of its challenge.
struct RightGuess<'a> {
    code: Passcode,
    attempted: AttemptedChallenge,
    /// The digest key of the challenge.
    key: &'a DigestKey,
    user: Option<User>,
}

impl RightGuess<'_> {
    /// The first refresh token of the session that the guess starts or has
    /// started, if its client can repeat the request.
    fn derived_token(&self, request: &ValidateRequest, user: &UserId) -> Option<RefreshToken> {
        let guess = request.repeatable(&self.attempted.challenge.id, &self.code)?;
        Some(guess.first_token(self.key, user.clone()))
    }

    fn claims(&self) -> Claims {
        claims_of(self.user.as_ref())
    }
}

/// The claims of a user. A user whom the validation creates has none.
fn claims_of(user: Option<&User>) -> Claims {
    user.map_or_else(Claims::default, |user| user.claims.clone())
}

impl ValidateRequest {
    /// The guess, if its client can repeat it.
    fn repeatable<'a>(
        &'a self,
        challenge: &'a ChallengeId,
        code: &'a Passcode,
    ) -> Option<RepeatableGuess<'a>> {
        self.idempotency_key.as_ref().map(|key| RepeatableGuess {
            key,
            challenge,
            destination: &self.destination,
            code,
        })
    }
}

impl SessionService {
    /// Spends an attempt, compares the guess, mints a token, and redeems the
    /// challenge. The client gets the token only if the redemption wins. Minting
    /// comes first, so that an unavailable signing key costs an attempt, not the
    /// code (docs/adr/0004).
    ///
    /// The same request under the same idempotency key gets the same login again
    /// (docs/adr/0014).
    ///
    /// # Errors
    ///
    /// Refused if the code is invalid or the client's limit refuses. A fault if
    /// the table or a key is unavailable.
    pub async fn validate(
        &self,
        request: &ValidateRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<LoggedIn, Error> {
        let logged_in = self.spend_and_redeem(request, now, rng).await;
        logged_in.map_err(|error| {
            let about = About::from(&request.destination);
            error.about(About {
                challenge: request.challenge_id.clone(),
                ..about
            })
        })
    }

    async fn spend_and_redeem(
        &self,
        request: &ValidateRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<LoggedIn, Error> {
        let operation = OperationId::draw(rng);
        let right = self.spend_and_judge(request, &operation, now).await?;
        let challenge = &right.attempted.challenge;
        let is_used = right
            .user
            .as_ref()
            .is_some_and(|user| user.has_logged_in_since(challenge.issued_at));
        let user = self.policy.unknown_users.resolve(right.user.clone(), rng)?;
        let refresh_token = right.derived_token(request, user.id());
        if is_used {
            let claims = right.claims();
            let repeated = self.log_in_again(&challenge.id, refresh_token, &claims, now, rng);
            return repeated.await;
        }
        let refresh_token =
            refresh_token.unwrap_or_else(|| RefreshToken::draw(user.id().clone(), rng));
        let lifetimes = self.lifetimes_of(challenge, now);
        let session = Session {
            new_user: user.is_new(),
            ..Session::start(&refresh_token, &request.destination, lifetimes, now)
        };
        let session = session.sealed(self.digest_keys.current().await?);
        let claims = right.claims();
        let access_token = self.tokens.mint(&session, &claims, now, rng).await?;
        let redemption = self
            .store
            .redeem(&right.attempted, &user, &session, &operation, now)
            .await?;
        if let Redemption::Lost(winner) = redemption {
            // The winner may be the same request.
            let winner = winner.filter(|user| !user.disabled);
            let claims = claims_of(winner.as_ref());
            let refresh_token = winner.and_then(|user| right.derived_token(request, &user.id));
            let repeated = self.log_in_again(&challenge.id, refresh_token, &claims, now, rng);
            return repeated.await;
        }
        Ok(LoggedIn {
            access_token,
            user,
            refresh_token,
            refresh_expires_in: now.until(session.expires_at),
            challenge_id: challenge.id.clone(),
            is_repeated: false,
        })
    }

    /// Spends an attempt, and compares the guess.
    async fn spend_and_judge(
        &self,
        request: &ValidateRequest,
        operation: &OperationId,
        now: UnixTime,
    ) -> Result<RightGuess<'_>, Error> {
        // An unavailable key must not cost an attempt.
        let (keys, ()) = tokio::try_join!(self.digest_keys.held(), self.tokens.warm_up())?;
        let limit = self.policy.validation_limit(&request.client);
        let (admitted, attempt) = tokio::join!(
            self.store.admit_validation(&limit, operation, now),
            self.spend_attempt(request, operation, &keys, now),
        );
        admitted?;
        let (code, attempted, user) = attempt?;
        let key = self.digest_keys.named(&attempted.challenge.key_id).await?;
        if attempted.challenge.judge(&code, key, now) == Verdict::Wrong {
            let refusal = Error::from(Refusal::InvalidOtp("wrong code"));
            return Err(refusal.about(&attempted.challenge.id));
        }
        let user = match user {
            UserLookup::Done(user) => user,
            UserLookup::Deferred => self.store.find_user(&request.destination).await?,
        };
        Ok(RightGuess {
            code,
            attempted,
            key,
            user,
        })
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

    /// Spends the attempt and concurrently reads the user. Under
    /// [`UnknownUsers::Conceal`], the user is read later: reading an existing item
    /// takes longer than a miss, so a refusal that waits for the read would reveal
    /// who is a user. A guess of the wrong length costs no attempt.
    ///
    /// The attempt is named under the current digest key: the challenge, which names
    /// its own, is not read yet. A repeat after a rotation therefore spends another attempt.
    async fn spend_attempt(
        &self,
        request: &ValidateRequest,
        operation: &OperationId,
        keys: &HeldKeys<'_>,
        now: UnixTime,
    ) -> Result<(Passcode, AttemptedChallenge, UserLookup), Error> {
        let (to, max) = (&request.destination, self.policy.max_attempts);
        let guess = Passcode::parse(request.otp.expose_secret(), self.policy.code_length)
            .map_err(|_| Refusal::InvalidOtp("wrong number of digits"))?;
        // A repeat spends its attempt again, which changes nothing.
        let attempt_at = |id: &ChallengeId| {
            let repeatable = request.repeatable(id, &guess);
            repeatable.map_or_else(|| operation.clone(), |guess| guess.attempt(keys.current))
        };
        let named = match &request.challenge_id {
            Some(id) => Some(id.clone()),
            None => self.store.find_challenge(to, max, now, attempt_at).await?,
        };
        let id = named.ok_or(Refusal::InvalidOtp("no live challenge"))?;
        let attempt_id = attempt_at(&id);
        let attempt = self
            .store
            .spend_attempt(to, &id, &attempt_id, max, keys, now);
        let (attempted, user) = if self.policy.unknown_users == UnknownUsers::Conceal {
            (attempt.await?, UserLookup::Deferred)
        } else {
            let (attempted, user) = tokio::join!(attempt, self.store.find_user(to));
            let user = UserLookup::Done(user?);
            (attempted?, user)
        };
        Ok((guess, attempted, user))
    }
}
