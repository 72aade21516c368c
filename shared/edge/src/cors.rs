//! CORS (the Fetch standard): which web pages may call this API from a browser.
//! Credentials are allowed only if the refresh token may be in a cookie.

use lambda_http::{
    Body, Request, Response,
    http::{
        HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
            ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
            CACHE_CONTROL, ORIGIN, VARY,
        },
    },
};

/// The origins whose pages may read the answers. By default, there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins {
    origins: Vec<HeaderValue>,
    credentials: bool,
}

impl AllowedOrigins {
    /// Reads a comma-separated list of origins such as
    /// `https://www.example.com,http://localhost:5173`. `None` if an entry is not
    /// an origin as browsers write it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.split(',')
            .map(str::trim)
            .map(origin)
            .collect::<Option<_>>()
            .map(|origins| Self {
                origins,
                credentials: false,
            })
    }

    /// The same origins, whose pages may also send and receive cookies.
    #[must_use]
    pub(crate) fn with_credentials(self) -> Self {
        Self {
            credentials: true,
            ..self
        }
    }

    /// Whether there is no origin.
    pub(crate) const fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// Whether the request comes from a page that may send and receive cookies.
    /// Browsers send `Origin` with every `POST`, and no script can change it.
    pub(crate) fn admit_cookies(&self, request: &Request) -> bool {
        let origin = request.headers().get(ORIGIN);
        self.credentials && origin.is_some_and(|origin| self.origins.contains(origin))
    }

    /// The CORS policy for this request.
    #[must_use]
    pub fn policy(&self, request: &Request) -> CorsPolicy {
        let origin = request.headers().get(ORIGIN);
        let allowed = origin
            .filter(|origin| self.origins.contains(origin))
            .cloned();
        let is_preflight = request.method() == Method::OPTIONS
            && request
                .headers()
                .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        CorsPolicy {
            allowed,
            credentials: self.admit_cookies(request),
            is_preflight,
        }
    }
}

/// `scheme://host` or `scheme://host:port` in lower case, without a path.
fn origin(text: &str) -> Option<HeaderValue> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    let host_like = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:".contains(c);
    let well_formed = !host.is_empty() && host.chars().all(host_like);
    well_formed
        .then(|| HeaderValue::from_str(text).ok())
        .flatten()
}

/// The CORS headers of one answer.
pub struct CorsPolicy {
    allowed: Option<HeaderValue>,
    credentials: bool,
    is_preflight: bool,
}

impl CorsPolicy {
    /// The answer to a preflight request from an allowed origin; `None` for any
    /// other request.
    #[must_use]
    pub fn preflight(&self) -> Option<Response<Body>> {
        if !self.is_preflight || self.allowed.is_none() {
            return None;
        }
        let mut answer = Response::new(Body::Empty);
        *answer.status_mut() = StatusCode::NO_CONTENT;
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
            (
                ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, content-type, idempotency-key",
            ),
            (ACCESS_CONTROL_MAX_AGE, "7200"),
            (CACHE_CONTROL, "no-store"),
        ] {
            answer
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        Some(self.apply(answer))
    }

    /// Adds the headers that let the page read the answer.
    #[must_use]
    pub fn apply(&self, mut answer: Response<Body>) -> Response<Body> {
        if let Some(origin) = &self.allowed {
            let headers = answer.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            if self.credentials {
                let allowed = HeaderValue::from_static("true");
                headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, allowed);
            }
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                // A REST API renames `www-authenticate` to the last name.
                HeaderValue::from_static(
                    "retry-after, www-authenticate, x-amzn-remapped-www-authenticate",
                ),
            );
            headers.insert(VARY, HeaderValue::from_static("origin"));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_a_browser_writes_is_an_origin() {
        assert!(AllowedOrigins::parse("https://www.example.com, http://localhost:5173").is_some());
        for text in [
            "",
            "*",
            "null",
            "www.example.com",
            "https://",
            "https://www.example.com/",
            "https://WWW.example.com",
            "https://a.example.com,",
            "ftp://example.com",
            "https://exa mple.com",
        ] {
            assert_eq!(AllowedOrigins::parse(text), None, "accepted {text:?}");
        }
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn a_list_that_is_accepted_allows_its_entries_and_is_plain_ascii(
            text in fuzz::text(&[
                "https://www.example.com,http://localhost:5173",
                "https://[::1]",
                "null",
            ]),
        ) {
            if let Some(AllowedOrigins { origins: kept, .. }) = AllowedOrigins::parse(&text) {
                let entries: Vec<_> = text.split(',').map(|entry| entry.trim().as_bytes()).collect();
                prop_assert_eq!(kept.iter().map(HeaderValue::as_bytes).collect::<Vec<_>>(), entries);
                prop_assert!(kept.iter().all(|origin| origin.to_str().is_ok()));
            }
        }
    }
}
