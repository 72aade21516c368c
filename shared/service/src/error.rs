//! The error of a use case.

use otp_domain::Refusal;

use crate::{about::About, fault::Fault};

/// Why a use case failed, and what it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// A refusal or a fault.
    pub kind: ErrorKind,
    /// Whom and what the request was about.
    pub about: Box<About>,
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
    /// The same error, about `more` in addition.
    #[must_use]
    pub fn about(self, more: impl Into<About>) -> Self {
        Self {
            about: Box::new(self.about.and(more)),
            ..self
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self {
            kind: ErrorKind::Refused(refusal),
            about: Box::default(),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self {
            kind: ErrorKind::Fault(fault),
            about: Box::default(),
        }
    }
}
