//! `GET /hello` greets the user of the access token. `DELETE /account` asks for a
//! login of the last five minutes (RFC 9470).
//!
//! The function does not check the token. API Gateway's JWT authorizer does, and
//! refuses every request without a valid one.

use std::collections::HashMap;

use lambda_http::{
    Body, Request, RequestExt, Response,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE},
    },
    request::RequestContext,
};
use serde_json::{Value, json};

/// How long ago the user may have entered the code, in seconds. The next constant
/// repeats it.
const MAX_AGE: u64 = 300;

/// RFC 9470 section 3.
const STEP_UP: &str = "Bearer error=\"insufficient_user_authentication\", \
     error_description=\"A more recent login is required\", max_age=\"300\"";

/// Answers one request that the authorizer accepted.
///
/// The answer to a request without claims is 500: the route was deployed without
/// the authorizer. A 401 would make the client request new tokens again and again.
#[must_use]
pub fn handle(request: &Request) -> Response<Body> {
    let Some(token) = Token::of(request) else {
        let message = "This route has no authorizer.";
        return answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({ "message": message }),
        );
    };
    let subject = token.subject;
    if request.method() != Method::DELETE {
        let message = format!("Hello, {subject}.");
        return answer(StatusCode::OK, &json!({ "message": message }));
    }
    if token.login_age.is_none_or(|age| age > MAX_AGE) {
        return step_up();
    }
    let message = format!("Goodbye, {subject}.");
    answer(StatusCode::OK, &json!({ "message": message }))
}

/// What the authorizer found in the token.
struct Token<'a> {
    /// The `sub` claim: the user's id, the same in every token of that user.
    subject: &'a str,
    /// The seconds since the user entered the code. A refresh does not change
    /// `auth_time`, so a new token alone is not a new login.
    login_age: Option<u64>,
}

impl<'a> Token<'a> {
    fn of(request: &'a Request) -> Option<Self> {
        let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else {
            return None;
        };
        let claims: &HashMap<String, String> = &context.authorizer.as_ref()?.jwt.as_ref()?.claims;
        // The gateway's clock. An event without its time has no age of a login.
        let now = u64::try_from(context.time_epoch / 1000).ok();
        let now = now.filter(|now| *now > 0);
        let login = claims.get("auth_time").and_then(|at| at.parse().ok());
        Some(Self {
            subject: claims.get("sub")?,
            login_age: now
                .zip(login)
                .map(|(now, at): (u64, u64)| now.saturating_sub(at)),
        })
    }
}

fn step_up() -> Response<Body> {
    let message = "This takes a login of the last 5 minutes.";
    let mut response = answer(StatusCode::UNAUTHORIZED, &json!({ "message": message }));
    let challenge = HeaderValue::from_static(STEP_UP);
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
