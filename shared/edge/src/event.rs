//! Reads an event: a gateway's request, or what providers report. No JSON makes it panic.
//!
//! `lambda_http` has its own reader, which builds a URL from the headers and the
//! path, and panics on an invalid URL and on invalid base64. This reader takes
//! only the fields that the API needs. The request has no URL; its path within this
//! API is [`raw_http_path`](lambda_http::RequestExt::raw_http_path).

mod path;

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::{
    Body, Request, RequestExt,
    aws_lambda_events::apigw::{ApiGatewayProxyRequestContext, ApiGatewayV2httpRequestContext},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header::COOKIE},
    request::RequestContext,
};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use self::path::Place;
use crate::{
    mistakes::Explanation,
    payload::Payload,
    rejection::Rejection,
    report::{self, Reports},
};

const NOT_UNDERSTOOD: Rejection =
    Rejection::InvalidRequest(Explanation::new("The request cannot be understood."));

/// An event that invokes a function: any JSON.
pub enum Event {
    /// A request, or what is taken for one.
    Request(Box<Asked>),
    /// Reports of providers. Nobody waits for an answer.
    Reports(Reports),
}

/// A request in the form of its gateway.
pub struct Asked {
    pub(crate) payload: Payload,
    pub(crate) request: Result<Request, Rejection>,
}

/// Reads the request of an event.
///
/// # Errors
///
/// The event is not an HTTP request.
pub fn request(event: &str) -> Result<Request, Rejection> {
    match serde_json::from_str(event) {
        Ok(Event::Request(asked)) => asked.request,
        Ok(Event::Reports(_)) | Err(_) => Err(NOT_UNDERSTOOD),
    }
}

impl<'de> Deserialize<'de> for Event {
    /// Fails only if the text is not JSON.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        if let Some(reports) = report::reports(text) {
            return Ok(Self::Reports(reports));
        }
        let request = serde_json::from_str(text).ok().and_then(Fields::request);
        let payload = match request.as_ref().and_then(Request::request_context_ref) {
            Some(RequestContext::ApiGatewayV2(_)) => Payload::V2,
            Some(_) => Payload::V1,
            None => Payload::guess(text),
        };
        let request = request.ok_or(NOT_UNDERSTOOD);
        Ok(Self::Request(Box::new(Asked { payload, request })))
    }
}

/// The fields that the API needs, of payload 1.0 (REST APIs) and 2.0 (HTTP APIs
/// and function URLs).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    http_method: Option<String>,
    #[serde(default)]
    resource: Text,
    path: Option<String>,
    #[serde(default)]
    route_key: Text,
    raw_path: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    cookies: Option<Vec<String>>,
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
    #[serde(default)]
    path: Text,
    #[serde(default)]
    stage: Text,
    #[serde(default)]
    domain_name: Text,
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
    #[serde(default)]
    path: Text,
    source_ip: Option<String>,
}

/// A text, or anything else, which says nothing.
#[derive(Default)]
struct Text(Option<String>);

impl Text {
    fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        Ok(Self(serde_json::from_str(text).ok()))
    }
}

impl Fields {
    /// The path within this API.
    fn path(&self) -> String {
        let context = &self.request_context;
        let (path, resource, context_path) = match &context.http {
            Some(http) => {
                // Such as `POST /api/logout`.
                let resource = self.route_key.get().and_then(|key| key.split_once(' '));
                (&self.raw_path, resource.map(|(_, path)| path), &http.path)
            }
            None => (&self.path, self.resource.get(), &context.path),
        };
        let place = Place {
            path: path.as_deref().unwrap_or_default(),
            context_path: context_path.get(),
            resource,
            stage: context.stage.get(),
            domain: context.domain_name.get(),
        };
        place.within_api().to_owned()
    }

