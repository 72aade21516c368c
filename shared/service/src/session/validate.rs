//! Use case: a client validates a code.

use std::time::Duration;

use otp_domain::{
    ChallengeId, ClientAddress, Destination, Device, DeviceLabel, Devices, IdempotencyKey,
    OperationId, Passcode, Purpose, RefreshToken, Refusal, RepeatableGuess, ResolvedUser, UnixTime,
    User, UserId, Verdict,
};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};

use super::SessionService;
use crate::{
    Error,
    about::About,
    access_token::AccessToken,
    keys::HeldKeys,
    ledger::{ChargedGuess, Guess},
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
    /// What the client calls its device.
    pub label: Option<DeviceLabel>,
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
    /// What makes the device known at the destination, unless devices are off.
    pub device: Option<DeviceToken>,
    /// Whether an earlier request started the session, and this one repeats it.
    pub is_repeated: bool,
}

/// A token by which a device is known again.
#[derive(Debug)]
pub struct DeviceToken {
    /// The token.
    pub token: SecretString,
    /// Its lifetime.
    pub expires_in: Duration,
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
    pub(super) charged: ChargedGuess<'a>,
}

impl RightGuess<'_> {
    /// The device that requested the code, if the user still knows it.
    pub(super) fn known_device(&self, user: Option<&User>) -> Option<Device> {
        let (challenge, key) = (&self.charged.challenge, self.charged.key);
        let device = challenge.device.clone()?;
        let is_known = device.is_known_to(user?, &challenge.destination, key);
        is_known.then_some(device)
    }

    /// A device that the user does not know yet, beside those it has had.
    pub(super) fn new_device(
        &self,
        user: &UserId,
        devices: Devices,
        rng: &mut impl CryptoRng,
    ) -> Device {
        let (to, key) = (&self.charged.challenge.destination, self.charged.key);
        Device::new(user, to, devices, key, rng)
    }

    /// The first refresh token of the session that the guess starts or has
    /// started, if its client can repeat the request.
    pub(super) fn derived_token(
        &self,
        request: &ValidateRequest,
        user: &UserId,
    ) -> Option<RefreshToken> {
        let guess = request.repeatable(&self.charged.challenge.id, &self.code)?;
        Some(guess.first_token(self.charged.key, user.clone()))
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
        let logged_in = self.judge_and_start(request, now, rng).await;
        logged_in.map_err(|error| {
            let about = About::from(&request.destination);
            error.about(About {
                challenge: request.challenge_id.clone(),
                ..about
            })
        })
    }

    async fn judge_and_start(
        &self,
        request: &ValidateRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<LoggedIn, Error> {
        let operation = OperationId::draw(rng);
        let right = self.judge(request, &Purpose::Login, &operation, now);
        let right = right.await?;
        self.start(&right, request, &operation, now, rng).await
    }

    /// Spends an attempt, and compares the guess. A guess of another length than the code
    /// costs no attempt.
    ///
    /// The attempt is named under the current digest key: the challenge, which names
    /// its own, is not read yet. A repeat after a rotation therefore spends another attempt.
    pub(super) async fn judge(
        &self,
        request: &ValidateRequest,
        purpose: &Purpose,
        operation: &OperationId,
        now: UnixTime,
    ) -> Result<RightGuess<'_>, Error> {
        // An unavailable key must not cost an attempt.
        tokio::try_join!(self.digest_keys.held(), self.tokens.warm_up())?;
        let code = Passcode::parse_guess(request.otp.expose_secret()).ok();
        let guess = Guess {
            digits: code.as_ref().map_or(0, Passcode::digits),
            destination: &request.destination,
            purpose,
            challenge: request.challenge_id.as_ref(),
            client: &request.client,
            limit: &self.policy.validation_limit(&request.client),
            max_attempts: self.policy.max_attempts,
            at: now,
        };
        // A repeat spends its attempt again, which changes nothing.
        let attempt = code.as_ref().map(|code| {
            |keys: &HeldKeys<'_>, id: &ChallengeId| {
                let repeatable = request.repeatable(id, code);
                repeatable.map_or_else(|| operation.clone(), |it| it.attempt(keys.current))
            }
        });
        let charged = self
            .ledger
            .charge(&guess, &self.digest_keys, attempt)
            .await?;
        let challenge = &charged.challenge;
        let is_right = |code: &Passcode| {
            challenge.judge(code, charged.key, &self.test_identities, now) == Verdict::Right
        };
        let Some(code) = code.filter(is_right) else {
            charged.record_wrong(now).await?;
            return Err(Error::from(Refusal::InvalidOtp("wrong code")).about(&challenge.id));
        };
        Ok(RightGuess { code, charged })
    }
}
