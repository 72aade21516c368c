//! `GET /hello` greets the user of the access token.
//!
//! The function does not check the token. API Gateway's JWT authorizer does, and
//! refuses every request without a valid one.

use lambda_http::{
    Body, Request, RequestExt, Response,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    },
    request::RequestContext,
};
use serde_json::{Value, json};

/// Answers one request that the authorizer accepted.
///
/// The answer to a request without claims is 500: the route was deployed without
/// the authorizer. A 401 would make the client request new tokens again and again.
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
