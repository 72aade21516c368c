//! Use case: a client requests a code.

use std::time::Duration;

use aws_config::SdkConfig;
use otp_domain::{
    Challenge, ChallengeId, Channel, ClientAddress, DeliveryDecision, Destination, IdempotencyKey,
    Passcode, Policy, TestIdentities, UnixTime, UnknownUsers, User, issue,
};
use rand::CryptoRng;
use tokio::time::timeout;

use crate::{
    Error,
    ambient::Stopwatch,
    aws,
    delivery::{self, MessageSender},
    fault::{Dependency, Fault},
    keys::DigestKeys,
    store::{Admission, AdmissionRules, Admitted, ReplayedLogin, Store},
};

/// The settings of the login use case.
#[derive(Clone, Debug)]
pub struct LoginSettings {
    /// The table's name or ARN.
    pub table_name: String,
    /// The KMS key that the digest key derives from.
    pub digest_key_id: String,
    /// The rules of codes and limits.
    pub policy: Policy,
    /// Destinations with a fixed code.
    pub test_identities: TestIdentities,
    /// The settings of delivery.
    pub delivery: delivery::Settings,
}

/// A request for a code.
#[derive(Debug)]
pub struct LoginRequest {
    /// Where to send the code.
    pub destination: Destination,
    /// The client that requests the code.
    pub client: ClientAddress,
    /// The client's key for this request, if the client sent one.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// An accepted login. The client cannot tell whether a message was sent.
#[derive(Debug)]
pub struct CodeRequested {
    /// What happened to the message.
    pub delivery: DeliveryOutcome,
    /// The challenge that the code answers.
    pub challenge_id: ChallengeId,
    /// The channel of the message.
    pub channel: Channel,
    /// The number of digits of the code.
    pub code_length: u8,
    /// The attempts at the challenge.
    pub max_attempts: u8,
    /// How long the code is valid.
    pub expires_in: Duration,
    /// How long until the cooldown ends and the client may request another code.
    pub resend_in: Duration,
}

/// What happened to the message. The client gets the same answer in each case.
#[derive(Debug)]
pub enum DeliveryOutcome {
    /// The provider accepted the message.
    Sent,
    /// No message was due: the user is unknown or disabled, or the code is fixed.
    Suppressed,
    /// The first request with this idempotency key sent it.
    Replayed,
    /// The provider failed, and the client is not told.
    Failed(Fault),
}

/// The login use case. It can send messages, but cannot sign tokens.
pub struct LoginService {
    policy: Policy,
    test_identities: TestIdentities,
    digest_keys: DigestKeys,
    store: Store,
    sender: MessageSender,
}

/// The time limit of a delivery under [`UnknownUsers::Conceal`], from the login's
/// arrival. It ends early enough that cancelling the delivery does not delay the
/// answer.
const CONCEALED_DELIVERY: Duration = Duration::from_millis(1900);

/// How long every admitted login takes under [`UnknownUsers::Conceal`], from its
/// arrival. Providers usually accept a message much sooner.
const CONCEALED_LOGIN: Duration = Duration::from_secs(2);

impl LoginService {
    /// Builds the clients. It makes no call yet.
    #[must_use]
    pub fn new(settings: &LoginSettings, sdk: &SdkConfig) -> Self {
        Self {
            policy: settings.policy.clone(),
            test_identities: settings.test_identities.clone(),
            digest_keys: DigestKeys::new(&aws::kms(sdk), &settings.digest_key_id, None),
            store: Store::new(aws::dynamodb(sdk), settings.table_name.clone()),
            sender: MessageSender::new(&settings.delivery, sdk),
        }
    }

    /// Fetches the digest key before the first request. If that fails, the first
    /// request tries again and reports the fault.
    pub async fn warm_up(&self) {
        let _ = self.digest_keys.current().await;
    }

