use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};

use crate::{
    aws::is_unsent,
    fault::{Dependency, Fault},
};

/// A delivery that the provider did not confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryFailure {
    /// No message was sent: the provider says that this is no destination, so nothing
    /// is broken.
    DestinationRefused,
    /// No message was sent: the provider refused, or was never reached.
    NotSent(Fault),
    /// The message may arrive: the provider's answer was lost, late or a 5xx.
    Unconfirmed(Fault),
}

impl DeliveryFailure {
    /// A message that could not even be built.
    pub(super) fn not_built(operation: &'static str) -> Self {
        let cause = "request not built";
        Self::NotSent(Fault::new(Dependency::Provider, operation, cause))
    }

    /// The failure of an SDK call. `is_about_destination` judges the code and the
    /// message of an error of the service.
    pub(super) fn from_sdk<E>(
        operation: &'static str,
        error: &SdkError<E>,
        is_about_destination: impl FnOnce(&str, &str) -> bool,
    ) -> Self
    where
        E: ProvideErrorMetadata,
    {
        if let SdkError::ServiceError(service) = error {
            let (code, message) = (service.err().code(), service.err().message());
            if is_about_destination(code.unwrap_or_default(), message.unwrap_or_default()) {
                return Self::DestinationRefused;
            }
        }
        let fault = Fault::from_sdk(Dependency::Provider, operation, error);
        if is_unsent(error) {
            Self::NotSent(fault)
        } else {
            Self::Unconfirmed(fault)
        }
    }
}
