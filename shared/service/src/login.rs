//! Use case: a client requests a code.

mod concealed;
mod deliver;
mod issued;
mod outcome;

use std::time::Duration;

use otp_domain::{
    CarriedUser, Challenge, ChallengeId, ClientAddress, Delivery, Destination, DestinationKind,
    IdempotencyKey, Policy, Pseudonym, TestIdentities, UnixTime, UnknownUsers,
};
use otp_messages::LanguageChoice;
use rand::CryptoRng;

pub use concealed::{ConcealedOutcome, Concluded, HOLD};
pub use issued::IssuedCode;
pub use outcome::DeliveryOutcome;

use crate::{
    Error,
    about::About,
    aws::{Aws, Service},
    delivery::{self, MessageSender},
    fault::Fault,
    keys::DigestKeys,
    ledger::{AdmissionRules, Admitted, Ledger, ReplayedLogin},
    store::Store,
    table::Table,
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
    /// What the client says about the language of its message.
    pub language: LanguageChoice,
    /// The name of the Android app that reads the message, if the client sent one.
    pub app: Option<String>,
}

/// An accepted login. The client cannot tell whether a message was due.
pub struct CodeRequested {
    /// What the client learns about the message.
    pub delivery: Delivery,
    /// What happened to the message, for the log.
    pub outcome: DeliveryOutcome,
    /// Whom and what the login was about, for the log.
    pub about: About,
    /// The challenge that the code answers.
    pub challenge_id: ChallengeId,
    /// What the destination is.
    pub kind: DestinationKind,
    /// The number of digits of the code.
    pub code_length: u8,
    /// The attempts at the challenge.
    pub max_attempts: u8,
    /// How long the code is valid.
    pub expires_in: Duration,
    /// How long until the cooldown ends and the client may request another code.
    pub resend_in: Duration,
}

/// The login use case. It can send messages, but cannot sign tokens.
pub struct LoginService {
    aws: Aws,
    policy: Policy,
    test_identities: TestIdentities,
    digest_keys: DigestKeys,
    store: Store,
    ledger: Ledger,
    sender: MessageSender,
}

impl LoginService {
    /// Builds the clients. It makes no call yet.
    #[must_use]
    pub fn new(settings: &LoginSettings, aws: &Aws) -> Self {
        let table = Table::new(aws.dynamodb(), settings.table_name.clone());
        Self {
            aws: aws.clone(),
            policy: settings.policy.clone(),
            test_identities: settings.test_identities.clone(),
            digest_keys: DigestKeys::new(&aws.kms(), &settings.digest_key_id, None),
            store: Store::new(table.clone()),
            ledger: Ledger::new(table),
            sender: MessageSender::new(&settings.delivery, aws),
        }
    }

    /// Fetches the digest key and opens connections before the first request. If that
    /// fails, the first request tries again and reports the fault.
    ///
    /// # Errors
    ///
    /// The SES template cannot be used.
    pub async fn warm_up(&self) -> Result<(), Fault> {
        let table = self.aws.connect(Service::Table);
        let key = self.digest_keys.current();
        let (_, (), template) = tokio::join!(key, table, self.sender.warm_up());
        template
    }

    /// The pseudonym of a destination, for the log.
    #[must_use]
    pub fn pseudonym(&self, of: &Destination) -> Option<Pseudonym> {
        self.digest_keys.pseudonym(of)
    }

    /// Forgets which limits refused lately, for a local stack that resets its limits.
    pub fn forget_refusals(&self) {
        self.ledger.reset();
    }

