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

#[cfg(test)]
mod tests {
    use otp_domain::Unauthorized;

    use super::*;

    #[test]
    fn only_an_invalid_token_that_came_by_the_cookie_removes_the_cookie() {
        let invalid = Refusal::InvalidRefreshToken("reused");
        let other = Refusal::Unauthorized(Unauthorized::NoToken);
        for (refusal, carrier, stale) in [
            (invalid, Carrier::Cookie, true),
            (invalid, Carrier::Body, false),
            (other, Carrier::Cookie, false),
            (other, Carrier::Body, false),
        ] {
            let failure = Failure::of_refresh(refusal.into(), carrier);
            let expected = if stale {
                Failure::StaleCookie(refusal.into())
            } else {
                Failure::from(refusal)
            };
            assert_eq!(failure, expected, "{refusal:?} {carrier:?}");
        }
    }
}
