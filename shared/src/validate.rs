//! Use case: somebody brings a code back. What the same function does with the
//! tokens it gave out is in the modules below.

mod identify;
mod renew;

use std::time::Duration;

use aws_config::SdkConfig;
use rand::CryptoRng;
use secrecy::ExposeSecret;

use crate::{
    clients,
    config::Config,
    domain::{
        Account, ChallengeId, Destination, Family, Lifetimes, Passcode, Policy, RefreshToken,
        Refusal, RequestId, TestIdentities, UnixTime, UnknownUsers, User, Verdict,
    },
    http::{cors::Origins, problem::Failure, request::Claim},
    keys::{DigestKeys, SigningKey},
    store::{Spent, Store},
    token::{Token, TokenIssuer},
};

pub use renew::Renewed;

/// Everything that the validate function works with. It can sign, and it cannot
/// send.
pub struct Validate {
    policy: Policy,
    lifetimes: Lifetimes,
    test_identities: TestIdentities,
    origins: Origins,
    digest_keys: DigestKeys,
    store: Store,
    tokens: TokenIssuer,
}

/// Somebody proved to hold a destination.
#[derive(Debug)]
pub struct LoggedIn {
    /// What they may show elsewhere.
    pub token: Token,
    /// Who they are.
    pub account: Account,
    /// What renews the token.
    pub refresh_token: RefreshToken,
    /// How long that is good for, unless it is used.
    pub refresh_expires_in: Duration,
}

/// Whether the user was looked for, and if so, whether there is one.
enum Looked {
    For(Option<User>),
    NotYet,
}

impl Validate {
    /// Builds the clients; calls nobody yet.
    #[must_use]
    pub fn new(config: &Config, sdk: &SdkConfig) -> Self {
        let kms = clients::kms(sdk);
        let signing_key = |id: &String| SigningKey::new(kms.clone(), id.clone());
        let digest_keys = DigestKeys::new(
            &kms,
            &config.digest_key_id,
            config.second_digest_key_id.as_deref(),
        );
        Self {
            policy: config.policy.clone(),
            lifetimes: config.lifetimes,
            test_identities: config.test_identities.clone(),
            origins: config.allowed_origins.clone(),
            digest_keys,
            store: Store::new(clients::dynamodb(sdk), config.table_name.clone()),
            tokens: TokenIssuer::new(
                signing_key(&config.signing_key_id),
                config.second_signing_key_id.as_ref().map(signing_key),
                config.token_issuer.clone(),
                config.token_audience.clone(),
                config.token_ttl,
            ),
        }
    }

    /// Whose pages may call.
    #[must_use]
    pub const fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Fetches the keys ahead of the first request. If that fails, the first
    /// request tries again and answers for it.
    pub async fn warm_up(&self) {
        let _ = tokio::join!(self.digest_keys.current(), self.tokens.warm_up());
    }

    /// Spends an attempt, then compares, then mints, then redeems; the token
    /// leaves only if the redeeming won. Minting comes first so that a signing
    /// key out of reach costs an attempt, not the code (docs/adr/0004).
    ///
    /// # Errors
    ///
    /// The code is not good for a login, the client's limit is used up, or we
    /// are broken.
    pub async fn log_in(
        &self,
        claim: &Claim,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<LoggedIn, Failure> {
        // Keys out of reach must not cost an attempt, nor one wait for the other.
        // The second digest key is asked for by its codes alone: without it, all
        // others are still good.
        tokio::try_join!(self.digest_keys.current(), self.tokens.warm_up())?;
        let request = RequestId::draw(rng);
        let limit = self.policy.validation_limit(&claim.client);
        let (admitted, spent) = tokio::join!(
            self.store.admit_validation(&limit, &request, now, rng),
            self.spend(claim, &request, now),
        );
        admitted??;
        let (guess, spent, user) = spent?;
        let key = self.digest_keys.named(&spent.challenge.key_id).await?;
        if spent.challenge.judge(&guess, key, now) == Verdict::Wrong {
            return Err(Refusal::InvalidOtp("wrong code").into());
        }
        let user = match user {
            Looked::For(user) => user,
            Looked::NotYet => self.store.find_user(&claim.destination).await?,
        };
        let account = self.policy.unknown_users.account(user, rng)?;
        let refresh_token = RefreshToken::draw(account.user_id().clone(), rng);
        let lifetimes = self.lifetimes_of(&claim.destination, now);
        let family = Family::start(&refresh_token, &claim.destination, lifetimes, now);
        let token = self.tokens.mint(&family, now, rng).await?;
        if !self
            .store
            .redeem(&spent.challenge, &account, &family, &request, now)
            .await?
        {
            return Err(Refusal::InvalidOtp("used or void").into());
        }
        self.store.prove(&spent).await;
        Ok(LoggedIn {
            token,
            account,
            refresh_token,
            refresh_expires_in: now.until(family.expires_at),
        })
    }

    /// A login by a fixed code ends with that code.
    fn lifetimes_of(&self, to: &Destination, now: UnixTime) -> Lifetimes {
        let own = self.lifetimes;
        let end = self.test_identities.end_for(to);
        Lifetimes {
            absolute: end.map_or(own.absolute, |end| own.absolute.min(now.until(end))),
            ..own
        }
    }

    /// Spends the attempt and, beside it, looks for the user, unless it is
    /// concealed who is one: a refusal must not wait for the user then, whose
    /// item takes longer to come than none. A guess that can be no code is not
    /// worth an attempt.
    async fn spend(
        &self,
        claim: &Claim,
        request: &RequestId,
        now: UnixTime,
    ) -> Result<(Passcode, Spent, Looked), Failure> {
        let (to, max) = (&claim.destination, self.policy.max_attempts);
        let guess = Passcode::parse(claim.otp.expose_secret(), self.policy.code_length)
            .map_err(|_| Refusal::InvalidOtp("wrong length"))?;
        let named = match &claim.challenge_id {
            Some(text) => ChallengeId::parse(text),
            None => self.store.newest_live(to, max, now).await?,
        };
        let id = named.ok_or(Refusal::InvalidOtp("no such challenge"))?;
        let attempt = self.store.spend_attempt(to, &id, request, max, now);
        let (spent, user) = if self.policy.unknown_users == UnknownUsers::Conceal {
            (attempt.await?, Looked::NotYet)
        } else {
            let (spent, user) = tokio::join!(attempt, self.store.find_user(to));
            (spent?, Looked::For(user?))
        };
        let spent = spent.ok_or(Refusal::InvalidOtp("no live challenge"))?;
        Ok((guess, spent, user))
    }
}
