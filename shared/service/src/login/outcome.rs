use otp_domain::Delivery;

use super::IssuedCode;
use crate::fault::Fault;

/// What happened to the message.
pub enum DeliveryOutcome {
    /// The provider accepted the message.
    Sent,
    /// No message was due: the user is unknown or disabled, or the code is fixed.
    Suppressed,
    /// The first request with this idempotency key sent it.
    Replayed(Delivery),
    /// The provider may have accepted the message.
    Unconfirmed(Fault),
    /// Under `UNKNOWN_USERS=conceal`, all that is left to do follows the answer.
    Ahead(Box<IssuedCode>),
}

impl DeliveryOutcome {
    /// What a client may learn of it. A suppressed message counts as confirmed, so
    /// that the answer is the same for every user.
    pub(super) const fn told(&self) -> Delivery {
        match self {
            Self::Ahead(_) | Self::Unconfirmed(_) => Delivery::Unconfirmed,
            Self::Replayed(delivery) => *delivery,
            Self::Sent | Self::Suppressed => Delivery::Confirmed,
        }
    }
}
