use otp_domain::{Delivery, UnknownUsers};

use crate::{about::MessageId, fault::Fault};

/// What happened to the message.
#[derive(Debug)]
pub enum DeliveryOutcome {
    /// The provider accepted the message, under this id.
    Sent(Option<MessageId>),
    /// No message was due: the user is unknown or disabled, or the code is fixed.
    Suppressed,
    /// The first request with this idempotency key sent it.
    Replayed(Delivery),
    /// The provider may have accepted the message.
    Unconfirmed(Fault),
    /// The provider did not send the message, and the client is not told.
    Concealed(Fault),
    /// The provider says that this is no destination, and the client is not told.
    ConcealedRefusal,
}

impl DeliveryOutcome {
    /// What a client may learn of it. The answer is the same for every user: a
    /// suppressed message counts as confirmed, and under
    /// [`UnknownUsers::Conceal`] no message does.
    pub(super) const fn told(&self, unknown_users: UnknownUsers) -> Delivery {
        match (unknown_users, self) {
            (UnknownUsers::Conceal, _)
            | (_, Self::Unconfirmed(_) | Self::Concealed(_) | Self::ConcealedRefusal) => {
                Delivery::Unconfirmed
            }
            (_, Self::Replayed(delivery)) => *delivery,
            (_, Self::Sent(_) | Self::Suppressed) => Delivery::Confirmed,
        }
    }

    pub(super) const fn message(&self) -> Option<&MessageId> {
        match self {
            Self::Sent(id) => id.as_ref(),
            _ => None,
        }
    }
}