    fn request(self) -> Option<Request> {
        let path = self.path();
        let context = self.request_context;
        // Some emulators of 2.0 also send `httpMethod`.
        let (method, context) = match (self.http_method, context.http) {
            (_, Some(http)) => {
                let mut known = ApiGatewayV2httpRequestContext::default();
                known.request_id = context.request_id;
                known.http.source_ip = http.source_ip;
                known.domain_name = context.domain_name.0;
                (http.method, RequestContext::ApiGatewayV2(known))
            }
            (Some(method), None) => {
                let mut known = ApiGatewayProxyRequestContext::default();
                known.request_id = context.request_id;
                known.identity.source_ip = context.identity.and_then(|who| who.source_ip);
                (method, RequestContext::ApiGatewayV1(known))
            }
            (None, None) => return None,
        };
        let mut request = Request::new(body(self.body, self.is_base64_encoded)?);
        *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
        let mut headers = headers(self.multi_value_headers, self.headers)?;
        if !headers.contains_key(COOKIE) {
            // Payload 2.0 has no header for them.
            for cookie in self.cookies.unwrap_or_default() {
                headers
                    .try_append(COOKIE, HeaderValue::try_from(cookie.into_bytes()).ok()?)
                    .ok()?;
            }
        }
        *request.headers_mut() = headers;
        Some(
            request
                .with_raw_http_path(path)
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

/// `all` has every value of each header, and `one` has one value. Not every gateway
/// sends both. Bytes beyond ASCII are valid (RFC 9110 section 5.5); control
/// characters are not.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of_rest_api(more: &str) -> Option<Request> {
        let context = r#""requestContext":{"requestId":"r","identity":{"sourceIp":"203.0.113.7"}}"#;
        request(&format!(
            r#"{{"httpMethod":"POST","path":"/api/me",{context}{more}}}"#
        ))
        .ok()
    }

    fn of_http_api(more: &str) -> Option<Request> {
        let http = r#"{"method":"GET","sourceIp":"203.0.113.7"}"#;
        let context = format!(r#""requestContext":{{"requestId":"r","http":{http}}}"#);
        request(&format!(r#"{{"rawPath":"/api/me",{context}{more}}}"#)).ok()
    }

    fn values<'a>(request: &'a Request, name: &str) -> Vec<&'a [u8]> {
        let values = request.headers().get_all(name).iter();
        values.map(HeaderValue::as_bytes).collect()
    }

    #[test]
    fn both_payloads_tell_the_method_the_path_and_the_client() {
        for (request, method) in [(of_rest_api(""), "POST"), (of_http_api(""), "GET")] {
            let request = request.unwrap();
            assert_eq!(
                (request.method().as_str(), request.raw_http_path()),
                (method, "/api/me")
            );
            let (id, source_ip) = match request.request_context_ref().unwrap() {
                RequestContext::ApiGatewayV1(it) => (&it.request_id, &it.identity.source_ip),
                RequestContext::ApiGatewayV2(it) => (&it.request_id, &it.http.source_ip),
                other => panic!("{other:?}"),
            };
            assert_eq!(id.as_deref(), Some("r"));
            assert_eq!(source_ip.as_deref(), Some("203.0.113.7"));
        }
    }

    #[test]
    fn a_body_is_text_or_base64_and_never_a_guess() {
        let body = |more: &str| of_rest_api(more).map(|request| request.body().to_vec());
        assert_eq!(body(""), Some(vec![]));
        assert_eq!(body(r#","body":"aGk=""#), Some(b"aGk=".to_vec()));
        assert_eq!(
            body(r#","body":"aGk=","isBase64Encoded":false"#),
            Some(b"aGk=".to_vec())
        );
        assert_eq!(
            body(r#","body":"aGk=","isBase64Encoded":true"#),
            Some(b"hi".to_vec())
        );
        assert_eq!(body(r#","body":"?","isBase64Encoded":true"#), None);
    }

    #[test]
    fn a_header_has_all_its_values_and_one_that_only_the_short_map_has_counts_too() {
        let more = r#","multiValueHeaders":{"X-A":["1","2"]},"headers":{"x-a":"3","x-b":"é"}"#;
        let request = of_rest_api(more).unwrap();
        assert_eq!(values(&request, "x-a"), [b"1", b"2"]);
        assert_eq!(values(&request, "x-b"), ["é".as_bytes()]);
        for broken in [
            r#","headers":{"x a":"1"}"#,
            r#","headers":{"x-a":"1\n"}"#,
            r#","multiValueHeaders":{"x a":["1"]}"#,
            r#","multiValueHeaders":{"x-a":["1\n"]}"#,
        ] {
            assert!(of_rest_api(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn cookies_beside_the_headers_count_unless_there_is_a_header() {
        let cookies = |more: &str| {
            let request = of_http_api(more)?;
            let values = values(&request, "cookie").into_iter();
            Some(values.map(<[u8]>::to_vec).collect::<Vec<_>>())
        };
        let both = r#","cookies":["a=1","b=2"]"#;
        assert_eq!(cookies(both), Some(vec![b"a=1".to_vec(), b"b=2".to_vec()]));
        let header = format!(r#"{both},"headers":{{"Cookie":"c=3"}}"#);
        assert_eq!(cookies(&header), Some(vec![b"c=3".to_vec()]));
        assert_eq!(cookies(r#","cookies":["a=\n"]"#), None);
    }

    #[test]
    fn the_answer_to_an_event_that_is_no_request_has_its_payload_all_the_same() {
        let payload = |event: &str| match serde_json::from_str(event).ok()? {
            Event::Request(asked) => Some(asked.payload),
            Event::Reports(_) => None,
        };
        assert_eq!(payload(r#"{"version":"2.0"}"#), Some(Payload::V2));
        assert_eq!(payload("[]"), Some(Payload::V1));
        assert_eq!(payload("{"), None);
        let v2 = r#"{"requestContext":{"http":{"method":"GET"}}}"#;
        assert_eq!(payload(v2), Some(Payload::V2));
        let v1 = r#"{"version":"2.0","httpMethod":"GET","requestContext":{}}"#;
        assert_eq!(payload(v1), Some(Payload::V1));
        for event in ["{", "[]", r#"{"requestContext":{}}"#] {
            assert_eq!(request(event).err(), Some(NOT_UNDERSTOOD), "{event}");
        }
    }
}
