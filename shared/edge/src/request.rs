//! Reads an HTTP request as the request of a use case.

use lambda_http::{
    Request, RequestExt,
    aws_lambda_events::encodings::Body,
    http::header::{AUTHORIZATION, CONTENT_TYPE},
    request::RequestContext,
};
use otp_domain::{
    ClientAddress, Destination, EmailAddress, IdempotencyKey, PhoneNumber, RefreshToken, Refusal,
    Unauthorized,
};
use otp_service::{
    login::LoginRequest,
    session::{LogoutRequest, RefreshRequest, ValidateRequest},
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use crate::rejection::Rejection;

/// The largest accepted body, in bytes.
pub const MAX_BODY: usize = 4096;

/// The gateway's id of this request.
#[must_use]
pub fn gateway_id(request: &Request) -> Option<String> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.request_id.clone(),
        RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
        _ => None,
    }
}

/// The client's address, as the gateway reports it.
fn client(request: &Request) -> ClientAddress {
    ClientAddress::from_gateway(match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.identity.source_ip.as_deref(),
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    })
}

/// Reads `POST /api/login-with-otp/`.
///
/// # Errors
///
/// The request is malformed.
pub fn login(request: &Request) -> Result<LoginRequest, Rejection> {
    let body: LoginBody = parse(body_of(request)?)?;
    Ok(LoginRequest {
        destination: destination(body.email, body.phone_number)?,
        client: client(request),
        idempotency_key: idempotency_key(request)?,
    })
}

fn idempotency_key(request: &Request) -> Result<Option<IdempotencyKey>, Rejection> {
    let Some(value) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().ok().and_then(IdempotencyKey::parse);
    key.map(Some).ok_or(Rejection::InvalidRequest(
        "`Idempotency-Key` must be 16 to 128 visible ASCII characters.",
    ))
}

/// Reads `POST /api/validate-otp/`.
///
/// # Errors
///
/// The request is malformed.
pub fn validate(request: &Request) -> Result<ValidateRequest, Rejection> {
    let body: ValidateBody = parse(body_of(request)?)?;
    let destination = destination(body.email, body.phone_number)?;
    if body.otp.is_empty() || !body.otp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Rejection::InvalidRequest(
            "`otp` must be a string of digits.",
        ));
    }
    Ok(ValidateRequest {
        client: client(request),
        destination,
        challenge_id: body.challenge_id,
        otp: body.otp.into(),
        idempotency_key: idempotency_key(request)?,
    })
}

/// Reads `POST /api/token/refresh/`.
///
/// # Errors
///
/// The request is malformed.
pub fn refresh(request: &Request) -> Result<RefreshRequest, Rejection> {
    let body: RefreshBody = parse(body_of(request)?)?;
    Ok(RefreshRequest {
        refresh_token: RefreshToken::parse(&body.refresh_token),
    })
}

/// Reads `POST /api/logout/`.
///
/// # Errors
///
/// The request is malformed.
pub fn logout(request: &Request) -> Result<LogoutRequest, Rejection> {
    let body: LogoutBody = parse(body_of(request)?)?;
    Ok(LogoutRequest {
        refresh_token: RefreshToken::parse(&body.refresh_token),
        all: body.all,
    })
}

/// Reads the access token in the `Authorization` header (RFC 6750 section 2.1).
///
/// # Errors
///
/// The header is missing, or is not exactly one bearer token.
pub fn bearer(request: &Request) -> Result<SecretString, Refusal> {
    let mut headers = request.headers().get_all(AUTHORIZATION).iter();
    let Some(first) = headers.next() else {
        return Err(Refusal::Unauthorized(Unauthorized::NoToken));
    };
    let token = first.to_str().ok().and_then(|text| {
        let (scheme, token) = text.trim().split_once(' ')?;
        let well_formed = scheme.eq_ignore_ascii_case("bearer") && headers.next().is_none();
        well_formed.then(|| token.trim_start().to_owned().into())
    });
    token.ok_or(Refusal::Unauthorized(Unauthorized::InvalidToken(
        "not one bearer token",
    )))
}

fn body_of(request: &Request) -> Result<&[u8], Rejection> {
    if !is_json(request) {
        return Err(Rejection::UnsupportedMediaType);
    }
    let body = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    };
    if body.len() > MAX_BODY {
        return Err(Rejection::InvalidRequest(
            "The body must be no larger than 4 KB.",
        ));
    }
    Ok(body)
}

fn is_json(request: &Request) -> bool {
    let media_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = media_type
        .and_then(|text| text.split(';').next())
        .map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginBody {
    #[serde(default, deserialize_with = "present")]
    email: Option<String>,
    #[serde(default, deserialize_with = "present")]
    phone_number: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidateBody {
    #[serde(default, deserialize_with = "present")]
    email: Option<String>,
    #[serde(default, deserialize_with = "present")]
    phone_number: Option<String>,
    otp: String,
    #[serde(default, deserialize_with = "present")]
    challenge_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefreshBody {
    refresh_token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogoutBody {
    refresh_token: String,
    #[serde(default)]
    all: bool,
}

/// An optional member, which must be a string if present. `null` is invalid.
fn present<'de, D: Deserializer<'de>>(member: D) -> Result<Option<String>, D::Error> {
    String::deserialize(member).map(Some)
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Rejection> {
    // serde also reads a struct from an array; the API accepts objects only.
    let is_object = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    let parsed = is_object
        .then(|| serde_json::from_slice(body).ok())
        .flatten();
    parsed.ok_or(Rejection::InvalidRequest(
        "The body must be one JSON object with the members that this call takes, each once \
         and of its type.",
    ))
}

fn destination(
    email: Option<String>,
    phone_number: Option<String>,
) -> Result<Destination, Rejection> {
    match (email, phone_number) {
        (Some(email), None) => EmailAddress::parse(&email)
            .map(Destination::Email)
            .map_err(|_| {
                Rejection::InvalidRequest("`email` must be a plain e-mail address in ASCII.")
            }),
        (None, Some(number)) => PhoneNumber::parse(&number)
            .map(Destination::Phone)
            .map_err(|_| {
                Rejection::InvalidRequest(
                    "`phone_number` must be in E.164 form, such as +14155550123.",
                )
            }),
        _ => Err(Rejection::InvalidRequest(
            "The body must hold exactly one of `email` and `phone_number`.",
        )),
    }
}
