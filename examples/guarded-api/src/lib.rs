//! `GET /hello` greets whoever a token of the login speaks for.
//!
//! The token is not checked here: API Gateway's JWT authorizer does that, and
//! lets nothing else through.

use lambda_http::{
    Body, Request, RequestExt, Response,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    },
    request::RequestContext,
};
use serde_json::{Value, json};

/// Answers one request that the authorizer let through.
///
/// A request without claims is answered with 500. The authorizer lets none
/// through, so a route was deployed without it. That is our fault and not the
/// client's, whom a 401 would send for one new token after another.
#[must_use]
pub fn handle(request: &Request) -> Response<Body> {
    subject(request).map_or_else(unguarded, |subject| {
        let message = format!("Hello, {subject}.");
        answer(StatusCode::OK, &json!({ "message": message }))
    })
}

/// The `sub` claim: the user's id, the same in every token of that user.
fn subject(request: &Request) -> Option<&str> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else {
        return None;
    };
    let claims = &context.authorizer.as_ref()?.jwt.as_ref()?.claims;
    claims.get("sub").map(String::as_str)
}

fn unguarded() -> Response<Body> {
    let message = "This route has no authorizer.";
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    answer(status, &json!({ "message": message }))
}

fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
