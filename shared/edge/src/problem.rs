//! Problem details: turns every failure into a problem (RFC 9457).

mod answer;
mod form;

use std::borrow::Cow;

use lambda_http::http::{
    StatusCode,
    header::{ALLOW, HeaderName, SET_COOKIE, WWW_AUTHENTICATE},
};
use otp_domain::{
    DestinationKind, DestinationsRefusal, LimitKind, Mark, Refusal, Unauthorized, seconds_to_wait,
};
use otp_service::{Error, ErrorKind, fault::Dependency};

use crate::{cookie, failure::Failure, rejection::Rejection};

/// A problem. Clients switch on its type.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    name: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
    limit: Option<LimitKind>,
    retry_after: Option<u64>,
    max_age: Option<u64>,
    header: Option<(HeaderName, Cow<'static, str>)>,
    oauth_error: &'static str,
}

/// How long a client should wait after a fault, in seconds.
const FAULT_RETRY_AFTER: u64 = 2;

impl Problem {
    /// The name of the problem of a failed delivery.
    pub const DELIVERY_FAILED: &str = "delivery-failed";

    /// The name of the problem of a destination that the provider refuses.
    pub const DESTINATION_REFUSED: &str = "destination-refused";

    /// The name of the problem of a destination to which no way is left.
    pub const DESTINATION_UNDELIVERABLE: &str = "destination-undeliverable";

    /// The name of the problem of a full limit.
    pub const TOO_MANY_REQUESTS: &str = "too-many-requests";

    /// The name of the problem of an unavailable table or key.
    pub const UNAVAILABLE: &str = "unavailable";

