//! A login under [`UnknownUsers::Conceal`](otp_domain::UnknownUsers::Conceal):
//! admitted, answered, and only then is its user looked for.
//!
//! Nothing that happens before the answer depends on who is a user. What follows it
//! ends within [`HOLD`], for which the instance takes no other event.

use std::time::Duration;

use otp_domain::{Delivery, DeliveryDecision, Passcode, Refusal, User};
use rand::CryptoRng;
use tokio::time::timeout;

use super::{CodeRequested, DeliveryOutcome, IssuedCode, LoginService};
use crate::{
    Error,
    about::About,
    ambient::Stopwatch,
    delivery::DeliveryFailure,
    fault::{Cause, Dependency, Fault},
    ledger::{AdmissionRules, Admitted, Counted, Outdated, Part},
};

/// How long an instance takes no other event after the answer. Providers usually
/// accept a message much sooner.
pub const HOLD: Duration = Duration::from_secs(2);

/// The time limit of the look-up and the delivery. It ends early enough that
/// cancelling them does not outlast [`HOLD`].
const LIMIT: Duration = Duration::from_millis(1900);

/// What became of a login after its answer.
#[derive(Debug)]
pub struct Concluded {
    /// What happened, for the log.
    pub outcome: ConcealedOutcome,
    /// Whom and what the login was about, for the log.
    pub about: About,
}

/// What happened to the message. The client is not told.
#[derive(Debug)]
pub enum ConcealedOutcome {
    /// The provider accepted the message.
    Sent,
    /// No message was due: the user is unknown or disabled, or the code is fixed.
    Suppressed,
    /// The provider may have accepted the message.
    Unconfirmed(Fault),
    /// The provider did not send the message.
    NotSent(Fault),
    /// The provider says that this is no destination.
    Refused,
    /// The user could not be read, so nothing was sent.
    UserUnread(Fault),
    /// A limit of messages refused, or could not be asked, so nothing was sent.
    NotAdmitted(Error),
}

