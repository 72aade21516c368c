//! Use case: somebody asks for a code.

use std::time::Duration;

use aws_config::SdkConfig;
use rand::CryptoRng;
use tokio::time::timeout;

use crate::{
    ambient::Stopwatch,
    clients,
    config::Config,
    delivery::Messages,
    domain::{
        Challenge, ChallengeId, Channel, Destination, Passcode, Policy, Sending, TestIdentities,
        UnixTime, UnknownUsers, User, issue,
    },
    fault::{Dependency, Fault},
    http::{cors::Origins, problem::Failure, request::Ask},
    keys::DigestKeys,
    store::{Admission, Admitted, Earlier, Store, Terms},
};

/// Everything that the login function works with. It can send, and it cannot
/// sign.
pub struct Login {
    policy: Policy,
    origins: Origins,
    test_identities: TestIdentities,
    digest_keys: DigestKeys,
    store: Store,
    messages: Messages,
}

/// When a delivery is given up under [`UnknownUsers::Conceal`]: early enough
/// that giving up does not show in the time of the answer.
const CONCEALED_DELIVERY: Duration = Duration::from_millis(1900);

/// How long each login takes under [`UnknownUsers::Conceal`], counted from its
/// arrival. Providers answer well within it; one that does not counts as failed.
const CONCEALED_LOGIN: Duration = Duration::from_secs(2);

/// What became of the message. The client is told the same in each case.
#[derive(Debug)]
pub enum Delivery {
    /// The provider has it.
    Done,
    /// There is none: nobody is to get a code there, or its code is fixed.
    Pretended,
    /// It went out when the same request was made before.
    Before,
    /// The provider failed, and that is concealed.
    Failed(Fault),
}

/// A code is on its way, as far as the client may know.
#[derive(Debug)]
pub struct Sent {
    /// What became of the message.
    pub delivery: Delivery,
    /// What the client answers with.
    pub challenge_id: ChallengeId,
    /// How the code travels.
    pub channel: Channel,
    /// How many digits to ask for.
    pub code_length: u8,
    /// How long the code lives.
    pub expires_in: Duration,
    /// When another may be asked for, as far as the cooldown goes.
    pub resend_in: Duration,
}

impl Login {
    /// Builds the clients; calls nobody yet.
    #[must_use]
    pub fn new(config: &Config, sdk: &SdkConfig) -> Self {
        Self {
            policy: config.policy.clone(),
            origins: config.allowed_origins.clone(),
            test_identities: config.test_identities.clone(),
            digest_keys: DigestKeys::new(&clients::kms(sdk), &config.digest_key_id, None),
            store: Store::new(clients::dynamodb(sdk), config.table_name.clone()),
            messages: Messages::new(config, sdk),
        }
    }

    /// Whose pages may call.
    #[must_use]
    pub const fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Fetches the digest key ahead of the first request. If that fails, the
    /// first request tries again and answers for it.
    pub async fn warm_up(&self) {
        let _ = self.digest_keys.current().await;
    }