    fn new(
        status: StatusCode,
        name: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            name,
            title,
            detail: detail.into(),
            limit: None,
            retry_after: None,
            max_age: None,
            header: None,
            oauth_error: "invalid_request",
        }
    }

    fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    fn limited_by(self, limit: LimitKind) -> Self {
        Self {
            limit: Some(limit),
            ..self
        }
    }

    fn with(self, name: HeaderName, value: impl Into<Cow<'static, str>>) -> Self {
        Self {
            header: Some((name, value.into())),
            ..self
        }
    }

    /// Sets the error code for OAuth clients, if it is not `invalid_request`.
    fn oauth(self, error: &'static str) -> Self {
        Self {
            oauth_error: error,
            ..self
        }
    }

    /// The last part of the `type`, which is also the outcome in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The sentence that the client reads.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The problem of a failure. The cause of a fault never reaches the client.
    #[must_use]
    pub fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Rejected(rejection) => Self::rejected(rejection),
            Failure::Service(error) => Self::service(error),
            Failure::StaleCookie(error) => Self::service(error).with(SET_COOKIE, cookie::REMOVED),
        }
    }

    fn service(error: &Error) -> Self {
        match &error.kind {
            ErrorKind::Refused(refusal) => Self::refused(*refusal),
            ErrorKind::Fault(fault) => Self::fault(fault.dependency),
        }
    }

    fn rejected(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::NotFound => Self::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "Not found",
                "There is nothing at this address.",
            ),
            Rejection::MethodNotAllowed(methods) => Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method not allowed",
                format!("This address takes {} only.", methods.join(" and ")),
            )
            .with(ALLOW, methods.join(", ")),
            Rejection::OriginNotAllowed => Self::new(
                StatusCode::FORBIDDEN,
                "origin-not-allowed",
                "Origin not allowed",
                "The refresh cookie is only for pages of the origins that this service allows.",
            ),
            Rejection::SessionMismatch => Self::new(
                StatusCode::CONFLICT,
                "session-mismatch",
                "Session mismatch",
                "The session of this refresh token is not the one that `session_id` names.",
            ),
            Rejection::UnsupportedMediaType => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Unsupported media type",
                "The body must be application/json in UTF-8.",
            ),
            Rejection::Form(rejection) => Self::rejected_form(*rejection),
            Rejection::InvalidRequest(why) => Self::invalid_request(why.detail().to_owned()),
        }
    }

    fn invalid_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid-request",
            "Invalid request",
            detail,
        )
    }

    fn refused(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownApp => Self::invalid_request(
                "`app` must be the name of an app that this service sends messages to.",
            ),
            Refusal::InvalidOtp(_) => Self::new(
                StatusCode::BAD_REQUEST,
                "invalid-otp",
                "Invalid OTP",
                "Invalid OTP.",
            ),
            Refusal::InvalidRefreshToken(_) => Self::new(
                StatusCode::BAD_REQUEST,
                "invalid-refresh-token",
                "Invalid refresh token",
                "Invalid refresh token.",
            )
            .oauth("invalid_grant"),
            Refusal::NotRevocable => Self::new(
                StatusCode::BAD_REQUEST,
                "unsupported-token-type",
                "Unsupported token type",
                "An access token cannot be revoked. Revoke the refresh token.",
            )
            .oauth("unsupported_token_type"),
            Refusal::Unauthorized(why) => Self::unauthorized(why),
            Refusal::Destinations(why) => Self::destinations(why),
            Refusal::StaleLogin(max_age) => Self::stale_login(max_age.as_secs()),
            Refusal::DestinationNotAllowed => Self::new(
                StatusCode::FORBIDDEN,
                "destination-not-allowed",
                "Destination not allowed",
                "This service does not send codes to this destination.",
            ),
            Refusal::DestinationRefused => Self::new(
                StatusCode::BAD_REQUEST,
                Self::DESTINATION_REFUSED,
                "Destination refused",
                "No message can be sent to this destination.",
            ),
            Refusal::DestinationUndeliverable(to, mark) => Self::undeliverable(to, mark),
            Refusal::UserNotFound(kind) => Self::new(
                StatusCode::NOT_FOUND,
                "user-not-found",
                "User not found",
                match kind {
                    DestinationKind::Email => "User with this email does not exist.",
                    DestinationKind::Phone => "User with this phone number does not exist.",
                },
            ),
            Refusal::TooManyRequests { kind, wait, .. } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                Self::TOO_MANY_REQUESTS,
                "Too many requests",
                "Too many requests. Try again later.",
            )
            .limited_by(kind)
            .retry_after(seconds_to_wait(wait).max(1))
            .oauth("temporarily_unavailable"),
        }
    }

    fn undeliverable(to: DestinationKind, mark: Mark) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            Self::DESTINATION_UNDELIVERABLE,
            "Destination undeliverable",
            undeliverable(to, mark),
        )
    }

    fn unauthorized(why: Unauthorized) -> Self {
        let challenge = match why {
            // RFC 6750 section 3.1: a request without a token gets no error code.
            Unauthorized::NoToken => "Bearer",
            Unauthorized::InvalidToken(_) => "Bearer error=\"invalid_token\"",
        };
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Unauthorized",
            "This address takes a valid token.",
        )
        .with(WWW_AUTHENTICATE, challenge)
    }

    fn destinations(why: DestinationsRefusal) -> Self {
        let (status, name, title, detail) = match why {
            DestinationsRefusal::Taken => (
                StatusCode::CONFLICT,
                "destination-taken",
                "Destination taken",
                "This destination belongs to another user.",
            ),
            DestinationsRefusal::TooMany => (
                StatusCode::CONFLICT,
                "too-many-destinations",
                "Too many destinations",
                "A user has ten destinations at most. Remove one first.",
            ),
            DestinationsRefusal::Last => (
                StatusCode::CONFLICT,
                "last-destination",
                "Last destination",
                "A user keeps at least one destination. Add another one first.",
            ),
            DestinationsRefusal::TooNew => (
                StatusCode::FORBIDDEN,
                "destination-too-new",
                "Destination too new",
                "A destination removes no older one in its first three days. Log in by an older one.",
            ),
            DestinationsRefusal::InvalidUndo => (
                StatusCode::BAD_REQUEST,
                "invalid-undo",
                "Invalid undo",
                "There is nothing to undo by this token.",
            ),
        };
        Self::new(status, name, title, detail)
    }

    /// The challenge of RFC 9470. A REST API renames the header, so the body has the age too.
    fn stale_login(max_age: u64) -> Self {
        let problem = Self::new(
            StatusCode::UNAUTHORIZED,
            "stale-login",
            "Stale login",
            "This address takes a token of a recent login. Log in again.",
        );
        let challenge =
            format!("Bearer error=\"insufficient_user_authentication\", max_age=\"{max_age}\"");
        Self {
            max_age: Some(max_age),
            ..problem.with(WWW_AUTHENTICATE, challenge)
        }
    }

    fn fault(dependency: Dependency) -> Self {
        match dependency {
            Dependency::Provider => Self::new(
                StatusCode::BAD_GATEWAY,
                Self::DELIVERY_FAILED,
                "Delivery failed",
                "The code could not be sent. Try again.",
            ),
            Dependency::Table | Dependency::Keys | Dependency::Settings => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                Self::UNAVAILABLE,
                "Unavailable",
                "The service is unavailable for a moment. Try again.",
            )
            .retry_after(FAULT_RETRY_AFTER)
            .oauth("temporarily_unavailable"),
        }
    }
}

/// What happened, and what to do.
const fn undeliverable(kind: DestinationKind, mark: Mark) -> &'static str {
    match (kind, mark) {
        (DestinationKind::Email, Mark::Complained) => {
            "A message to this address was reported as spam, so no more are sent. Use another, \
             or ask for help."
        }
        (DestinationKind::Email, Mark::Suppressed) => {
            "The mail service sends nothing to this address, because of earlier messages. Use \
             another, or ask for help."
        }
        (DestinationKind::Email, _) => {
            "The last code came back from this address. Check its spelling and the mailbox, or \
             use another."
        }
        (DestinationKind::Phone, Mark::OptedOut | Mark::Suppressed | Mark::Complained) => {
            "This number does not accept messages. Use another, or ask for help."
        }
        (DestinationKind::Phone, _) => {
            "The last code did not reach this number. Check it, or use another."
        }
    }
}

#[cfg(test)]
mod tests;
