//! The problems of forms from OAuth clients.

use lambda_http::http::{StatusCode, header::WWW_AUTHENTICATE};

use super::Problem;
use crate::rejection::FormRejection;

impl Problem {
    pub(super) fn rejected_form(rejection: FormRejection) -> Self {
        match rejection {
            FormRejection::OtherClient => Self::new(
                StatusCode::BAD_REQUEST,
                "invalid-client",
                "Invalid client",
                "`client_id` is not the client of this service.",
            )
            .oauth("invalid_client"),
            // RFC 6749 section 5.2: this status and the scheme that the client used.
            FormRejection::Authenticates => Self::new(
                StatusCode::UNAUTHORIZED,
                "invalid-client",
                "Invalid client",
                "The client has no credentials: send no Authorization header.",
            )
            .with(WWW_AUTHENTICATE, "Basic")
            .oauth("invalid_client"),
            FormRejection::UnsupportedGrantType => Self::new(
                StatusCode::BAD_REQUEST,
                "unsupported-grant-type",
                "Unsupported grant type",
                "`grant_type` must be refresh_token.",
            )
            .oauth("unsupported_grant_type"),
            FormRejection::InvalidScope => Self::new(
                StatusCode::BAD_REQUEST,
                "invalid-scope",
                "Invalid scope",
                "A login grants the scopes openid and offline_access and no others.",
            )
            .oauth("invalid_scope"),
        }
    }
}
