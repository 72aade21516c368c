//! The answers of success.

use lambda_http::{
    Body, Response,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    },
};
use serde::Serialize;

use crate::{
    domain::{Channel, UserId, seconds_to_wait},
    login::Sent,
    validate::LoggedIn,
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
}

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
    };
    json(StatusCode::OK, "application/json", &body)
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
