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

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_event_that_is_no_request_is_guessed_by_the_marks_of_payload_2() {
        for (event, expected) in [
            (r#"{"version":"2.0"}"#, Payload::V2),
            (r#"{"rawPath":null,"version":"2.0"}"#, Payload::V2),
            (r#"{"rawPath":"/x"}"#, Payload::V2),
            (r#"{"rawPath":7}"#, Payload::V2),
            (r#"{"version":"1.0"}"#, Payload::V1),
            (r#"{"version":2.0}"#, Payload::V1),
            (r#"{"path":"/x"}"#, Payload::V1),
            ("{}", Payload::V1),
            ("[]", Payload::V1),
            ("", Payload::V1),
        ] {
            assert_eq!(Payload::guess(event), expected, "{event}");
        }
    }

    fn told(payload: Payload, body: Body, cookies: &[&'static str]) -> Value {
        let mut answer = Response::new(body);
        for cookie in cookies {
            let cookie = HeaderValue::from_static(cookie);
            answer.headers_mut().append(SET_COOKIE, cookie);
        }
        answer
            .headers_mut()
            .insert("x", HeaderValue::from_static("y"));
        serde_json::to_value(payload.response(answer)).unwrap()
    }

    #[test]
    fn payload_2_has_its_cookies_beside_the_headers() {
        let first = told(Payload::V1, Body::Empty, &["a=1", "b=2"]);
        assert_eq!(
            first["multiValueHeaders"]["set-cookie"],
            json!(["a=1", "b=2"])
        );
        assert_eq!(first["multiValueHeaders"]["x"], json!(["y"]));
        let second = told(Payload::V2, Body::Empty, &["a=1", "b=2"]);
        assert_eq!(second["cookies"], json!(["a=1", "b=2"]));
        assert_eq!(second["headers"], json!({"x": "y"}));
    }

    #[test]
    fn a_body_is_text_or_base64_or_nothing() {
        for payload in [Payload::V1, Payload::V2] {
            let text = told(payload, Body::Text("é".to_owned()), &[]);
            assert_eq!(
                (&text["body"], &text["isBase64Encoded"]),
                (&json!("é"), &json!(false))
            );
            let bytes = told(payload, Body::Binary(vec![0xff]), &[]);
            assert_eq!(
                (&bytes["body"], &bytes["isBase64Encoded"]),
                (&json!("/w=="), &json!(true))
            );
            assert_eq!(told(payload, Body::Empty, &[])["body"], Value::Null);
            assert_eq!(text["statusCode"], 200);
        }
    }
}
