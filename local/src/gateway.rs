//! Replaces API Gateway in front of the functions: finds the route, and sends the
//! events of a REST API (payload 1.0).

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderValue, Uri,
        header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN, VARY},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use otp_edge::{
    event::request, failure::Failure, problem::Problem, rejection::Rejection, route::Route,
};
use serde_json::{Map, Value, json};

use crate::functions::Functions;

/// The largest body that Lambda accepts in an event, in bytes.
const MAX_EVENT_BODY: usize = 6 * 1024 * 1024;

/// The gateway in front of `functions`.
pub fn router(functions: Arc<Functions>) -> Router {
    Router::new().fallback(invoke).with_state(functions)
}

async fn invoke(
    State(functions): State<Arc<Functions>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    incoming: Request,
) -> Response {
    let (parts, body) = incoming.into_parts();
    let Some(route) = Route::at(parts.uri.path()) else {
        return problem(Rejection::NotFound, &parts.headers);
    };
    let body = match read(body).await {
        Ok(body) => body,
        Err(why) => return problem(Rejection::InvalidRequest(why.into()), &parts.headers),
    };
    match request(&event(&parts, &body, peer).to_string()) {
        Ok(request) => into_http(functions.handle(route, request).await),
        Err(rejection) => problem(rejection, &parts.headers),
    }
}

/// An answer of the gateway itself: the headers are those of `GatewayResponses` in the
/// template, so any page can read it.
fn problem(rejection: Rejection, asked: &HeaderMap) -> Response {
    let mut answer = into_http(Problem::of(&Failure::Rejected(rejection)).response());
    let headers = answer.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = asked.get(ORIGIN) {
        let yes = HeaderValue::from_static("true");
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
    answer
}

fn into_http(answer: lambda_http::Response<lambda_http::Body>) -> Response {
    answer
        .map(|body| Body::from(body.as_ref().to_vec()))
        .into_response()
}

/// Reads a body to its end, because its sender reads the answer only then. Keeps
/// no more than an event can carry.
async fn read(mut body: Body) -> Result<Vec<u8>, &'static str> {
    let mut kept = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| "The body is not whole.")?;
        let data = frame.into_data().unwrap_or_default();
        length += data.len();
        if length <= MAX_EVENT_BODY {
            kept.extend_from_slice(&data);
        }
    }
    if length <= MAX_EVENT_BODY {
        Ok(kept)
    } else {
        Err("The body must be no larger than 4 KB.")
    }
}

/// The event of a REST API for a request.
#[must_use]
pub fn event(parts: &Parts, body: &[u8], peer: SocketAddr) -> Value {
    let (text, is_base64) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(body), true),
    };
    let (headers, multi_value_headers) = headers(&parts.headers, peer);
    let path = parts.uri.path();
    let (query, multi_value_query) = query(&parts.uri);
    let method = parts.method.as_str();
    json!({
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": multi_value_headers,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": multi_value_query,
        "pathParameters": null,
        "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "httpMethod": method,
            "identity": {
                "sourceIp": peer.ip().to_string(),
                "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
            },
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": uuid::Uuid::new_v4().to_string(),
            "resourceId": "local",
            "resourcePath": path,
            "stage": "$default",
        },
        "body": (!body.is_empty()).then_some(text),
        "isBase64Encoded": is_base64,
    })
}

/// The last value of each header, and all values of each header.
fn headers(headers: &HeaderMap, peer: SocketAddr) -> (Map<String, Value>, Map<String, Value>) {
    let mut all = Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
        all.insert(name.to_string(), values.collect());
    }
    // Proxies append to this header: a client controls all but the last entry.
    let hops = headers.get_all("x-forwarded-for").iter();
    let hops = hops.map(|hops| String::from_utf8_lossy(hops.as_bytes()).into_owned());
    let hops: Vec<_> = hops.chain([peer.ip().to_string()]).collect();
    let own = [
        ("host", "localhost"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-for", &hops.join(", ")),
    ];
    for (name, value) in own {
        all.insert(name.to_owned(), json!([value]));
    }
    let last = all.iter().map(|(name, values)| {
        let last = values.as_array().and_then(|values| values.last());
        (name.clone(), json!(last))
    });
    (last.collect(), all)
}

fn query(uri: &Uri) -> (Value, Value) {
    let mut last = Map::new();
    let mut all = Map::new();
    for pair in uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
    {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        last.insert(name.to_owned(), json!(value));
        let values = all.entry(name.to_owned()).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(json!(value));
        }
    }
    let or_null = |map: Map<_, _>| {
        if map.is_empty() {
            Value::Null
        } else {
            Value::Object(map)
        }
    };
    (or_null(last), or_null(all))
}
