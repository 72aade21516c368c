//! Use case: a client validates a code.

use std::time::Duration;

use otp_domain::{
    ChallengeId, ClientAddress, Destination, DigestKey, IdempotencyKey, OperationId, Passcode,
    RefreshToken, Refusal, RepeatableGuess, ResolvedUser, UnixTime, UserId, Verdict,
};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};

use super::SessionService;
use crate::{
    Error, ErrorKind,
    about::About,
    access_token::AccessToken,
    keys::HeldKeys,
    store::{Attempt, AttemptedChallenge},
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

/// A guess that is the code of its challenge.
pub(super) struct RightGuess<'a> {
    code: Passcode,
    pub(super) attempted: AttemptedChallenge,
    /// The digest key of the challenge.
    key: &'a DigestKey,
}

impl RightGuess<'_> {
    /// Whether the guess is by the client that requested the code.
    fn is_by_requester(&self, request: &ValidateRequest) -> bool {
        let challenge = &self.attempted.challenge;
        challenge.is_requested_by(&request.client, self.key)
    }

    /// The first refresh token of the session that the guess starts or has
    /// started, if its client can repeat the request.
    pub(super) fn derived_token(
        &self,
        request: &ValidateRequest,
        user: &UserId,
    ) -> Option<RefreshToken> {
        let guess = request.repeatable(&self.attempted.challenge.id, &self.code)?;
        Some(guess.first_token(self.key, user.clone()))
    }
}

/// Whether the answer tells what a comparison said, other than by starting a session.
fn tells_a_verdict(logged_in: &Result<LoggedIn, Error>) -> bool {
    match logged_in {
        Ok(login) => login.is_repeated,
        Err(error) => matches!(error.kind, ErrorKind::Refused(_)),
    }
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
    /// Spends an attempt, compares the guess, and starts a session if it is right.
    ///
    /// Every request counts against its client before it is answered, but one: the
    /// client that requested the code logs in. That counts with the client's next
    /// request; its logins bound these (docs/decisions/guesses.md).
    ///
    /// The same request under the same idempotency key gets the same login again
    /// (docs/decisions/lost-answers.md).
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
        let logged_in = self.spend_and_start(request, now, rng).await;
        logged_in.map_err(|error| {
            let about = About::from(&request.destination);
            error.about(About {
                challenge: request.challenge_id.clone(),
                ..about
            })
        })
    }

    async fn spend_and_start(
        &self,
        request: &ValidateRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<LoggedIn, Error> {
        let limit = self.policy.validation_limit(&request.client);
        self.store.refuse_known(&limit, now)?;
        let operation = OperationId::draw(rng);
        let count = || self.store.count_validation(&limit, &operation, now);
        let logged_in = match self.spend_and_judge(request, &operation, now).await {
            Ok(right) if right.is_by_requester(request) => {
                self.start(&right, request, &operation, now, rng).await
            }
            Ok(right) => {
                count().await?;
                return self.start(&right, request, &operation, now, rng).await;
            }
            Err(error) => Err(error),
        };
        if tells_a_verdict(&logged_in) {
            count().await?;
        } else if logged_in.is_ok() {
            self.store.leave_uncounted(&limit, now);
        }
        logged_in
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
        let (code, attempted) = self.spend_attempt(request, operation, &keys, now).await?;
        let key = self.digest_keys.named(&attempted.challenge.key_id).await?;
        if attempted.challenge.judge(&code, key, now) == Verdict::Wrong {
            let refusal = Error::from(Refusal::InvalidOtp("wrong code"));
            return Err(refusal.about(&attempted.challenge.id));
        }
        Ok(RightGuess {
            code,
            attempted,
            key,
        })
    }

    /// Spends the attempt. A guess of the wrong length costs none.
    ///
    /// The attempt is named under the current digest key: the challenge, which names
    /// its own, is not read yet. A repeat after a rotation therefore spends another attempt.
    async fn spend_attempt(
        &self,
        request: &ValidateRequest,
        operation: &OperationId,
        keys: &HeldKeys<'_>,
        now: UnixTime,
    ) -> Result<(Passcode, AttemptedChallenge), Error> {
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
        let operation = attempt_at(&id);
        let attempt = Attempt {
            destination: to,
            challenge: &id,
            operation: &operation,
        };
        let spent = self.store.spend_attempt(&attempt, max, keys, now);
        Ok((guess, spent.await?))
    }
}
