//! Use case: a client requests a code.

mod concealed;
mod deliver;
mod issued;
mod notices;
mod outcome;

use std::time::Duration;

use otp_domain::{
    Asker, CarriedUser, Challenge, ChallengeId, ClientAddress, Delivery, DeliveryDecision,
    Destination, Device, DigestKey, IdempotencyKey, Limit, Policy, Pseudonym, Purpose,
    TestIdentities, Trust, UnixTime, UnknownUsers, User, WayName,
};
use otp_messages::LanguageChoice;
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};

pub use concealed::{ConcealedOutcome, Concluded, HOLD};
pub use issued::IssuedCode;
pub use notices::{DestinationsChange, Told};
pub use outcome::DeliveryOutcome;

use crate::{
    Error,
    about::About,
    aws::{Aws, Service},
    delivery::{self, MessageSender, Selection},
    fault::Fault,
    keys::DigestKeys,
    ledger::{
        self, AdmissionRules, Admitted, Counted, History, Issue, Ledger, Look, Outdated, Part,
        Recorded, ReplayedLogin, Report, Seen, Send, StrangerRules,
    },
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
    /// What the code is for.
    pub purpose: Purpose,
    /// The client that requests the code.
    pub client: ClientAddress,
    /// The challenge whose code the client wants again.
    pub challenge_id: Option<ChallengeId>,
    /// What the client shows as tokens of a known device. Those that are none count for
    /// nothing.
    pub device_tokens: Vec<SecretString>,
    /// The client's key for this request, if the client sent one.
    pub idempotency_key: Option<IdempotencyKey>,
    /// What the client says about the language of its message.
    pub language: LanguageChoice,
    /// The way that the client wants the code on.
    pub via: Option<WayName>,
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
    /// The destination, as it was understood.
    pub destination: Destination,
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

    /// What becomes of a destination without a user. A code that adds a destination is sent
    /// to whoever has it, as where anyone may sign up: nobody learns whose it is.
    fn unknown_users(&self, request: &LoginRequest) -> UnknownUsers {
        match request.purpose {
            Purpose::Login => self.policy.unknown_users_at(&request.destination),
            Purpose::Adding(_) => UnknownUsers::SignUp,
        }
    }

    /// Looks for the user, stores a challenge that carries the user
    /// (docs/decisions/redeeming.md), and only then sends its code. A client that names a
    /// live challenge of the destination gets the code of that one again.
    ///
    /// # Errors
    ///
    /// - Refused: the app is unknown, the deployment does not send to the
    ///   destination, no way to it is left, a limit refuses, the provider says that it is no
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
        let to = &request.destination;
        let wanted = Wanted {
            request,
            selection: self
                .sender
                .select(request.language, request.app.as_deref())?,
            prefix: self.sender.check(to)?.map(str::to_owned),
            at: now,
        };
        let key = self.digest_keys.current().await?;
        let mut shown = Shown {
            asker: Asker {
                client: request.client.clone(),
                device: request.device(key, now),
            },
            challenge: request.challenge_id.clone(),
        };
        loop {
            let limits = self.policy.own_limits(to, &shown.asker);
            let rules = self.rules(limits, request.idempotency_key.clone());
            let device = shown.asker.device.as_ref().map(Device::name);
            let asked_for = ledger::asked_for(to, device.as_deref());
            self.ledger.recall(&rules, &asked_for, now).await?;
            let (issued, found) = self.prepare(&wanted, &shown, rng).await?;
            let outcome = match found {
                None => self.admit_concealed(issued, rules, rng).await?,
                Some(found) => {
                    self.admit_and_send(request, issued, found, rules, rng)
                        .await?
                }
            };
            match outcome {
                Ok(requested) => return Ok(requested),
                Err(Outdated::Challenge) => shown.challenge = None,
                Err(Outdated::Device) => shown.asker.device = None,
            }
        }
    }

    /// Looks at what the request is about, and issues its challenge. Under
    /// [`UnknownUsers::Conceal`], looks for no user.
    async fn prepare(
        &self,
        wanted: &Wanted<'_>,
        shown: &Shown,
        rng: &mut impl CryptoRng,
    ) -> Result<(IssuedCode, Option<Found>), Error> {
        let (to, now) = (&wanted.request.destination, wanted.at);
        let key = self.digest_keys.current().await?;
        let purpose = &wanted.request.purpose;
        let is_concealed = self.unknown_users(wanted.request) == UnknownUsers::Conceal;
        let named = shown.challenge.as_ref().map(|id| (purpose, id));
        let attempts = self.policy.max_attempts;
        let (seen, user) = if is_concealed {
            let challenge = match named {
                Some(named) => self.ledger.find_named(to, named, attempts).await?,
                None => None,
            };
            let seen = Seen {
                challenge,
                ..Seen::default()
            };
            (seen, None)
        } else {
            let strangers = self.stranger_rules(&wanted.request.client, wanted.prefix.as_deref());
            let look = self.look(to, strangers.as_ref(), named, now, rng);
            let (seen, user) = look.await?;
            // Whose the destination is means nothing to a code that adds it.
            (seen, user.filter(|_| *purpose == Purpose::Login))
        };
        let mut asker = shown.asker.clone();
        if !is_concealed {
            let user = user.as_ref();
            let is_known = |it: &Device| user.is_some_and(|user| it.is_known_to(user, to, key));
            asker.device = asker.device.filter(is_known);
        }
        let is_void = |it: &Challenge| {
            let mut user = user.iter();
            it.key_id != *key.id()
                || it.code(key, &self.test_identities).is_none()
                || user.any(|user| user.has_logged_in_since(it.issued_at))
        };
        let again = seen.challenge.filter(|it| !is_void(it)).and_then(|it| {
            let may_extend = asker.device.is_some() || it.is_requested_by(&asker.client, key);
            let end = it.end_if_sent_again(self.policy.code_ttl, may_extend, now)?;
            Some((it, end))
        });
        let mut issued = self.issue(wanted, asker, again, key, rng);
        if is_concealed {
            return Ok((issued, None));
        }
        if issued.issue == Issue::New && *purpose == Purpose::Login {
            issued.challenge.user = CarriedUser::of(user.as_ref());
        }
        let past = seen.past;
        Ok((issued, Some(Found { user, past })))
    }

    /// Looks at the past of a destination and at its user.
    async fn look(
        &self,
        to: &Destination,
        strangers: Option<&StrangerRules>,
        named: Option<(&Purpose, &ChallengeId)>,
        at: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<(Seen, Option<User>), Fault> {
        let look = Look {
            beside: Store::key_of_user(to),
            named,
            attempts: self.policy.max_attempts,
            strangers,
            at,
        };
        let seen = self.ledger.look(to, look, rng).await?;
        let user = Store::read_user(&seen.beside)?;
        Ok((seen, user))
    }

    /// Admits the login, and sends its code.
    async fn admit_and_send(
        &self,
        request: &LoginRequest,
        mut issued: IssuedCode,
        found: Found,
        mut rules: AdmissionRules<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Result<CodeRequested, Outdated>, Error> {
        let Found { user, past } = found;
        let to = &request.destination;
        // The device may be unknown to the user.
        rules.limits = self.policy.own_limits(to, &issued.asker);
        let is_known = issued.asker.device.is_some();
        self.limit_message(&mut rules, &issued, is_known, &past.history);
        let decision = self.unknown_users(request).delivery(to, user.as_ref());
        let about = About {
            user: user.map(|user| user.id),
            ..About::from(to)
        };
        let is_due = decision.is_ok_and(|due| issued.unless_fixed(due) == DeliveryDecision::Send);
        rules.ways = self.ways_of(&issued);
        let ways = past.history.deliveries.open(&rules.ways, issued.at);
        let send = Send {
            way: ways.first().filter(|_| is_due),
            ..issued.send(Part::Both, Some(past))
        };
        let admit = self.ledger.admit(&send, &rules, rng);
        let (admitted, ()) = tokio::join!(admit, self.sender.connect(to, issued.via.as_ref()));
        let receipt = match (admitted?, decision) {
            (Admitted::New(receipt), _) => receipt,
            (Admitted::Outdated(what), _) => return Ok(Err(what)),
            (Admitted::Replayed(_), Err(refusal)) => return Err(refusal.into()),
            (Admitted::Replayed(earlier), Ok(_)) => {
                let delivery = self.replayed_delivery(request, &earlier).await?;
                return Ok(Ok(self.replay(about, to, earlier, delivery, issued.at)));
            }
        };
        let decision = match decision {
            Ok(decision) => issued.unless_fixed(decision),
            Err(refusal) => {
                receipt.withdraw().await?;
                return Err(refusal.into());
            }
        };
        let challenge = Challenge {
            digits: receipt.digits(),
            ..issued.challenge.clone()
        };
        let code = self.code(&challenge).await?;
        let message = issued.message(&code, &ways);
        let (outcome, attempt) = self.deliver(decision, &receipt, &message).await?;
        issued.challenge = challenge;
        let requested = self.requested(about.and(attempt), &issued, outcome);
        // The message is sent: if the completion fails, the login still succeeds.
        let _ = self.complete(&issued, requested.delivery).await;
        Ok(Ok(requested))
    }

    /// Adds what limits the message: by its destination's kind, and by how far who asks is
    /// trusted.
    fn limit_message(
        &self,
        rules: &mut AdmissionRules<'_>,
        issued: &IssuedCode,
        is_known: bool,
        history: &History,
    ) {
        let trust = if is_known {
            Trust::Device
        } else if issued.challenge.purpose == Purpose::Login
            && history.proof(&issued.client).holds(issued.at)
        {
            Trust::Proven
        } else {
            Trust::Stranger
        };
        let (kind, prefix) = (
            issued.challenge.destination.kind(),
            issued.prefix.as_deref(),
        );
        rules.limits.extend(self.policy.caps(kind, prefix, trust));
        if trust == Trust::Stranger {
            let strangers = self.stranger_rules(&issued.asker.client, prefix);
            rules.guard = strangers.map(|rules| StrangerRules {
                is_first: history.waits_for_none(),
                ..rules
            });
        }
    }

    /// What counts a message that a stranger asks for.
    fn stranger_rules(
        &self,
        client: &ClientAddress,
        prefix: Option<&str>,
    ) -> Option<StrangerRules> {
        let guard = self.policy.conversion_guard(prefix)?;
        let networks = self.policy.networks(client);
        Some(StrangerRules {
            guard,
            networks,
            is_first: true,
        })
    }

    /// The ways of a code, of which one must be left: a fixed code needs none.
    fn ways_of(&self, issued: &IssuedCode) -> Vec<WayName> {
        if issued.challenge.is_fixed {
            return Vec::new();
        }
        let to = &issued.challenge.destination;
        self.sender.names_to(to, issued.via.as_ref())
    }

    /// Records what a provider reports of a message.
    ///
    /// # Errors
    ///
    /// The table is broken. The report may be recorded.
    pub async fn record(&self, report: &Report, now: UnixTime) -> Result<Recorded, Fault> {
        let guard = match report.to {
            Destination::Email(_) => self.policy.conversion_guard(None),
            Destination::Phone(_) => None,
        };
        self.ledger.record(report, guard.as_ref(), now).await
    }

    fn rules(&self, limits: Vec<Limit>, key: Option<IdempotencyKey>) -> AdmissionRules<'_> {
        AdmissionRules {
            policy: &self.policy,
            limits,
            guard: None,
            key,
            ways: Vec::new(),
        }
    }

    fn requested(
        &self,
        about: About,
        issued: &IssuedCode,
        outcome: DeliveryOutcome,
    ) -> CodeRequested {
        let challenge = &issued.challenge;
        CodeRequested {
            delivery: outcome.told(),
            about: about.and(&challenge.id),
            outcome,
            destination: challenge.destination.clone(),
            code_length: challenge.digits,
            max_attempts: self.policy.max_attempts,
            expires_in: issued.at.until(challenge.expires_at),
            resend_in: self.policy.cooldown,
            challenge_id: challenge.id.clone(),
        }
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
        to: &Destination,
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
            destination: to.clone(),
            code_length: earlier.digits,
            max_attempts: self.policy.max_attempts,
            expires_in: now.until(earlier.expires_at),
            resend_in: now.until(resend_at),
            challenge_id: earlier.challenge_id,
        }
    }
}

/// A request, and the message that it asks for.
struct Wanted<'a> {
    request: &'a LoginRequest,
    selection: Selection,
    /// The prefix that allows the destination, if it is a phone.
    prefix: Option<String>,
    at: UnixTime,
}

/// What a request shows, as far as it still counts.
struct Shown {
    asker: Asker,
    challenge: Option<ChallengeId>,
}

/// What a login finds of its destination.
struct Found {
    user: Option<User>,
    past: Counted,
}

impl LoginRequest {
    /// The known device of the first token that is one.
    fn device(&self, key: &DigestKey, now: UnixTime) -> Option<Device> {
        let mut tokens = self.device_tokens.iter();
        tokens.find_map(|token| key.device(token.expose_secret(), &self.destination, now))
    }
}
