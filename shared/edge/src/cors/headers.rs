//! The request headers that pages may send.

use lambda_http::http::{HeaderName, HeaderValue};

/// The headers that this API reads.
const OWN: &str = "authorization, content-type, idempotency-key";

/// What a preflight's answer lists: the headers that this API reads, and more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHeaders(HeaderValue);

impl Default for AllowedHeaders {
    fn default() -> Self {
        Self(HeaderValue::from_static(OWN))
    }
}

impl AllowedHeaders {
    /// Reads a comma-separated list such as `baggage,sentry-trace`; `None` if one is no
    /// header's name. `*` is none: with credentials, browsers take it for a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = OWN.to_owned();
        for name in text.split(',').map(str::trim) {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            if name.as_str().contains('*') {
                return None;
            }
            all = format!("{all}, {name}");
        }
        HeaderValue::from_str(&all).ok().map(Self)
    }

    pub(super) fn value(&self) -> HeaderValue {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_headers_stand_behind_those_of_the_api_in_lower_case() {
        for (text, more) in [("baggage", "baggage"), (" X-A , b", "x-a, b")] {
            let headers = AllowedHeaders::parse(text).unwrap();
            assert_eq!(headers.value(), format!("{OWN}, {more}"));
        }
        for text in ["", ",", "a,", "a b", "*", "a,*", "x-*", "a:b", "ä", "a\nb"] {
            assert_eq!(AllowedHeaders::parse(text), None, "{text:?}");
        }
    }
}