impl LoginService {
    /// Admits the request, and neither looks for its user nor sends anything: the
    /// answer and its time say nothing about who is a user. A known device has proven the
    /// destination, and learns if no way to it is left.
    pub(super) async fn admit_concealed(
        &self,
        mut issued: IssuedCode,
        mut rules: AdmissionRules<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Result<CodeRequested, Outdated>, Error> {
        let to = issued.challenge.destination.clone();
        let (about, now) = (About::from(&to), issued.at);
        if issued.asker.device.is_some() {
            rules.ways = self.ways_of(&issued);
        }
        let send = issued.send(Part::Request, None);
        let digits = match self.ledger.admit(&send, &rules, rng).await? {
            Admitted::New(receipt) => receipt.digits(),
            Admitted::Outdated(what) => return Ok(Err(what)),
            Admitted::Replayed(earlier) => {
                let told = Delivery::Unconfirmed;
                return Ok(Ok(self.replay(about, &to, earlier, told, now)));
            }
        };
        issued.challenge.digits = digits;
        let mut requested = self.requested(about, &issued, DeliveryOutcome::Suppressed);
        requested.delivery = Delivery::Unconfirmed;
        requested.outcome = DeliveryOutcome::Ahead(Box::new(issued));
        Ok(Ok(requested))
    }

    /// Looks for the user of an answered login, and sends the code if one is due and the
    /// limits of messages have room. Nothing of the request is withdrawn, whatever fails: a
    /// second login that is admitted would reveal who is a user.
    pub async fn conclude(&self, issued: IssuedCode, rng: &mut impl CryptoRng) -> Concluded {
        let started = Stopwatch::start();
        let left = || LIMIT.saturating_sub(started.elapsed());
        let to = &issued.challenge.destination;
        let about = About::from(to).and(&issued.challenge.id);
        let strangers = self.stranger_rules(&issued.asker.client, issued.prefix.as_deref());
        let look = self.look(to, strangers.as_ref(), None, issued.at, rng);
        // Before the answer, this would tell whether the login before sent a message.
        let (found, _) = tokio::join!(
            timeout(left(), look),
            timeout(left(), self.sender.connect(to, issued.via.as_ref())),
        );
        let found = found.unwrap_or_else(|_| Err(timed_out(Dependency::Table, "find user")));
        let (user, past) = match found {
            Ok((seen, user)) => (user, seen.past),
            Err(fault) => {
                let outcome = ConcealedOutcome::UserUnread(fault);
                return Concluded { outcome, about };
            }
        };
        // The answer is the same for all, so the key need not wait for the message.
        let (sent, _) = tokio::join!(
            timeout(left(), self.send_if_due(&issued, user.as_ref(), past, rng)),
            timeout(left(), self.complete(&issued, Delivery::Unconfirmed)),
        );
        let (outcome, sent) = sent.unwrap_or_else(|_| {
            let fault = timed_out(Dependency::Provider, "deliver");
            (ConcealedOutcome::Unconfirmed(fault), About::default())
        });
        Concluded {
            outcome,
            about: About {
                user: user.map(|user| user.id),
                ..about.and(sent)
            },
        }
    }

    async fn send_if_due(
        &self,
        issued: &IssuedCode,
        user: Option<&User>,
        past: Counted,
        rng: &mut impl CryptoRng,
    ) -> (ConcealedOutcome, About) {
        let to = &issued.challenge.destination;
        let decision = self.policy.unknown_users_at(to).delivery(to, user);
        // A code that was sent before may be void since a later login.
        let is_void = user.is_some_and(|user| user.has_logged_in_since(issued.challenge.issued_at));
        if is_void || decision.map(|due| issued.unless_fixed(due)) != Ok(DeliveryDecision::Send) {
            return (ConcealedOutcome::Suppressed, About::default());
        }
        let mut rules = self.rules(Vec::new(), None);
        rules.ways = self.ways_of(issued);
        let ways = past.history.deliveries.open(&rules.ways, issued.at);
        let charged = self.charge_message(issued, user, past, rules, rng);
        let code = match charged.await {
            Ok(code) => code,
            Err(error) => return (ConcealedOutcome::NotAdmitted(error), About::default()),
        };
        let message = issued.message(&code, &ways);
        let attempt = self.sender.send(&message).await;
        let about = attempt.about();
        let outcome = match attempt.result {
            Ok(_) => ConcealedOutcome::Sent,
            Err(DeliveryFailure::Unconfirmed(fault)) => ConcealedOutcome::Unconfirmed(fault),
            Err(DeliveryFailure::NotSent(fault)) => ConcealedOutcome::NotSent(fault),
            Err(DeliveryFailure::DestinationRefused) => ConcealedOutcome::Refused,
        };
        (outcome, about)
    }

    /// Counts a message that is due against the caps and the guard, and returns its code.
    async fn charge_message(
        &self,
        issued: &IssuedCode,
        user: Option<&User>,
        past: Counted,
        mut rules: AdmissionRules<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Passcode, Error> {
        let to = &issued.challenge.destination;
        let key = self.digest_keys.current().await?;
        let device = issued.asker.device.as_ref();
        let is_known = device
            .zip(user)
            .is_some_and(|(it, user)| it.is_known_to(user, to, key));
        self.limit_message(&mut rules, issued, is_known, &past.history);
        let ways = past.history.deliveries.open(&rules.ways, issued.at);
        let mut send = issued.send(Part::Message, Some(past));
        send.way = ways.first();
        // A device that its user ended is a stranger.
        send.device = send.device.filter(|_| is_known);
        match self.ledger.admit(&send, &rules, rng).await? {
            Admitted::New(_) | Admitted::Replayed(_) => self.code(&issued.challenge).await,
            Admitted::Outdated(_) => Err(Refusal::InvalidOtp("used meanwhile").into()),
        }
    }
}

fn timed_out(dependency: Dependency, operation: &'static str) -> Fault {
    Fault::new(dependency, operation, Cause::Timeout)
}