    /// Looks for the user, stores a challenge that carries the user
    /// (docs/decisions/redeeming.md), and only then sends its code.
    ///
    /// # Errors
    ///
    /// - Refused: the app is unknown, the deployment does not send to the
    ///   destination, a limit refuses, the provider says that it is no
    ///   destination, or the user is unknown under [`UnknownUsers::Reveal`].
    /// - Fault: the provider did not send the message (the challenge is
    ///   withdrawn), or the table or a key is unavailable.
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
        let selection = self
            .sender
            .select(request.language, request.app.as_deref())?;
        let rules = self.admission_rules(request)?;
        let to = &request.destination;
        let issue = self.issue(request, selection, now, rng);
        if self.policy.unknown_users == UnknownUsers::Conceal {
            let issued = issue.await?;
            return self.admit_concealed(issued, &rules, rng).await;
        }
        let (mut issued, user) = tokio::try_join!(issue, async {
            self.store.find_user(to).await.map_err(Error::from)
        })?;
        issued.challenge.user = CarriedUser::of(user.as_ref());
        let admit = self.ledger.admit(&issued.challenge, &rules, rng);
        let (admitted, ()) = tokio::join!(admit, self.sender.connect(to));
        let admitted = admitted?;
        let decision = self.policy.unknown_users.delivery(to, user.as_ref());
        let about = About {
            user: user.map(|user| user.id),
            ..About::from(to)
        };
        let receipt = match (admitted, decision) {
            (Admitted::New(receipt), _) => receipt,
            (Admitted::Replayed(_), Err(refusal)) => return Err(refusal.into()),
            (Admitted::Replayed(earlier), Ok(_)) => {
                let delivery = self.replayed_delivery(request, &earlier).await?;
                return Ok(self.replay(about, to.kind(), earlier, delivery, now));
            }
        };
        let decision = match decision {
            Ok(decision) => issued.unless_fixed(decision),
            Err(refusal) => {
                receipt.withdraw().await?;
                return Err(refusal.into());
            }
        };
        let message = issued.message();
        let outcome = self.deliver(decision, &receipt, &message).await?;
        let requested = self.requested(about, &issued.challenge, outcome);
        // The message is sent: if the completion fails, the login still succeeds.
        let _ = self.complete(&issued, requested.delivery).await;
        Ok(requested)
    }

    fn requested(
        &self,
        about: About,
        challenge: &Challenge,
        outcome: DeliveryOutcome,
    ) -> CodeRequested {
        CodeRequested {
            delivery: outcome.told(),
            about: About {
                message: outcome.message().cloned(),
                ..about.and(&challenge.id)
            },
            outcome,
            kind: challenge.destination.kind(),
            code_length: self.policy.code_length,
            max_attempts: self.policy.max_attempts,
            expires_in: self.policy.code_ttl,
            resend_in: self.policy.cooldown,
            challenge_id: challenge.id.clone(),
        }
    }

    fn admission_rules(&self, request: &LoginRequest) -> Result<AdmissionRules, Error> {
        let to = &request.destination;
        let prefix = self.sender.check(to)?;
        Ok(AdmissionRules {
            limits: self.policy.login_limits(to, &request.client, prefix),
            guard: self.policy.conversion_guard(prefix),
            cooldown: self.policy.cooldown,
            key: request.idempotency_key.clone(),
        })
    }

    /// What the first request with the same key learnt about the message.
    async fn replayed_delivery(
        &self,
        request: &LoginRequest,
        earlier: &ReplayedLogin,
    ) -> Result<Delivery, Fault> {
        match (earlier.delivery, &request.idempotency_key) {
            (Some(delivery), _) => Ok(delivery),
            (None, Some(key)) => {
                self.ledger
                    .await_completion(&request.destination, key)
                    .await
            }
            (None, None) => Ok(Delivery::Unconfirmed),
        }
    }

    /// The answer of the first request, with the times that are left.
    fn replay(
        &self,
        about: About,
        kind: DestinationKind,
        earlier: ReplayedLogin,
        delivery: Delivery,
        now: UnixTime,
    ) -> CodeRequested {
        let resend_at = earlier.issued_at.plus(self.policy.cooldown);
        let outcome = DeliveryOutcome::Replayed(delivery);
        CodeRequested {
            delivery: outcome.told(),
            outcome,
            about: about.and(&earlier.challenge_id),
            kind,
            code_length: self.policy.code_length,
            max_attempts: self.policy.max_attempts,
            expires_in: now.until(earlier.expires_at),
            resend_in: now.until(resend_at),
            challenge_id: earlier.challenge_id,
        }
    }
}
