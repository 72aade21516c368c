//! Answers in the payload format of the gateway.

use lambda_http::{
    Body, Response,
    aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayV2httpResponse},
    http::{
        HeaderMap,
        header::{Entry, SET_COOKIE},
    },
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;

/// The payload format of an event and of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// Payload 1.0: REST APIs.
    V1,
    /// Payload 2.0: HTTP APIs and function URLs.
    V2,
}

/// An answer, ready to be serialised.
#[derive(Serialize)]
#[serde(untagged)]
pub enum ProxyResponse {
    /// For payload 1.0.
    V1(ApiGatewayProxyResponse),
    /// For payload 2.0.
    V2(ApiGatewayV2httpResponse),
}

/// The fields that identify a 2.0 event, even if the rest is malformed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marks<'a> {
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    raw_path: Option<IgnoredAny>,
}

impl Payload {
    /// The payload format of an event that is not a request; 1.0 if unknown.
    pub(crate) fn guess(event: &str) -> Self {
        match serde_json::from_str::<Marks>(event) {
            Ok(marks)
                if marks.raw_path.is_some()
                    || marks.version.is_some_and(|v| v.get() == "\"2.0\"") =>
            {
                Self::V2
            }
            _ => Self::V1,
        }
    }

    pub(crate) fn response(self, answer: Response<Body>) -> ProxyResponse {
        let (mut head, body) = answer.into_parts();
        let status_code = i64::from(head.status.as_u16());
        let is_base64_encoded = matches!(body, Body::Binary(_));
        let body = (!matches!(body, Body::Empty)).then_some(body);
        match self {
            Self::V1 => {
                let mut response = ApiGatewayProxyResponse::default();
                response.status_code = status_code;
                response.multi_value_headers = head.headers;
                response.body = body;
                response.is_base64_encoded = is_base64_encoded;
                ProxyResponse::V1(response)
            }
            Self::V2 => {
                let mut response = ApiGatewayV2httpResponse::default();
                response.status_code = status_code;
                response.cookies = take_cookies(&mut head.headers);
                response.headers = head.headers;
                response.body = body;
                response.is_base64_encoded = is_base64_encoded;
                ProxyResponse::V2(response)
            }
        }
    }
}

/// Payload 2.0 has a member of its own for cookies.
fn take_cookies(headers: &mut HeaderMap) -> Vec<String> {
    let Entry::Occupied(cookies) = headers.entry(SET_COOKIE) else {
        return Vec::new();
    };
    let cookies = cookies.remove_entry_mult().1;
    cookies
        .filter_map(|cookie| cookie.to_str().map(str::to_owned).ok())
        .collect()
}
