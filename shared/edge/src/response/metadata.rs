//! The documents by which verifiers and OAuth clients find this service.
//!
//! They say what is so. There is no authorization endpoint: a user proves a
//! destination by a code, at routes of this service's own. `OpenID` Connect and
//! RFC 8414 require `response_types_supported` all the same, so it is empty.

use lambda_http::{Body, Response, http::StatusCode};
use serde::Serialize;

use super::{json, public};
use crate::route::Route;

/// RFC 8414 section 2.
#[derive(Serialize)]
struct ServerBody<'a> {
    issuer: &'a str,
    jwks_uri: String,
    token_endpoint: String,
    revocation_endpoint: String,
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    revocation_endpoint_auth_methods_supported: [&'static str; 1],
}

/// `OpenID` Connect Discovery 1.0 section 3.
#[derive(Serialize)]
struct ConfigurationBody<'a> {
    #[serde(flatten)]
    server: ServerBody<'a>,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    claims_supported: &'static [&'static str],
}

const CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "client_id",
    "iat",
    "exp",
    "auth_time",
    "sid",
    "jti",
    "amr",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
];

impl<'a> ServerBody<'a> {
    fn of(issuer: &'a str) -> Self {
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let url = |route: Route| format!("{base}{}", route.path());
        Self {
            issuer,
            jwks_uri: url(Route::Keys),
            token_endpoint: url(Route::Token),
            revocation_endpoint: url(Route::Revoke),
            response_types_supported: [],
            grant_types_supported: ["refresh_token"],
            token_endpoint_auth_methods_supported: ["none"],
            revocation_endpoint_auth_methods_supported: ["none"],
        }
    }
}

/// The metadata of the OAuth authorization server.
#[must_use]
pub fn server(issuer: &str) -> Response<Body> {
    let body = ServerBody::of(issuer);
    public(json(StatusCode::OK, "application/json", &body))
}

/// The discovery document of `OpenID` Connect.
#[must_use]
pub fn configuration(issuer: &str) -> Response<Body> {
    let body = ConfigurationBody {
        server: ServerBody::of(issuer),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        claims_supported: CLAIMS,
    };
    public(json(StatusCode::OK, "application/json", &body))
}
