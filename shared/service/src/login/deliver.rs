use std::time::Duration;

use otp_domain::{DeliveryDecision, Refusal};
use tokio::time::timeout;

use super::{DeliveryOutcome, LoginService};
use crate::{
    Error,
    ambient::Stopwatch,
    delivery::{CodeMessage, DeliveryFailure},
    fault::{Dependency, Fault},
    store::Admission,
};

/// The time limit of a delivery under `UNKNOWN_USERS=conceal`, from the login's
/// arrival. It ends early enough that cancelling the delivery does not delay the
/// answer.
const CONCEALED_DELIVERY: Duration = Duration::from_millis(1900);

impl LoginService {
    /// Sends the code. If it was certainly not sent, withdraws the admission; but
    /// a request for a destination that does not exist is counted like any other.
    pub(super) async fn deliver(
        &self,
        decision: DeliveryDecision,
        admission: &Admission<'_>,
        message: &CodeMessage<'_>,
    ) -> Result<DeliveryOutcome, Error> {
        if decision == DeliveryDecision::Suppress {
            return Ok(DeliveryOutcome::Suppressed);
        }
        match self.sender.send(message).await {
            Ok(id) => Ok(DeliveryOutcome::Sent(id)),
            Err(DeliveryFailure::Unconfirmed(fault)) => Ok(DeliveryOutcome::Unconfirmed(fault)),
            Err(DeliveryFailure::NotSent(fault)) => {
                self.store.withdraw(admission).await?;
                Err(Error::from(fault).about(&admission.challenge().id))
            }
            Err(DeliveryFailure::DestinationRefused) => {
                // Whatever becomes of the key, no code is out.
                let _ = self.store.free_key(admission).await;
                Err(Error::from(Refusal::DestinationRefused).about(&admission.challenge().id))
            }
        }
    }

    /// Sends the code within [`CONCEALED_DELIVERY`]. A failed delivery is not
    /// withdrawn: a second login that is admitted would reveal who is a user.
    pub(super) async fn deliver_concealed(
        &self,
        decision: DeliveryDecision,
        message: &CodeMessage<'_>,
        started: Stopwatch,
    ) -> DeliveryOutcome {
        if decision == DeliveryDecision::Suppress {
            return DeliveryOutcome::Suppressed;
        }
        let left = CONCEALED_DELIVERY.saturating_sub(started.elapsed());
        match timeout(left, self.sender.send(message)).await {
            Ok(Ok(id)) => DeliveryOutcome::Sent(id),
            Ok(Err(DeliveryFailure::Unconfirmed(fault))) => DeliveryOutcome::Unconfirmed(fault),
            Ok(Err(DeliveryFailure::NotSent(fault))) => DeliveryOutcome::Concealed(fault),
            Ok(Err(DeliveryFailure::DestinationRefused)) => DeliveryOutcome::ConcealedRefusal,
            Err(_) => {
                let fault = Fault::new(Dependency::Provider, "deliver", "timeout");
                DeliveryOutcome::Unconfirmed(fault)
            }
        }
    }
}
