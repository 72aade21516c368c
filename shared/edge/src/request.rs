//! Reads an HTTP request as the request of a use case.

mod destination;
pub mod oauth;

use lambda_http::{
    Request, RequestExt,
    http::header::{ACCEPT_LANGUAGE, AUTHORIZATION},
    request::RequestContext,
};
use otp_domain::{
    ChallengeId, Destination, DeviceLabel, IdempotencyKey, Purpose, RefreshToken, Refusal,
    SessionId, Unauthorized, UndoToken, UserId, WayName, Ways,
};
use otp_messages::LanguageChoice;
use otp_service::{
    login::LoginRequest,
    session::{LogoutRequest, RefreshRequest, ValidateRequest},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    body::{self, BOOLEAN, Members, Shape},
    client,
    cookie::{Carrier, RefreshCookie},
    mistakes::Explanation,
    rejection::Rejection,
    route,
};

/// The gateway's id of this request.
#[must_use]
pub fn gateway_id(request: &Request) -> Option<String> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.request_id.clone(),
        RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
        _ => None,
    }
}

/// Reads `POST /api/login-with-otp/`.
///
/// # Errors
///
/// The request is malformed.
pub fn login(
    request: &Request,
    cookie: &RefreshCookie,
    ways: &Ways,
) -> Result<LoginRequest, Rejection> {
    let (destination, via, challenge_id, device_token, locale, app) =
        body::read(request, |members| {
            let destination = destination::read(members);
            let via = via(members, destination.as_ref(), ways);
            let challenge_id = members.optional("challenge_id", &CHALLENGE_ID);
            let device_token = members.optional("device_token", &DEVICE_TOKEN);
            let locale = members.optional("locale", &LOCALE);
            let app = members.optional("app", &APP);
            Some((destination?, via, challenge_id, device_token, locale, app))
        })?;
    Ok(LoginRequest {
        destination,
        via,
        purpose: Purpose::Login,
        client: client::of(request),
        challenge_id,
        device_tokens: device_token
            .map_or_else(|| cookie.device_tokens(request), |token| vec![token]),
        idempotency_key: idempotency_key(request)?,
        language: locale.unwrap_or_default().or_else(|| preferred(request)),
        app,
    })
}

/// The way that a client chooses, which must be one to its destination. Where there is none,
/// the destination itself is refused.
fn via(members: &mut Members, to: Option<&Destination>, ways: &Ways) -> Option<WayName> {
    let chosen = members.optional("via", &VIA)?;
    let kind = to?.kind();
    let known: Vec<_> = ways.names(kind).collect();
    if !known.is_empty() && !known.contains(&chosen.as_str()) {
        let known = known.join("` or `");
        members.note(format!("`via` must be `{known}` for this destination."));
    }
    let mut ways = ways.to(kind).iter().map(|way| &way.name);
    ways.find(|name| name.as_str() == chosen).cloned()
}

/// Reads `POST /api/me/destinations/` of this user.
///
/// # Errors
///
/// The request is malformed.
pub fn add_destination(request: &Request, user: &UserId) -> Result<LoginRequest, Rejection> {
    let (destination, challenge_id, locale) = body::read(request, |members| {
        let destination = destination::read(members);
        let challenge_id = members.optional("challenge_id", &CHALLENGE_ID);
        let locale = members.optional("locale", &LOCALE);
        Some((destination?, challenge_id, locale))
    })?;
    Ok(LoginRequest {
        destination,
        via: None,
        purpose: Purpose::Adding(user.clone()),
        client: client::of(request),
        challenge_id,
        device_tokens: Vec::new(),
        idempotency_key: None,
        language: locale.unwrap_or_default().or_else(|| preferred(request)),
        app: None,
    })
}

/// Reads `POST /api/me/destinations/verify/`.
///
/// # Errors
///
/// The request is malformed.
pub fn verify_destination(request: &Request) -> Result<ValidateRequest, Rejection> {
    body::read(request, |members| {
        let destination = destination::read(members);
        let otp = members.required("otp", &OTP);
        let challenge_id = members.required("challenge_id", &CHALLENGE_ID);
        Some(ValidateRequest {
            client: client::of(request),
            destination: destination?,
            challenge_id: Some(challenge_id?),
            otp: otp?,
            label: None,
            idempotency_key: None,
        })
    })
}

/// Reads `POST /api/me/destinations/remove/`.
///
/// # Errors
///
/// The request is malformed.
pub fn remove_destination(request: &Request) -> Result<Destination, Rejection> {
    body::read(request, destination::read)
}

/// Reads `POST /api/me/destinations/undo/`. `None` if the text is not the form of a token.
///
/// # Errors
///
/// The request is malformed.
pub fn undo_removal(request: &Request) -> Result<Option<UndoToken>, Rejection> {
    let token = body::read(request, |members| members.required("token", &UNDO_TOKEN))?;
    Ok(UndoToken::parse(token.expose_secret()))
}

/// The language that the headers of a request ask for.
#[must_use]
pub fn language(request: &Request) -> LanguageChoice {
    LanguageChoice::default().or_else(|| preferred(request))
}

/// What `Accept-Language` says. A browser sends the header by itself, so a malformed
/// one is no mistake of the client's.
fn preferred(request: &Request) -> LanguageChoice {
    let values = request.headers().get_all(ACCEPT_LANGUAGE).iter();
    LanguageChoice::by_preference(values.filter_map(|value| value.to_str().ok()))
}

