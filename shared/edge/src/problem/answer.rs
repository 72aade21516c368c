//! The forms of a problem: problem details, and errors for OAuth clients.

use lambda_http::{
    Body, Response,
    http::header::{HeaderValue, RETRY_AFTER},
};
use otp_domain::LimitKind;
use serde::Serialize;

use super::Problem;
use crate::{response, route::ErrorFormat};

#[derive(Serialize)]
struct ProblemBody<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<u64>,
}

/// RFC 6749 section 5.2.
#[derive(Serialize)]
struct OAuthBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

impl Problem {
    /// The problem as an answer of this form.
    #[must_use]
    pub fn response_as(&self, format: ErrorFormat) -> Response<Body> {
        match format {
            ErrorFormat::Problem => self.response(),
            ErrorFormat::OAuth => {
                let body = OAuthBody {
                    error: self.oauth_error,
                    error_description: &self.detail,
                };
                self.with_headers(response::json(self.status, "application/json", &body))
            }
        }
    }

    /// The problem as an answer.
    #[must_use]
    pub fn response(&self) -> Response<Body> {
        let body = ProblemBody {
            r#type: format!("/problems/{}", self.name),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            error: &self.detail,
            limit: self.limit.map(LimitKind::as_str),
            retry_after: self.retry_after,
            max_age: self.max_age,
        };
        self.with_headers(response::json(
            self.status,
            "application/problem+json",
            &body,
        ))
    }

    fn with_headers(&self, mut response: Response<Body>) -> Response<Body> {
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if let Some((name, value)) = &self.header
            && let Ok(value) = HeaderValue::from_str(value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
