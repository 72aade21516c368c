//! Why a request failed.

use otp_domain::Refusal;
use otp_service::{Error, ErrorKind};

use crate::{cookie::Carrier, rejection::Rejection};

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The edge rejects the request.
    Rejected(Rejection),
    /// The use case returned an error.
    Service(Error),
    /// The use case refused the token of the refresh cookie: the answer removes
    /// the cookie.
    StaleCookie(Error),
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Service(refusal.into())
    }
}

impl Failure {
    /// The failure of a request whose refresh token came by this carrier. An
    /// invalid token leaves the cookie.
    #[must_use]
    pub fn of_refresh(error: Error, carrier: Carrier) -> Self {
        let is_invalid = matches!(
            error.kind,
            ErrorKind::Refused(Refusal::InvalidRefreshToken(_))
        );
        if carrier == Carrier::Cookie && is_invalid {
            Self::StaleCookie(error)
        } else {
            Self::Service(error)
        }
    }
}