    /// Issues a challenge, stores it, and only then sends its code.
    ///
    /// # Errors
    ///
    /// - Refused: the deployment does not send to the destination, a limit
    ///   refuses, the idempotency key was used for another request, or the user is
    ///   unknown under [`UnknownUsers::Reveal`].
    /// - Fault: the delivery failed (the challenge is withdrawn), or the table or
    ///   a key is unavailable.
    pub async fn request_code(
        &self,
        request: &LoginRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<CodeRequested, Error> {
        let requested = self.issue_and_send(request, now, rng).await;
        requested.map_err(|error| error.about(&request.destination))
    }

    async fn issue_and_send(
        &self,
        request: &LoginRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<CodeRequested, Error> {
        let started = Stopwatch::start();
        let to = &request.destination;
        let rules = self.admission_rules(request)?;
        let key = self.digest_keys.current().await?;
        let fixed = self.test_identities.code_for(to, now);
        let code = fixed
            .clone()
            .unwrap_or_else(|| Passcode::draw(self.policy.code_length, rng));
        let challenge = issue(to, &code, &self.policy, key, now, rng);
        let (admitted, user) = self.admit(&challenge, &rules, rng).await?;
        let decision = self.policy.unknown_users.delivery(to, user.as_ref());
        let admission = match (admitted, decision) {
            (Admitted::New(admission), _) => admission,
            (Admitted::Replayed(_), Err(refusal)) => return Err(refusal.into()),
            (Admitted::Replayed(earlier), Ok(_)) => {
                self.conceal_time(started).await;
                return Ok(self.replay(to, earlier, now));
            }
        };
        let decision = match decision {
            Ok(_) if fixed.is_some() => DeliveryDecision::Suppress,
            Ok(decision) => decision,
            Err(refusal) => {
                self.store.withdraw(&admission).await?;
                return Err(refusal.into());
            }
        };
        let delivery = if self.policy.unknown_users == UnknownUsers::Conceal {
            self.deliver_concealed(decision, to, &code, started).await
        } else {
            self.deliver(decision, &admission, &code).await?
        };
        // The message is sent: if the completion fails, the login still succeeds.
        let _ = self.store.complete(&admission).await;
        self.conceal_time(started).await;
        Ok(CodeRequested {
            delivery,
            channel: to.channel(),
            code_length: self.policy.code_length,
            max_attempts: self.policy.max_attempts,
            expires_in: self.policy.code_ttl,
            resend_in: self.policy.cooldown,
            challenge_id: challenge.id,
        })
    }

    fn admission_rules(&self, request: &LoginRequest) -> Result<AdmissionRules, Error> {
        let to = &request.destination;
        let prefix = self.sender.check(to)?;
        Ok(AdmissionRules {
            limits: self.policy.login_limits(to, &request.client, prefix),
            cooldown: self.policy.cooldown,
            key: request.idempotency_key.clone(),
        })
    }

    /// Admits the login and concurrently reads its user. Under
    /// [`UnknownUsers::Conceal`], reads the user after the admission: reading an
    /// existing item takes longer than a miss, so a refusal that waits for the
    /// read would reveal who is a user.
    async fn admit<'a>(
        &self,
        challenge: &'a Challenge,
        rules: &'a AdmissionRules,
        rng: &mut impl CryptoRng,
    ) -> Result<(Admitted<'a>, Option<User>), Error> {
        let admit = self.store.admit(challenge, rules, rng);
        let find_user = self.store.find_user(&challenge.destination);
        if self.policy.unknown_users == UnknownUsers::Conceal {
            return Ok((admit.await?, find_user.await?));
        }
        let (admitted, user) = tokio::join!(admit, find_user);
        Ok((admitted?, user?))
    }

    /// The answer of the first request, with the times that are left.
    fn replay(&self, to: &Destination, earlier: ReplayedLogin, now: UnixTime) -> CodeRequested {
        let resend_at = earlier.issued_at.plus(self.policy.cooldown);
        CodeRequested {
            delivery: DeliveryOutcome::Replayed,
            channel: to.channel(),
            code_length: self.policy.code_length,
            max_attempts: self.policy.max_attempts,
            expires_in: now.until(earlier.expires_at),
            resend_in: now.until(resend_at),
            challenge_id: earlier.challenge_id,
        }
    }

    /// Sends the code. If the delivery fails, withdraws the admission.
    async fn deliver(
        &self,
        decision: DeliveryDecision,
        admission: &Admission<'_>,
        code: &Passcode,
    ) -> Result<DeliveryOutcome, Error> {
        if decision == DeliveryDecision::Suppress {
            return Ok(DeliveryOutcome::Suppressed);
        }
        let to = &admission.challenge().destination;
        if let Err(fault) = self.sender.send(to, code).await {
            self.store.withdraw(admission).await?;
            return Err(fault.into());
        }
        Ok(DeliveryOutcome::Sent)
    }

    /// Sends the code within [`CONCEALED_DELIVERY`]. A failed delivery is not
    /// withdrawn: a second login that is admitted would reveal who is a user.
    async fn deliver_concealed(
        &self,
        decision: DeliveryDecision,
        to: &Destination,
        code: &Passcode,
        started: Stopwatch,
    ) -> DeliveryOutcome {
        if decision == DeliveryDecision::Suppress {
            return DeliveryOutcome::Suppressed;
        }
        let left = CONCEALED_DELIVERY.saturating_sub(started.elapsed());
        match timeout(left, self.sender.send(to, code)).await {
            Ok(Ok(())) => DeliveryOutcome::Sent,
            Ok(Err(fault)) => DeliveryOutcome::Failed(fault),
            Err(_) => {
                DeliveryOutcome::Failed(Fault::new(Dependency::Provider, "deliver", "timeout"))
            }
        }
    }

    /// Under [`UnknownUsers::Conceal`], waits until the login has taken
    /// [`CONCEALED_LOGIN`].
    async fn conceal_time(&self, started: Stopwatch) {
        if self.policy.unknown_users == UnknownUsers::Conceal {
            started.reach(CONCEALED_LOGIN).await;
        }
    }
}
