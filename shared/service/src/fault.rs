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
    /// The settings, of which one is missing or wrong.
    Settings,
}

impl Dependency {
    /// The dependency's name in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Keys => "keys",
            Self::Provider => "provider",
            Self::Settings => "settings",
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
    /// Why it failed.
    pub cause: Cause,
}

/// Why a call failed. It says whether the call may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The service did nothing, because it was too busy or another write was at the
    /// same items. It answered with this code.
    Busy(String),
    /// The service refused the call with this code.
    Refused(String),
    /// The call, or a step of calls, took too long.
    Timeout,
    /// Anything else, in these words.
    Other(String),
}

/// The codes after which a service has done nothing, and may do it soon.
const BUSY: [&str; 9] = [
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ThrottlingError",
    "ThrottlingException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestLimitExceededException",
];

impl Cause {
    /// The cause that a service names by a code.
    pub(crate) fn of_code(code: &str) -> Self {
        if BUSY.contains(&code) {
            Self::Busy(code.to_owned())
        } else {
            Self::Refused(code.to_owned())
        }
    }
}

impl From<&str> for Cause {
    fn from(words: &str) -> Self {
        Self::Other(words.to_owned())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy(code) | Self::Refused(code) => code,
            Self::Timeout => "timeout",
            Self::Other(words) => words,
        })
    }
}

impl Fault {
    /// A fault with this cause.
    #[must_use]
    pub fn new(dependency: Dependency, operation: &'static str, cause: impl Into<Cause>) -> Self {
        Self {
            dependency,
            operation,
            cause: cause.into(),
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
            SdkError::ConstructionFailure(_) => "request not built".into(),
            SdkError::TimeoutError(_) => Cause::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => "connect timeout".into(),
            SdkError::DispatchFailure(_) => "no connection".into(),
            SdkError::ResponseError(_) => "unreadable answer".into(),
            SdkError::ServiceError(service) => {
                Cause::of_code(service.err().code().unwrap_or("unnamed error"))
            }
            _ => "unknown".into(),
        };
        Self::new(dependency, operation, cause)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dependency = self.dependency.as_str();
        write!(f, "{dependency}: {}: {}", self.operation, self.cause)
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