    /// Issues a challenge, stores it, and only then sends its code.
    ///
    /// # Errors
    ///
    /// The destination is not sent to, a limit is used up, the client's key was
    /// used otherwise, there is no such user and clients may know, the delivery
    /// failed (then the challenge is withdrawn), or we are broken.
    pub async fn send_code(
        &self,
        ask: &Ask,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Sent, Failure> {
        let started = Stopwatch::start();
        let to = &ask.destination;
        let terms = self.terms(ask)?;
        let key = self.digest_keys.current().await?;
        let fixed = self.test_identities.code_for(to, now);
        let code = fixed
            .clone()
            .unwrap_or_else(|| Passcode::draw(self.policy.code_length, rng));
        let challenge = issue(to, &code, &self.policy, key, now, rng);
        let (admitted, user) = self.admit(&challenge, &terms, rng).await?;
        let sending = self.policy.unknown_users.sending(to, user.as_ref());
        let admission = match (admitted, sending) {
            (Admitted::Now(admission), _) => admission,
            (Admitted::Before(_), Err(refusal)) => return Err(refusal.into()),
            (Admitted::Before(earlier), Ok(_)) => {
                self.conceal_time(started).await;
                return Ok(self.again(to, earlier, now));
            }
        };
        let sending = match sending {
            Ok(_) if fixed.is_some() => Sending::Pretend,
            Ok(sending) => sending,
            Err(refusal) => {
                self.store.withdraw(&admission).await?;
                return Err(refusal.into());
            }
        };
        let delivery = if self.policy.unknown_users == UnknownUsers::Conceal {
            self.deliver_concealed(sending, to, &code, started).await
        } else {
            self.deliver(sending, &admission, &code).await?
        };
        // The message is out: that it is not remembered is no reason to fail.
        let _ = self.store.remember(&admission).await;
        self.conceal_time(started).await;
        Ok(Sent {
            delivery,
            channel: to.channel(),
            code_length: self.policy.code_length,
            expires_in: self.policy.code_ttl,
            resend_in: self.policy.cooldown,
            challenge_id: challenge.id,
        })
    }

    /// Admits the login and looks for its user: beside each other, unless it is
    /// concealed who is one. A refusal must not wait for the user then, whose
    /// item takes longer to come than none.
    async fn admit<'a>(
        &self,
        challenge: &'a Challenge,
        terms: &'a Terms,
        rng: &mut impl CryptoRng,
    ) -> Result<(Admitted<'a>, Option<User>), Failure> {
        let admit = self.store.admit(challenge, terms, rng);
        let find_user = self.store.find_user(&challenge.destination);
        if self.policy.unknown_users == UnknownUsers::Conceal {
            return Ok((admit.await??, find_user.await?));
        }
        let (admitted, user) = tokio::join!(admit, find_user);
        Ok((admitted??, user?))
    }

    fn terms(&self, ask: &Ask) -> Result<Terms, Failure> {
        let prefix = self.messages.check(&ask.destination)?;
        Ok(Terms {
            limits: self
                .policy
                .login_limits(&ask.destination, &ask.client, prefix),
            cooldown: self.policy.cooldown,
            key: ask.idempotency_key.clone(),
        })
    }

    /// The answer that a repeated request got before, with what is left of its
    /// times.
    fn again(&self, to: &Destination, earlier: Earlier, now: UnixTime) -> Sent {
        let resend_at = earlier.issued_at.plus(self.policy.cooldown);
        Sent {
            delivery: Delivery::Before,
            channel: to.channel(),
            code_length: self.policy.code_length,
            expires_in: now.until(earlier.expires_at),
            resend_in: now.until(resend_at),
            challenge_id: earlier.challenge_id,
        }
    }

    /// Sends the code, or takes the admission back.
    async fn deliver(
        &self,
        sending: Sending,
        admission: &Admission<'_>,
        code: &Passcode,
    ) -> Result<Delivery, Failure> {
        if sending == Sending::Pretend {
            return Ok(Delivery::Pretended);
        }
        let to = &admission.challenge().destination;
        if let Err(fault) = self.messages.deliver(to, code).await {
            self.store.withdraw(admission).await?;
            return Err(fault.into());
        }
        Ok(Delivery::Done)
    }

    /// Ends in good time, whatever becomes of the message. Nothing is withdrawn:
    /// a second try that is admitted would tell who has an account.
    async fn deliver_concealed(
        &self,
        sending: Sending,
        to: &Destination,
        code: &Passcode,
        started: Stopwatch,
    ) -> Delivery {
        let left = CONCEALED_DELIVERY.saturating_sub(started.elapsed());
        match sending {
            Sending::Pretend => Delivery::Pretended,
            Sending::Send => match timeout(left, self.messages.deliver(to, code)).await {
                Ok(Ok(())) => Delivery::Done,
                Ok(Err(fault)) => Delivery::Failed(fault),
                Err(_) => Delivery::Failed(Fault::new(Dependency::Provider, "deliver", "timeout")),
            },
        }
    }

    /// Lets an answer wait for its time, where times would tell who is a user.
    async fn conceal_time(&self, started: Stopwatch) {
        if self.policy.unknown_users == UnknownUsers::Conceal {
            started.reach(CONCEALED_LOGIN).await;
        }
    }
}
