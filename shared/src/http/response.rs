//! The answers of success.

use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use jsonwebtoken::jwk::JwkSet;
use lambda_http::{
    Body, Response,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    },
};
use serde::Serialize;

use super::route::Route;
use crate::{
    domain::{Channel, Profile, UnixTime, UserId, seconds_to_wait},
    login::Sent,
    validate::{LoggedIn, Renewed},
};

#[derive(Serialize)]
struct SentBody<'a> {
    message: &'static str,
    challenge_id: &'a str,
    channel: &'static str,
    code_length: u8,
    expires_in: u64,
    resend_in: u64,
}

#[derive(Serialize)]
struct LoggedInBody<'a> {
    token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    user_id: &'a str,
    new_user: bool,
    refresh_token: String,
    refresh_expires_in: u64,
}

#[derive(Serialize)]
struct RefreshedBody<'a> {
    token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    user_id: &'a str,
    refresh_token: String,
    refresh_expires_in: u64,
}

#[derive(Serialize)]
struct ProfileBody<'a> {
    user_id: &'a str,
    destinations: Vec<DestinationBody<'a>>,
    created_at: String,
}

#[derive(Serialize)]
#[serde(tag = "channel", rename_all = "lowercase")]
enum DestinationBody<'a> {
    Email { email: &'a str },
    Sms { phone_number: &'a str },
}

/// What a stranger needs to check our tokens (`OpenID` Connect Discovery 1.0
/// section 3, RFC 8414 section 2), as far as we do it.
#[derive(Serialize)]
struct ConfigurationBody<'a> {
    issuer: &'a str,
    jwks_uri: String,
    response_types_supported: [&'static str; 0],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    claims_supported: [&'static str; 12],
}

/// How long whoever checks tokens may go on with what they know of our keys.
const PUBLIC_FOR_AN_HOUR: &str = "public, max-age=3600";

/// "A code is on its way."
#[must_use]
pub fn sent(sent: &Sent) -> Response<Body> {
    let body = SentBody {
        message: match sent.channel {
            Channel::Email => "OTP has been sent to your email.",
            Channel::Sms => "OTP has been sent to your phone.",
        },
        challenge_id: sent.challenge_id.as_str(),
        channel: sent.channel.as_str(),
        code_length: sent.code_length,
        expires_in: sent.expires_in.as_secs(),
        resend_in: seconds_to_wait(sent.resend_in),
    };
    json(StatusCode::OK, "application/json", &body)
}

/// "You are in."
#[must_use]
pub fn logged_in(login: &LoggedIn) -> Response<Body> {
    let body = LoggedInBody {
        token: login.token.expose_secret(),
        token_type: "Bearer",
        expires_in: login.token.ttl.as_secs(),
        user_id: UserId::as_str(login.account.user_id()),
        new_user: login.account.is_new(),
        refresh_token: login.refresh_token.expose_secret(),
        refresh_expires_in: login.refresh_expires_in.as_secs(),
    };
    json(StatusCode::OK, "application/json", &body)
}

/// "You stay in."
#[must_use]
pub fn refreshed(login: &Renewed) -> Response<Body> {
    let body = RefreshedBody {
        token: login.token.expose_secret(),
        token_type: "Bearer",
        expires_in: login.token.ttl.as_secs(),
        user_id: login.user.as_str(),
        refresh_token: login.refresh_token.expose_secret(),
        refresh_expires_in: login.refresh_expires_in.as_secs(),
    };
    json(StatusCode::OK, "application/json", &body)
}

/// "You are out", whether you ever were in or not.
#[must_use]
pub fn logged_out() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

/// "This is you."
#[must_use]
pub fn profile(user: &Profile) -> Response<Body> {
    let destinations = user.destinations.iter().map(|destination| {
        let text = destination.as_str();
        match destination.channel() {
            Channel::Email => DestinationBody::Email { email: text },
            Channel::Sms => DestinationBody::Sms { phone_number: text },
        }
    });
    let body = ProfileBody {
        user_id: user.id.as_str(),
        destinations: destinations.collect(),
        created_at: rfc3339(user.created_at),
    };
    json(StatusCode::OK, "application/json", &body)
}

fn rfc3339(time: UnixTime) -> String {
    let millis = i64::try_from(time.as_millis()).unwrap_or_default();
    let text = DateTime::from_millis(millis).fmt(DateTimeFormat::DateTime);
    text.unwrap_or_default()
}

/// "These are the keys of that issuer."
#[must_use]
pub fn configuration(issuer: &str) -> Response<Body> {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let body = ConfigurationBody {
        issuer,
        jwks_uri: format!("{base}{}", Route::Keys.path()),
        response_types_supported: [],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        claims_supported: [
            "iss",
            "sub",
            "aud",
            "iat",
            "exp",
            "auth_time",
            "jti",
            "amr",
            "email",
            "email_verified",
            "phone_number",
            "phone_number_verified",
        ],
    };
    public(json(StatusCode::OK, "application/json", &body))
}

/// "These are the keys."
#[must_use]
pub fn keys(published: &JwkSet) -> Response<Body> {
    public(json(StatusCode::OK, "application/json", published))
}

fn public(mut response: Response<Body>) -> Response<Body> {
    let value = HeaderValue::from_static(PUBLIC_FOR_AN_HOUR);
    response.headers_mut().insert(CACHE_CONTROL, value);
    response
}

/// Any answer: JSON that no cache may keep.
pub(super) fn json(
    status: StatusCode,
    media_type: &'static str,
    body: &impl Serialize,
) -> Response<Body> {
    // Our bodies are plain structs, which always serialise; an empty body would
    // still carry the right status.
    let text = serde_json::to_string(body).unwrap_or_default();
    let mut response = Response::new(Body::Text(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
