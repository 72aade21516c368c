//! A login under [`UnknownUsers::Conceal`](otp_domain::UnknownUsers::Conceal):
//! admitted, answered, and only then is its user looked for.
//!
//! Nothing that happens before the answer depends on who is a user. What follows it
//! ends within [`HOLD`], for which the instance takes no other event.

use std::time::Duration;

use otp_domain::{Delivery, DeliveryDecision, User};
use rand::CryptoRng;
use tokio::time::timeout;

use super::{CodeRequested, DeliveryOutcome, IssuedCode, LoginService};
use crate::{
    Error,
    about::{About, MessageId},
    ambient::Stopwatch,
    delivery::DeliveryFailure,
    fault::{Cause, Dependency, Fault},
    ledger::{AdmissionRules, Admitted},
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
}

impl LoginService {
    /// Admits the login, and neither looks for its user nor sends anything: the
    /// answer and its time say nothing about who is a user.
    pub(super) async fn admit_concealed(
        &self,
        issued: IssuedCode,
        rules: &AdmissionRules,
        rng: &mut impl CryptoRng,
    ) -> Result<CodeRequested, Error> {
        let challenge = issued.challenge.clone();
        let (to, now) = (&challenge.destination, challenge.issued_at);
        let about = About::from(to);
        Ok(match self.ledger.admit(&challenge, rules, rng).await? {
            Admitted::New(_) => {
                let outcome = DeliveryOutcome::Ahead(Box::new(issued));
                self.requested(about, &challenge, outcome)
            }
            Admitted::Replayed(earlier) => {
                let told = Delivery::Unconfirmed;
                self.replay(about, to.kind(), earlier, told, now)
            }
        })
    }

    /// Looks for the user of an answered login, and sends the code if one is due.
    /// Nothing is withdrawn, whatever fails: a second login that is admitted would
    /// reveal who is a user.
    pub async fn conclude(&self, issued: IssuedCode) -> Concluded {
        let started = Stopwatch::start();
        let left = || LIMIT.saturating_sub(started.elapsed());
        let about = About::from(&issued.challenge.destination).and(&issued.challenge.id);
        // Before the answer, this would tell whether the login before sent a message.
        let (found, _) = tokio::join!(
            timeout(left(), self.store.find_user(&issued.challenge.destination)),
            timeout(left(), self.sender.connect(&issued.challenge.destination)),
        );
        let user = match found.unwrap_or_else(|_| Err(timed_out(Dependency::Table, "find user"))) {
            Ok(user) => user,
            Err(fault) => {
                let outcome = ConcealedOutcome::UserUnread(fault);
                return Concluded { outcome, about };
            }
        };
        // The answer is the same for all, so the key need not wait for the message.
        let (sent, _) = tokio::join!(
            timeout(left(), self.send_if_due(&issued, user.as_ref())),
            timeout(left(), self.complete(&issued, Delivery::Unconfirmed)),
        );
        let (outcome, message) = sent.unwrap_or_else(|_| {
            let fault = timed_out(Dependency::Provider, "deliver");
            (ConcealedOutcome::Unconfirmed(fault), None)
        });
        Concluded {
            outcome,
            about: About {
                user: user.map(|user| user.id),
                message,
                ..about
            },
        }
    }

    async fn send_if_due(
        &self,
        issued: &IssuedCode,
        user: Option<&User>,
    ) -> (ConcealedOutcome, Option<MessageId>) {
        let to = &issued.challenge.destination;
        let decision = self.policy.unknown_users.delivery(to, user);
        if decision.map(|due| issued.unless_fixed(due)) != Ok(DeliveryDecision::Send) {
            return (ConcealedOutcome::Suppressed, None);
        }
        let message = issued.message();
        let outcome = match self.sender.send(&message).await {
            Ok(id) => return (ConcealedOutcome::Sent, id),
            Err(DeliveryFailure::Unconfirmed(fault)) => ConcealedOutcome::Unconfirmed(fault),
            Err(DeliveryFailure::NotSent(fault)) => ConcealedOutcome::NotSent(fault),
            Err(DeliveryFailure::DestinationRefused) => ConcealedOutcome::Refused,
        };
        (outcome, None)
    }
}

fn timed_out(dependency: Dependency, operation: &'static str) -> Fault {
    Fault::new(dependency, operation, Cause::Timeout)
}
