//! The error of a use case.

use otp_domain::{Destination, Refusal};

use crate::fault::Fault;

/// Why a use case failed, with the destination for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// A refusal or a fault.
    pub kind: ErrorKind,
    /// The destination of the request, if it is known.
    pub destination: Option<Destination>,
}

/// A refusal or a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A rule refuses the request.
    Refused(Refusal),
    /// A dependency failed.
    Fault(Fault),
}

impl Error {
    /// The same error, about `destination`.
    #[must_use]
    pub fn about(self, destination: &Destination) -> Self {
        Self {
            destination: Some(destination.clone()),
            ..self
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self {
            kind: ErrorKind::Refused(refusal),
            destination: None,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self {
            kind: ErrorKind::Fault(fault),
            destination: None,
        }
    }
}
