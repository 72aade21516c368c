//! Faults: failures of dependencies.

use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// A service on AWS that this one depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// The `DynamoDB` table.
    Table,
    /// The KMS keys.
    Keys,
    /// The sender of e-mail or text messages.
    Provider,
}

impl Dependency {
    /// The dependency's name in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Keys => "keys",
            Self::Provider => "provider",
        }
    }
}

/// A failure of a dependency. Clients learn only the kind of answer. The log
/// learns what failed, but no data: a full SDK error may carry items, addresses
/// and messages, so only its code is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The dependency that failed.
    pub dependency: Dependency,
    /// The operation that failed.
    pub operation: &'static str,
    /// The error's code, or how the call ended without one.
    pub cause: String,
}

impl Fault {
    /// A fault that did not come from the SDK.
    #[must_use]
    pub fn new(dependency: Dependency, operation: &'static str, cause: &str) -> Self {
        Self {
            dependency,
            operation,
            cause: cause.to_owned(),
        }
    }

    /// The fault of an SDK call, without its data.
    pub fn from_sdk<E, R>(
        dependency: Dependency,
        operation: &'static str,
        error: &SdkError<E, R>,
    ) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let cause = match error {
            SdkError::ConstructionFailure(_) => "request not built",
            SdkError::TimeoutError(_) => "timeout",
            SdkError::DispatchFailure(failure) if failure.is_timeout() => "connect timeout",
            SdkError::DispatchFailure(_) => "no connection",
            SdkError::ResponseError(_) => "unreadable answer",
            SdkError::ServiceError(service) => service.err().code().unwrap_or("unnamed error"),
            _ => "unknown",
        };
        Self::new(dependency, operation, cause)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}: {}",
            self.dependency.as_str(),
            self.operation,
            self.cause
        )
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    #[test]
    fn a_fault_tells_how_a_call_ended_and_the_code_of_an_error() {
        let named = ErrorMetadata::builder().code("Throttling").build();
        let unnamed = ErrorMetadata::builder().message("secret").build();
        let timeout = ConnectorError::timeout("secret".into());
        let io = ConnectorError::io("secret".into());
        for (error, cause) in [
            (
                SdkError::construction_failure("secret"),
                "request not built",
            ),
            (SdkError::timeout_error("secret"), "timeout"),
            (SdkError::dispatch_failure(timeout), "connect timeout"),
            (SdkError::dispatch_failure(io), "no connection"),
            (SdkError::response_error("secret", ()), "unreadable answer"),
            (SdkError::service_error(named, ()), "Throttling"),
            (SdkError::service_error(unnamed, ()), "unnamed error"),
        ] {
            let fault = Fault::from_sdk(Dependency::Table, "GetItem", &error);
            assert_eq!(fault.to_string(), format!("table: GetItem: {cause}"));
        }
        assert_eq!(Dependency::Keys.as_str(), "keys");
        assert_eq!(Dependency::Provider.as_str(), "provider");
    }
}
