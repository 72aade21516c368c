//! From a gateway's event to a request, and from an answer to what a gateway
//! takes: for any JSON at all, without a panic.
//!
//! `lambda_http` would read events too, but it builds a URL from their headers
//! and their path, and it panics where that is none, and at a body that is not
//! the base64 it should be. Here only those fields are read that somebody asks
//! for; the request has no URL, its path is
//! [`raw_http_path`](lambda_http::RequestExt::raw_http_path).

use std::{collections::BTreeMap, convert::Infallible};

use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::{
    Body, Error, LambdaEvent, Request, RequestExt, Response,
    aws_lambda_events::apigw::{ApiGatewayProxyRequestContext, ApiGatewayV2httpRequestContext},
    http::{HeaderMap, HeaderName, HeaderValue, Method},
    lambda_runtime,
    request::RequestContext,
    service_fn,
};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{
    problem::{Failure, Problem},
    proxy::{Payload, ProxyResponse},
    request::Rejection,
    route::Route,
};
use crate::telemetry::RequestLog;

/// Answers the function's events until the runtime ends it; `route` is what they
/// are for, where they do not say.
///
/// # Errors
///
/// The runtime's own interface cannot be reached.
pub async fn run<H>(route: Route, handle: H) -> Result<(), Error>
where
    H: AsyncFn(Request) -> Result<Response<Body>, Infallible>,
{
    let (route, handle) = (&route, &handle);
    lambda_runtime::run(service_fn(
        async move |event: LambdaEvent<Event>| -> Result<_, Infallible> {
            Ok(answer(*route, event.payload, handle).await)
        },
    ))
    .await
}

/// Answers one event, in the form that its gateway takes.
pub async fn answer<H>(route: Route, event: Event, handle: &H) -> ProxyResponse
where
    H: AsyncFn(Request) -> Result<Response<Body>, Infallible>,
{
    let payload = event.payload;
    let answer = match event.request {
        Some(request) => {
            let Ok(answer) = handle(request).await;
            answer
        }
        None => refuse(route),
    };
    payload.response(answer)
}

fn refuse(route: Route) -> Response<Body> {
    let failure = Failure::Rejected(NOT_UNDERSTOOD);
    RequestLog::start(route, &Request::default()).failure(&failure);
    Problem::of(&failure).response()
}

const NOT_UNDERSTOOD: Rejection = Rejection::InvalidRequest("The request cannot be understood.");

/// What a function is invoked with: any JSON.
pub struct Event {
    payload: Payload,
    request: Option<Request>,
}

/// Reads the request that an event stands for.
///
/// # Errors
///
/// It stands for none.
pub fn request(event: &str) -> Result<Request, Rejection> {
    let event = serde_json::from_str::<Event>(event).ok();
    event.and_then(|event| event.request).ok_or(NOT_UNDERSTOOD)
}

impl<'de> Deserialize<'de> for Event {
    /// Fails only at what is no JSON.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let request = serde_json::from_str(text).ok().and_then(Fields::request);
        let payload = match request.as_ref().and_then(Request::request_context_ref) {
            Some(RequestContext::ApiGatewayV2(_)) => Payload::V2,
            Some(_) => Payload::V1,
            None => Payload::guess(text),
        };
        Ok(Self { payload, request })
    }
}

/// The fields of payload 1.0 (REST APIs) and 2.0 (HTTP APIs, function URLs)
/// that make a request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    http_method: Option<String>,
    path: Option<String>,
    raw_path: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    request_context: Context,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    request_id: Option<String>,
    identity: Option<Identity>,
    http: Option<Http>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    source_ip: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    source_ip: Option<String>,
}

impl Fields {
    fn request(self) -> Option<Request> {
        let context = self.request_context;
        let (method, path, context) = match (self.http_method, context.http) {
            (Some(method), _) => {
                let mut known = ApiGatewayProxyRequestContext::default();
                known.request_id = context.request_id;
                known.identity.source_ip = context.identity.and_then(|who| who.source_ip);
                (method, self.path, RequestContext::ApiGatewayV1(known))
            }
            (None, Some(http)) => {
                let mut known = ApiGatewayV2httpRequestContext::default();
                known.request_id = context.request_id;
                known.http.source_ip = http.source_ip;
                (
                    http.method,
                    self.raw_path,
                    RequestContext::ApiGatewayV2(known),
                )
            }
            (None, None) => return None,
        };
        let mut request = Request::new(body(self.body, self.is_base64_encoded)?);
        *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
        *request.headers_mut() = headers(self.multi_value_headers, self.headers)?;
        Some(
            request
                .with_raw_http_path(path.unwrap_or_default())
                .with_request_context(context),
        )
    }
}

fn body(text: Option<String>, is_base64: Option<bool>) -> Option<Body> {
    match text {
        None => Some(Body::Empty),
        Some(text) if is_base64 == Some(true) => STANDARD.decode(text).ok().map(Body::Binary),
        Some(text) => Some(Body::Text(text)),
    }
}

/// `all` has every value of a header, where a gateway tells more than one.
/// Bytes beyond ASCII pass (RFC 9110 section 5.5); control characters do not.
fn headers(
    all: Option<BTreeMap<String, Vec<String>>>,
    one: Option<BTreeMap<String, String>>,
) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, values) in all.unwrap_or_default() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        for value in values {
            headers
                .try_append(&name, HeaderValue::try_from(value.into_bytes()).ok()?)
                .ok()?;
        }
    }
    for (name, value) in one.unwrap_or_default() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        if !headers.contains_key(&name) {
            let value = HeaderValue::try_from(value.into_bytes()).ok()?;
            headers.try_insert(name, value).ok()?;
        }
    }
    Some(headers)
}
