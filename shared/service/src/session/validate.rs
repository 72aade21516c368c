//! Use case: a client brings a code back.

use std::time::Duration;

use otp_domain::{
    ChallengeId, ClientAddress, Destination, OperationId, Passcode, RefreshToken, Refusal,
    ResolvedUser, Session, SessionLifetimes, UnixTime, UnknownUsers, User, Verdict,
};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};

use super::SessionService;
use crate::{Error, access_token::AccessToken, store::AttemptedChallenge};

/// A guess at a code.
#[derive(Debug)]
pub struct ValidateRequest {
    /// The client that guesses.
    pub client: ClientAddress,
    /// The destination that the client claims to hold.
    pub destination: Destination,
    /// The challenge that the guess answers. Without it, the newest live one of
    /// the destination counts.
    pub challenge_id: Option<String>,
    /// The guess: one or more digits. Their number is not checked yet.
    pub otp: SecretString,
}

/// A user proved to hold a destination.
#[derive(Debug)]
pub struct LoggedIn {
    /// The token to call APIs with.
    pub access_token: AccessToken,
    /// The user.
    pub user: ResolvedUser,
    /// The token to get the next access token with.
    pub refresh_token: RefreshToken,
    /// How long the refresh token lives if it is not used.
    pub refresh_expires_in: Duration,
}

/// The user of a destination: read beside the attempt, or to be read after it.
enum UserLookup {
    Done(Option<User>),
    Deferred,
}

impl SessionService {
    /// Spends an attempt, compares, mints a token, and redeems the challenge.
    /// The token leaves only if the redemption won. Minting comes first so that
    /// an unreachable signing key costs an attempt, not the code
    /// (docs/adr/0004).
    ///
    /// # Errors
    ///
    /// Refused if the code does not log in or the client's limit is reached. A
    /// fault if the table or the keys are broken.
    pub async fn validate(
        &self,
        request: &ValidateRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<LoggedIn, Error> {
        let logged_in = self.spend_and_redeem(request, now, rng).await;
        logged_in.map_err(|error| error.about(&request.destination))
    }

    async fn spend_and_redeem(
        &self,
        request: &ValidateRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<LoggedIn, Error> {
        // Unreachable keys must not cost an attempt. The second digest key is
        // fetched only for its own codes: all others verify without it.
        tokio::try_join!(self.digest_keys.current(), self.tokens.warm_up())?;
        let operation = OperationId::draw(rng);
        let limit = self.policy.validation_limit(&request.client);
        let (admitted, attempt) = tokio::join!(
            self.store.admit_validation(&limit, &operation, now, rng),
            self.spend_attempt(request, &operation, now),
        );
        admitted?;
        let (guess, attempted, user) = attempt?;
        let key = self.digest_keys.named(&attempted.challenge.key_id).await?;
        if attempted.challenge.judge(&guess, key, now) == Verdict::Wrong {
            return Err(Refusal::InvalidOtp("wrong code").into());
        }
        let user = match user {
            UserLookup::Done(user) => user,
            UserLookup::Deferred => self.store.find_user(&request.destination).await?,
        };
        let user = self.policy.unknown_users.resolve(user, rng)?;
        let refresh_token = RefreshToken::draw(user.id().clone(), rng);
        let lifetimes = self.lifetimes_of(&request.destination, now);
        let session = Session::start(&refresh_token, &request.destination, lifetimes, now);
        let access_token = self.tokens.mint(&session, now, rng).await?;
        self.store
            .redeem(&attempted.challenge, &user, &session, &operation, now)
            .await?;
        self.store.record_conversion(&attempted).await;
        Ok(LoggedIn {
            access_token,
            user,
            refresh_token,
            refresh_expires_in: now.until(session.expires_at),
        })
    }

    /// A session that a fixed code started ends when that code does.
    fn lifetimes_of(&self, to: &Destination, now: UnixTime) -> SessionLifetimes {
        let own = self.lifetimes;
        let end = self.test_identities.end_for(to);
        SessionLifetimes {
            absolute: end.map_or(own.absolute, |end| own.absolute.min(now.until(end))),
            ..own
        }
    }

    /// Spends the attempt and reads the user, both at once. Under
    /// [`UnknownUsers::Conceal`] the user is read later: reading an existing
    /// item takes longer than a miss, so a refusal that waited for the read
    /// would tell who is a user. A guess of the wrong length costs no attempt.
    async fn spend_attempt(
        &self,
        request: &ValidateRequest,
        operation: &OperationId,
        now: UnixTime,
    ) -> Result<(Passcode, AttemptedChallenge, UserLookup), Error> {
        let (to, max) = (&request.destination, self.policy.max_attempts);
        let guess = Passcode::parse(request.otp.expose_secret(), self.policy.code_length)
            .map_err(|_| Refusal::InvalidOtp("wrong length"))?;
        let named = match &request.challenge_id {
            Some(text) => ChallengeId::parse(text),
            None => self.store.newest_live(to, max, now).await?,
        };
        let id = named.ok_or(Refusal::InvalidOtp("no such challenge"))?;
        let attempt = self.store.spend_attempt(to, &id, operation, max, now);
        let (attempted, user) = if self.policy.unknown_users == UnknownUsers::Conceal {
            (attempt.await?, UserLookup::Deferred)
        } else {
            let (attempted, user) = tokio::join!(attempt, self.store.find_user(to));
            (attempted?, UserLookup::Done(user?))
        };
        let attempted = attempted.ok_or(Refusal::InvalidOtp("no live challenge"))?;
        Ok((guess, attempted, user))
    }
}