fn idempotency_key(request: &Request) -> Result<Option<IdempotencyKey>, Rejection> {
    let Some(value) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().ok().and_then(IdempotencyKey::parse);
    key.map(Some)
        .ok_or(Rejection::InvalidRequest(Explanation::new(
            "`Idempotency-Key` must be 16 to 128 visible ASCII characters.",
        )))
}

/// Reads `POST /api/validate-otp/`.
///
/// # Errors
///
/// The request is malformed.
pub fn validate(
    request: &Request,
    cookie: &RefreshCookie,
) -> Result<(ValidateRequest, Carrier), Rejection> {
    let idempotency_key = idempotency_key(request)?;
    let (validate, asked) = body::read(request, |members| {
        let destination = destination::read(members);
        let otp = members.required("otp", &OTP);
        let challenge_id = members.optional("challenge_id", &CHALLENGE_ID);
        let label = members.optional("device", &DEVICE_LABEL);
        let asked = members.optional("cookie", &BOOLEAN).unwrap_or_default();
        if asked && !cookie.is_on() {
            members.note("`cookie` must be false: this service sets no refresh cookie.");
        }
        let validate = ValidateRequest {
            client: client::of(request),
            destination: destination?,
            challenge_id,
            otp: otp?,
            label,
            idempotency_key,
        };
        Some((validate, asked))
    })?;
    Ok((validate, cookie.asked(request, asked)?))
}

/// Reads `POST /api/token/refresh/`.
///
/// # Errors
///
/// The request is malformed.
pub fn refresh(
    request: &Request,
    cookie: &RefreshCookie,
) -> Result<(RefreshRequest, Carrier), Rejection> {
    let (member, session) = body::read(request, |members| {
        let token = refresh_token(members, cookie);
        Some((token, members.optional("session_id", &SESSION_ID)))
    })?;
    let (refresh_token, carrier) = cookie.presented(request, member)?;
    if is_of_another(refresh_token.as_ref(), session.as_deref()) {
        return Err(Rejection::SessionMismatch);
    }
    Ok((RefreshRequest { refresh_token }, carrier))
}

/// Whether a refresh token is of another session than the client means: a cookie may have
/// changed since the page that asks was loaded.
fn is_of_another(token: Option<&RefreshToken>, meant: Option<&str>) -> bool {
    token.is_some_and(|token| meant.is_some_and(|meant| token.session_id().as_str() != meant))
}

/// Reads `POST /api/logout/`, and whether the answer removes the cookie of known devices. A
/// logout that means another session than it shows ends none, and leaves every cookie.
///
/// # Errors
///
/// The request is malformed.
pub fn logout(
    request: &Request,
    cookie: &RefreshCookie,
) -> Result<(LogoutRequest, Carrier, bool), Rejection> {
    let (member, session, all, forget) = body::read(request, |members| {
        let refresh_token = refresh_token(members, cookie);
        let session = members.optional("session_id", &SESSION_ID);
        let all = members.optional("all", &BOOLEAN).unwrap_or_default();
        let forget = members.optional("forget", &BOOLEAN).unwrap_or_default();
        Some((refresh_token, session, all, forget))
    })?;
    let (refresh_token, carrier) = cookie.presented(request, member)?;
    if is_of_another(refresh_token.as_ref(), session.as_deref()) {
        let nothing = LogoutRequest {
            refresh_token: None,
            all: false,
        };
        return Ok((nothing, Carrier::Body, false));
    }
    let forgets = forget && cookie.is_on();
    Ok((LogoutRequest { refresh_token, all }, carrier, forgets))
}

/// The member `refresh_token`, which a client may leave out where a cookie may
/// have it instead.
fn refresh_token(members: &mut Members, cookie: &RefreshCookie) -> Option<SecretString> {
    if cookie.is_on() {
        members.optional("refresh_token", &REFRESH_TOKEN)
    } else {
        members.required("refresh_token", &REFRESH_TOKEN)
    }
}

/// Reads the session that `DELETE /api/me/sessions/{id}` names; `None` if nothing has such an
/// id.
#[must_use]
pub fn session(request: &Request) -> Option<SessionId> {
    SessionId::parse(route::parameter(request))
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

// What each member must be, in the words of a mistake's explanation.

const OTP: Shape<SecretString> = Shape::text("a string of digits", |text| {
    let is_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_digits.then(|| text.into())
});
const LOCALE: Shape<LanguageChoice> =
    Shape::text("a BCP 47 language tag such as de or pt-BR", |text| {
        LanguageChoice::by_locale(text).ok()
    });
/// A text that is no token of ours undoes nothing.
const UNDO_TOKEN: Shape<SecretString> = Shape::text("a string", |text| Some(text.into()));
/// Any other text counts as no device, so nobody learns what a token is.
const DEVICE_TOKEN: Shape<SecretString> = Shape::text("a string", |text| Some(text.into()));
const DEVICE_LABEL: Shape<DeviceLabel> = Shape::text(
    "a string of 1 to 64 characters, none of them a control character",
    DeviceLabel::parse,
);
const SESSION_ID: Shape<String> = Shape::text("the claim `sid` of an access token", |text| {
    Some(text.to_owned())
});
const VIA: Shape<String> = Shape::text("a string", |text| Some(text.to_owned()));
const APP: Shape<String> = Shape::text("a string", |text| Some(text.to_owned()));
const CHALLENGE_ID: Shape<ChallengeId> = Shape::text(
    "the `challenge_id` of a login: 22 letters, digits, `-` or `_`",
    ChallengeId::parse,
);
/// A text that is no token of ours is an invalid token, not an invalid request.
const REFRESH_TOKEN: Shape<SecretString> = Shape::text("a string", |text| Some(text.into()));

#[cfg(test)]
mod tests;
