//! The successful answers.

pub mod metadata;

use aws_smithy_types::{DateTime, date_time::Format};
use jsonwebtoken::jwk::JwkSet;
use lambda_http::{
    Body, Response,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, SET_COOKIE},
    },
};
use otp_domain::{
    DestinationKind, DeviceLabel, Session, SessionId, UnixTime, UserRecord, Ways, seconds_to_wait,
};
use otp_service::{
    login::CodeRequested,
    session::{LoggedIn, Refreshed},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cookie::{self, Carrier};

#[derive(Serialize)]
struct CodeRequestedBody<'a> {
    message: &'static str,
    challenge_id: &'a str,
    channel: &'static str,
    destination: &'a str,
    ways: Vec<&'a str>,
    code_length: u8,
    max_attempts: u8,
    expires_in: u64,
    resend_in: u64,
    delivery: &'static str,
}

#[derive(Serialize)]
struct LoggedInBody<'a> {
    token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    user_id: &'a str,
    new_user: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    refresh_expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_token: Option<&'a str>,
}

#[derive(Serialize)]
struct RefreshedBody<'a> {
    token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    user_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    refresh_expires_in: u64,
}

/// RFC 6749 section 5.1.
#[derive(Serialize)]
struct TokenBody<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: String,
}

#[derive(Serialize)]
struct ProfileBody<'a> {
    user_id: &'a str,
    destinations: Vec<DestinationBody<'a>>,
    created_at: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    claims: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct SessionsBody<'a> {
    sessions: Vec<SessionBody<'a>>,
}

#[derive(Serialize)]
struct SessionBody<'a> {
    id: &'a str,
    created_at: String,
    refreshed_at: String,
    channel: &'static str,
    device: Option<&'a str>,
    current: bool,
}

