use otp_domain::{DeliveryDecision, Refusal};

use super::{DeliveryOutcome, LoginService};
use crate::{
    Error,
    delivery::{CodeMessage, DeliveryFailure},
    ledger::Receipt,
};

impl LoginService {
    /// Sends the code. If it was certainly not sent, withdraws the admission; but
    /// a request for a destination that does not exist is counted like any other.
    pub(super) async fn deliver(
        &self,
        decision: DeliveryDecision,
        receipt: &Receipt<'_>,
        message: &CodeMessage<'_>,
    ) -> Result<DeliveryOutcome, Error> {
        if decision == DeliveryDecision::Suppress {
            return Ok(DeliveryOutcome::Suppressed);
        }
        match self.sender.send(message).await {
            Ok(id) => Ok(DeliveryOutcome::Sent(id)),
            Err(DeliveryFailure::Unconfirmed(fault)) => Ok(DeliveryOutcome::Unconfirmed(fault)),
            Err(DeliveryFailure::NotSent(fault)) => {
                receipt.withdraw().await?;
                Err(Error::from(fault).about(message.challenge_id))
            }
            Err(DeliveryFailure::DestinationRefused) => {
                // Whatever becomes of the key, no code is out.
                let _ = receipt.void().await;
                Err(Error::from(Refusal::DestinationRefused).about(message.challenge_id))
            }
        }
    }
}
