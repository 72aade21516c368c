use otp_domain::{DeliveryDecision, Refusal};

use super::{DeliveryOutcome, LoginService};
use crate::{
    Error,
    about::About,
    delivery::{CodeMessage, DeliveryFailure},
    ledger::Receipt,
};

impl LoginService {
    /// Sends the code, and tells how. If it was certainly not sent, withdraws the admission; but
    /// a request for a destination that does not exist is counted like any other.
    pub(super) async fn deliver(
        &self,
        decision: DeliveryDecision,
        receipt: &Receipt<'_>,
        message: &CodeMessage<'_>,
    ) -> Result<(DeliveryOutcome, About), Error> {
        if decision == DeliveryDecision::Suppress {
            return Ok((DeliveryOutcome::Suppressed, About::default()));
        }
        let attempt = self.sender.send(message).await;
        let about = attempt.about();
        match attempt.result {
            Ok(_) => Ok((DeliveryOutcome::Sent, about)),
            Err(DeliveryFailure::Unconfirmed(fault)) => {
                Ok((DeliveryOutcome::Unconfirmed(fault), about))
            }
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
