//! Use case: a client validates a code.

use std::time::Duration;

use otp_domain::{
    ChallengeId, ClientAddress, Destination, OperationId, Passcode, RefreshToken, Refusal,
    ResolvedUser, Session, SessionLifetimes, UnixTime, UnknownUsers, User, Verdict,
};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};

use super::SessionService;
use crate::{Error, access_token::AccessToken, store::AttemptedChallenge};

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
}

/// The user of a destination, read concurrently with the attempt or after it.
enum UserLookup {
    Done(Option<User>),
    Deferred,
}

impl SessionService {
    /// Spends an attempt, compares the guess, mints a token, and redeems the
    /// challenge. The client gets the token only if the redemption wins. Minting
    /// comes first, so that an unavailable signing key costs an attempt, not the
    /// code (docs/adr/0004).
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
        logged_in.map_err(|error| error.about(&request.destination))
    }

    async fn spend_and_redeem(
        &self,
        request: &ValidateRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<LoggedIn, Error> {
        // An unavailable key must not cost an attempt. Only codes under the
        // second digest key need that key, so it is not fetched here.
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

    /// A session that a fixed code starts ends with that code.
    fn lifetimes_of(&self, to: &Destination, now: UnixTime) -> SessionLifetimes {
        let own = self.lifetimes;
        let end = self.test_identities.end_for(to);
        SessionLifetimes {
            absolute: end.map_or(own.absolute, |end| own.absolute.min(now.until(end))),
            ..own
        }
    }

    /// Spends the attempt and concurrently reads the user. Under
    /// [`UnknownUsers::Conceal`], the user is read later: reading an existing item
    /// takes longer than a miss, so a refusal that waits for the read would reveal
    /// who is a user. A guess of the wrong length costs no attempt.
    async fn spend_attempt(
        &self,
        request: &ValidateRequest,
        operation: &OperationId,
        now: UnixTime,
    ) -> Result<(Passcode, AttemptedChallenge, UserLookup), Error> {
        let (to, max) = (&request.destination, self.policy.max_attempts);
        let guess = Passcode::parse(request.otp.expose_secret(), self.policy.code_length)
            .map_err(|_| Refusal::InvalidOtp("wrong number of digits"))?;
        let named = match &request.challenge_id {
            Some(id) => Some(id.clone()),
            None => self.store.newest_live(to, max, now).await?,
        };
        let id = named.ok_or(Refusal::InvalidOtp("no live challenge"))?;
        let attempt = self.store.spend_attempt(to, &id, operation, max, now);
        let (attempted, user) = if self.policy.unknown_users == UnknownUsers::Conceal {
            (attempt.await?, UserLookup::Deferred)
        } else {
            let (attempted, user) = tokio::join!(attempt, self.store.find_user(to));
            (attempted?, UserLookup::Done(user?))
        };
        Ok((guess, attempted, user))
    }
}
