//! Why a use case does not succeed.

use otp_domain::{Destination, Refusal};

use crate::fault::Fault;

/// The one error that leaves a use case, and the destination that it is about,
/// for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What went wrong.
    pub kind: ErrorKind,
    /// The destination of the request, as soon as it is known.
    pub destination: Option<Destination>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A rule said no. Nothing is broken.
    Refused(Refusal),
    /// A dependency is broken.
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
