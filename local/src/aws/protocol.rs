//! The form of answers and errors in each protocol.

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use otp_domain::UnixTime;
use serde_json::json;
use time::{
    OffsetDateTime,
    format_description::well_known::{
        Iso8601,
        iso8601::{Config, TimePrecision},
    },
};

const MILLISECONDS: u128 = Config::DEFAULT
    .set_time_precision(TimePrecision::Second {
        decimal_digits: std::num::NonZeroU8::new(3),
    })
    .encode();

/// A time as the services write it: RFC 3339, UTC, with milliseconds.
pub(super) fn time(at: UnixTime) -> String {
    let nanos = i128::from(at.as_millis()) * 1_000_000;
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanos);
    let written = time
        .ok()
        .and_then(|time| time.format(&Iso8601::<MILLISECONDS>).ok());
    written.unwrap_or_default()
}

/// An error of AWS, before a protocol formats it.
#[derive(Debug)]
pub(super) struct AwsError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl AwsError {
    /// An error that the caller caused.
    pub(super) fn client(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            message: message.into(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// awsJson 1.1: the body has the error's code.
    Json,
    /// REST JSON: a header has the error's code.
    RestJson,
    /// awsQuery: forms in, XML out.
    Query,
}

impl Protocol {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
            Self::RestJson => "application/json",
            Self::Query => "text/xml",
        }
    }

    pub(super) fn success(self, answer: String, request_id: &str) -> Response {
        let body = match self {
            Self::Json | Self::RestJson => answer,
            Self::Query => sns_response(&answer, request_id),
        };
        ([(CONTENT_TYPE, self.media_type())], body).into_response()
    }

    pub(super) fn failure(self, error: &AwsError, request_id: &str) -> Response {
        let AwsError {
            status,
            code,
            message,
        } = error;
        let media_type = [(CONTENT_TYPE, self.media_type())];
        match self {
            Self::Json => {
                let body = json!({ "__type": code, "message": message });
                (*status, media_type, body.to_string()).into_response()
            }
            Self::RestJson => {
                let body = json!({ "message": message });
                let error_type = [("x-amzn-errortype", *code)];
                (*status, media_type, error_type, body.to_string()).into_response()
            }
            Self::Query => {
                let body = sns_error(code, message, request_id);
                (*status, media_type, body).into_response()
            }
        }
    }
}

const SNS_NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// `result` is an element such as `<PublishResult>`.
fn sns_response(result: &str, request_id: &str) -> String {
    let action = result
        .split_once("Result>")
        .map_or("", |(start, _)| &start[1..]);
    format!(
        "<{action}Response xmlns=\"{SNS_NAMESPACE}\">{result}<ResponseMetadata>\
         <RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    )
}

fn sns_error(code: &str, message: &str, request_id: &str) -> String {
    let message = escape_xml(message);
    format!(
        "<ErrorResponse xmlns=\"{SNS_NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
}

/// Escapes text for an XML element, and replaces control characters, which XML 1.0 forbids.
fn escape_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_break_out_of_its_element() {
        assert_eq!(escape_xml("a<b>&\u{1}\"c\""), "a&lt;b&gt;&amp; \"c\"");
    }
}
