//! From an event of API Gateway or a function URL to domain types.

use lambda_http::{
    Request, RequestExt,
    aws_lambda_events::encodings::Body,
    http::header::{AUTHORIZATION, CONTENT_TYPE},
    request::RequestContext,
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use super::route::Route;
use crate::domain::{
    ClientAddress, Destination, EmailAddress, IdempotencyKey, PhoneNumber, RefreshToken, Refusal,
    Unauthorized,
};

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 4096;

/// What makes a request unfit to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// No such route.
    NotFound,
    /// The route takes another method.
    MethodNotAllowed(Route),
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The body is not the object that the route takes; the sentence says why.
    InvalidRequest(&'static str),
}

/// What `POST /api/login-with-otp/` brings.
pub struct Ask {
    /// Where the code is to go.
    pub destination: Destination,
    /// Who asks.
    pub client: ClientAddress,
    /// The client's name for this request, if it gave one.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What `POST /api/validate-otp/` brings.
pub struct Claim {
    /// Who claims.
    pub client: ClientAddress,
    /// The destination that the client claims to hold.
    pub destination: Destination,
    /// The challenge that it answers, if it says which.
    pub challenge_id: Option<String>,
    /// The guess: one or more digits, of any number yet.
    pub otp: SecretString,
}

/// What `POST /api/logout/` brings.
pub struct Leave {
    /// The login to end, if the text can be a token of one.
    pub token: Option<RefreshToken>,
    /// Whether every other login of the same user is to end with it.
    pub all: bool,
}

/// The id under which the gateway knows this request.
#[must_use]
pub fn gateway_id(request: &Request) -> Option<String> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.request_id.clone(),
        RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
        _ => None,
    }
}

/// Where this request comes from, by the gateway's word.
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
/// The request is not one that the contract describes.
pub fn login(request: &Request) -> Result<Ask, Rejection> {
    let body: LoginBody = parse(body_of(request)?)?;
    Ok(Ask {
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
/// The request is not one that the contract describes.
pub fn validate(request: &Request) -> Result<Claim, Rejection> {
    let body: ValidateBody = parse(body_of(request)?)?;
    let destination = destination(body.email, body.phone_number)?;
    if body.otp.is_empty() || !body.otp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Rejection::InvalidRequest(
            "`otp` must be a string of digits.",
        ));
    }
    Ok(Claim {
        client: client(request),
        destination,
        challenge_id: body.challenge_id,
        otp: body.otp.into(),
    })
}

/// Reads `POST /api/token/refresh/`. Text that cannot be a refresh token of ours
/// gives `None`.
///
/// # Errors
///
/// The request is not one that the contract describes.
pub fn refresh(request: &Request) -> Result<Option<RefreshToken>, Rejection> {
    let body: RefreshBody = parse(body_of(request)?)?;
    Ok(RefreshToken::parse(&body.refresh_token))
}

/// Reads `POST /api/logout/`.
///
/// # Errors
///
/// The request is not one that the contract describes.
pub fn logout(request: &Request) -> Result<Leave, Rejection> {
    let body: LogoutBody = parse(body_of(request)?)?;
    Ok(Leave {
        token: RefreshToken::parse(&body.refresh_token),
        all: body.all,
    })
}

/// Reads the token of a request that shows one (RFC 6750 section 2.1).
///
/// # Errors
///
/// It shows none, or what it shows is not one bearer token.
pub fn bearer(request: &Request) -> Result<SecretString, Refusal> {
    let mut shown = request.headers().get_all(AUTHORIZATION).iter();
    let Some(first) = shown.next() else {
        return Err(Refusal::Unauthorized(Unauthorized::NoToken));
    };
    let token = first.to_str().ok().and_then(|text| {
        let (scheme, token) = text.trim().split_once(' ')?;
        let well_formed = scheme.eq_ignore_ascii_case("bearer") && shown.next().is_none();
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

/// A member that may be missing, but must be a string where it stands: `null`
/// is none.
fn present<'de, D: Deserializer<'de>>(member: D) -> Result<Option<String>, D::Error> {
    String::deserialize(member).map(Some)
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Rejection> {
    // serde also fills a struct from an array, which is not what the contract
    // offers.
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