#[derive(Serialize)]
#[serde(tag = "channel", rename_all = "lowercase")]
enum DestinationBody<'a> {
    Email { email: &'a str },
    Sms { phone_number: &'a str },
}

/// How long verifiers may cache the public documents.
const PUBLIC_FOR_AN_HOUR: &str = "public, max-age=3600";

/// The answer to a login, with the ways of this deployment to the destination.
#[must_use]
pub fn code_requested(requested: &CodeRequested, ways: &Ways) -> Response<Body> {
    let body = CodeRequestedBody {
        message: match requested.destination.kind() {
            DestinationKind::Email => "OTP has been sent to your email.",
            DestinationKind::Phone => "OTP has been sent to your phone.",
        },
        challenge_id: requested.challenge_id.as_str(),
        channel: requested.destination.kind().channel(),
        destination: requested.destination.as_str(),
        ways: ways.names(requested.destination.kind()).collect(),
        code_length: requested.code_length,
        max_attempts: requested.max_attempts,
        expires_in: requested.expires_in.as_secs(),
        resend_in: seconds_to_wait(requested.resend_in),
        delivery: requested.delivery.as_str(),
    };
    json(StatusCode::OK, "application/json", &body)
}

/// The answer to a validation.
#[must_use]
pub fn logged_in(login: &LoggedIn, carrier: Carrier, kept: &[SecretString]) -> Response<Body> {
    let (refresh_token, cookie) = carrier.hand_out(&login.refresh_token, login.refresh_expires_in);
    let device = login.device.as_ref();
    let (device_token, device_cookie) = match carrier {
        Carrier::Body => (device.map(|it| it.token.expose_secret()), None),
        Carrier::Cookie => (None, device.and_then(|it| cookie::keep_device(it, kept))),
    };
    let body = LoggedInBody {
        token: login.access_token.expose_secret(),
        token_type: "Bearer",
        expires_in: login.access_token.ttl.as_secs(),
        user_id: login.user.id().as_str(),
        new_user: login.user.is_new(),
        refresh_token,
        refresh_expires_in: login.refresh_expires_in.as_secs(),
        device_token,
    };
    let answer = json(StatusCode::OK, "application/json", &body);
    with_cookie(with_cookie(answer, cookie), device_cookie)
}

/// The answer to a refresh.
#[must_use]
pub fn refreshed(login: &Refreshed, carrier: Carrier) -> Response<Body> {
    let (refresh_token, cookie) = carrier.hand_out(&login.refresh_token, login.refresh_expires_in);
    let body = RefreshedBody {
        token: login.access_token.expose_secret(),
        token_type: "Bearer",
        expires_in: login.access_token.ttl.as_secs(),
        user_id: login.user.as_str(),
        refresh_token,
        refresh_expires_in: login.refresh_expires_in.as_secs(),
    };
    with_cookie(json(StatusCode::OK, "application/json", &body), cookie)
}

/// The answer to a refresh of an OAuth client.
#[must_use]
pub fn token(login: &Refreshed) -> Response<Body> {
    let body = TokenBody {
        access_token: login.access_token.expose_secret(),
        token_type: "Bearer",
        expires_in: login.access_token.ttl.as_secs(),
        refresh_token: login.refresh_token.expose_secret(),
    };
    json(StatusCode::OK, "application/json", &body)
}

/// The answer to a revocation, whether or not the session existed (RFC 7009
/// section 2.2).
#[must_use]
pub fn revoked() -> Response<Body> {
    empty(StatusCode::OK)
}

/// The answer to a logout, whether or not the session existed.
#[must_use]
pub fn logged_out(carrier: Carrier, forgets: bool) -> Response<Body> {
    let removed = HeaderValue::from_static(cookie::REMOVED);
    let removed = (carrier == Carrier::Cookie).then_some(removed);
    let forgotten = HeaderValue::from_static(cookie::DEVICES_REMOVED);
    let forgotten = forgets.then_some(forgotten);
    with_cookie(
        with_cookie(empty(StatusCode::NO_CONTENT), removed),
        forgotten,
    )
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

fn with_cookie(mut response: Response<Body>, cookie: Option<HeaderValue>) -> Response<Body> {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// The answer to `/api/me/`: the user of the access token.
#[must_use]
pub fn profile(user: &UserRecord) -> Response<Body> {
    let destinations = user.destinations.iter().map(|own| {
        let destination = &own.destination;
        let text = destination.as_str();
        match destination.kind() {
            DestinationKind::Email => DestinationBody::Email { email: text },
            DestinationKind::Phone => DestinationBody::Sms { phone_number: text },
        }
    });
    let body = ProfileBody {
        user_id: user.id.as_str(),
        destinations: destinations.collect(),
        created_at: rfc3339(user.created_at),
        claims: user.claims.members(),
    };
    json(StatusCode::OK, "application/json", &body)
}

/// The answer to `GET /api/me/sessions/`. `current` is the session of the access token.
#[must_use]
pub fn sessions(sessions: &[Session], current: &SessionId) -> Response<Body> {
    let sessions = sessions.iter().map(|session| SessionBody {
        id: session.id.as_str(),
        created_at: rfc3339(session.created_at),
        refreshed_at: rfc3339(session.refreshed_at),
        channel: session.destination.kind().channel(),
        device: session.label.as_ref().map(DeviceLabel::as_str),
        current: session.id == *current,
    });
    let body = SessionsBody {
        sessions: sessions.collect(),
    };
    json(StatusCode::OK, "application/json", &body)
}

/// The answer to a request that ended something, whether or not it existed.
#[must_use]
pub fn done() -> Response<Body> {
    empty(StatusCode::NO_CONTENT)
}

fn rfc3339(time: UnixTime) -> String {
    let millis = i64::try_from(time.as_millis()).unwrap_or_default();
    let text = DateTime::from_millis(millis).fmt(Format::DateTime);
    text.unwrap_or_default()
}

/// The public keys.
#[must_use]
pub fn keys(published: &JwkSet) -> Response<Body> {
    public(json(StatusCode::OK, "application/json", published))
}

fn public(mut response: Response<Body>) -> Response<Body> {
    let value = HeaderValue::from_static(PUBLIC_FOR_AN_HOUR);
    response.headers_mut().insert(CACHE_CONTROL, value);
    response
}

/// A JSON answer that no cache may store.
pub(super) fn json(
    status: StatusCode,
    media_type: &'static str,
    body: &impl Serialize,
) -> Response<Body> {
    // These structs always serialise.
    let text = serde_json::to_string(body).unwrap_or_default();
    let mut response = Response::new(Body::Text(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
