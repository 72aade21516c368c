//! CORS (the Fetch standard): which web pages may call this API from a browser.
//! Credentials are allowed only if the refresh token may be in a cookie.

mod headers;
mod origin;

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

use otp_settings::table;

use crate::route::Route;

pub use self::{
    headers::AllowedHeaders,
    origin::{MalformedOrigin, OriginPattern},
};

/// The setting that names the allowed origins, for the log.
pub const SETTING: &str = table::ALLOWED_ORIGINS.name;

/// The bytes of a refused origin that the log keeps. A host name has 253 at most.
const LONGEST_IN_THE_LOG: usize = 300;

/// The origins whose pages may read the answers. By default, there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins {
    origins: Vec<OriginPattern>,
    headers: AllowedHeaders,
    credentials: bool,
}

impl AllowedOrigins {
    /// Reads a comma-separated list of origins such as
    /// `https://www.example.com,https://*.preview.example.com`.
    ///
    /// # Errors
    ///
    /// The first entry that is not an [`OriginPattern`].
    pub fn parse(text: &str) -> Result<Self, MalformedOrigin> {
        text.split(',')
            .map(str::trim)
            .map(OriginPattern::parse)
            .collect::<Result<_, _>>()
            .map(|origins| Self {
                origins,
                ..Self::default()
            })
    }

    /// The same origins, whose pages may send these headers.
    #[must_use]
    pub fn with_headers(self, headers: AllowedHeaders) -> Self {
        Self { headers, ..self }
    }

    /// The same origins, whose pages may also send and receive cookies.
    #[must_use]
    pub(crate) fn with_credentials(self) -> Self {
        Self {
            credentials: true,
            ..self
        }
    }

    /// Whether an entry names one origin, not all previews of a page.
    pub(crate) fn name_one(&self) -> bool {
        self.origins.iter().any(OriginPattern::is_one)
    }

    /// Whether the request comes from a page that may send and receive cookies: an
    /// entry names its origin, without a wildcard. Browsers send `Origin` with every
    /// `POST`, and no script can change it.
    pub(crate) fn admit_cookies(&self, request: &Request) -> bool {
        let origin = request.headers().get(ORIGIN);
        let origin = origin.and_then(|origin| origin.to_str().ok());
        let mut named = self.origins.iter().filter(|entry| entry.is_one());
        self.credentials && origin.is_some_and(|origin| named.any(|entry| entry.matches(origin)))
    }

    /// Whether pages of this origin may read the answers.
    fn contain(&self, origin: &HeaderValue) -> bool {
        let origin = origin.to_str();
        origin.is_ok_and(|origin| self.origins.iter().any(|pattern| pattern.matches(origin)))
    }

    /// The CORS policy for this request.
    #[must_use]
    pub fn policy(&self, request: &Request) -> CorsPolicy {
        let (allowed, refused) = match request.headers().get(ORIGIN) {
            Some(origin) if self.contain(origin) => (Some(origin.clone()), None),
            Some(origin) => (None, Some(printable(origin))),
            None => (None, None),
        };
        let is_preflight = request.method() == Method::OPTIONS
            && request
                .headers()
                .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        CorsPolicy {
            allowed,
            refused,
            headers: self.headers.clone(),
            credentials: self.admit_cookies(request),
            is_preflight,
        }
    }
}

/// An origin for the log: bounded, and escaped to ASCII without control characters.
fn printable(origin: &HeaderValue) -> String {
    let bytes = origin.as_bytes();
    let kept = &bytes[..bytes.len().min(LONGEST_IN_THE_LOG)];
    let ellipsis = if kept.len() < bytes.len() { "..." } else { "" };
    format!("{}{ellipsis}", kept.escape_ascii())
}

/// The CORS headers of one answer.
pub struct CorsPolicy {
    allowed: Option<HeaderValue>,
    refused: Option<String>,
    headers: AllowedHeaders,
    credentials: bool,
    is_preflight: bool,
}

impl CorsPolicy {
    /// The request's origin for the log, if it is not allowed.
    #[must_use]
    pub fn refused_origin(&self) -> Option<&str> {
        self.refused.as_deref()
    }

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
            (ACCESS_CONTROL_MAX_AGE, "7200"),
            (CACHE_CONTROL, "no-store"),
        ] {
            answer
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.value());
        let methods = Route::methods(Route::ALL.iter().copied()).join(", ");
        if let Ok(methods) = methods.parse() {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        Some(self.apply(answer))
    }

    /// Adds the headers that let the page read the answer. Every answer tells caches
    /// that it depends on the origin, or one without these headers could be kept for a
    /// page that needs them.
    #[must_use]
    pub fn apply(&self, mut answer: Response<Body>) -> Response<Body> {
        let headers = answer.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = &self.allowed {
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
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_origin_in_the_log_is_short_and_plain() {
        let bytes = b"https://\xc3\xa4\"\\.example";
        let text = printable(&HeaderValue::from_bytes(bytes).unwrap());
        assert_eq!(text, r#"https://\xc3\xa4\"\\.example"#);
        let of = |length: usize| printable(&HeaderValue::from_str(&"a".repeat(length)).unwrap());
        assert_eq!(of(300), "a".repeat(300));
        assert_eq!(of(301), format!("{}...", "a".repeat(300)));
        let long = HeaderValue::from_bytes(&[0xff; 5000]).unwrap();
        assert_eq!(printable(&long), format!("{}...", "\\xff".repeat(300)));
    }

    fn asked(method: Method, headers: &[(&'static str, &str)]) -> Request {
        let mut request = Request::new(Body::Empty);
        *request.method_mut() = method;
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).unwrap();
            request.headers_mut().insert(*name, value);
        }
        request
    }

    /// The CORS headers of an answer.
    fn told(answer: &Response<Body>) -> Vec<String> {
        let headers = answer.headers().iter();
        let mut told: Vec<_> = headers
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        told.sort();
        told
    }

    const PAGE: &str = "https://www.example.com";
    const EXPOSED: &str = "access-control-expose-headers: \
        retry-after, www-authenticate, x-amzn-remapped-www-authenticate";

    #[test]
    fn an_allowed_page_may_read_the_answer_and_each_answer_depends_on_the_origin() {
        let origins =
            AllowedOrigins::parse("https://www.example.com,https://*.example.org").unwrap();
        let applied = |origins: &AllowedOrigins, headers: &[(&'static str, &str)]| {
            let policy = origins.policy(&asked(Method::POST, headers));
            assert!(policy.preflight().is_none());
            let refused = policy.refused_origin().map(str::to_owned);
            (told(&policy.apply(Response::new(Body::Empty))), refused)
        };
        let open = |origin: &str| {
            let origin = format!("access-control-allow-origin: {origin}");
            vec![origin, EXPOSED.to_owned(), "vary: origin".to_owned()]
        };
        assert_eq!(applied(&origins, &[("origin", PAGE)]), (open(PAGE), None));
        let closed = vec!["vary: origin".to_owned()];
        assert_eq!(applied(&origins, &[]), (closed.clone(), None));
        let other = "https://evil.example";
        let refused = Some(other.to_owned());
        assert_eq!(applied(&origins, &[("origin", other)]), (closed, refused));

        let with = origins.clone().with_credentials();
        let credentials = "access-control-allow-credentials: true".to_owned();
        let open_with = [vec![credentials], open(PAGE)].concat();
        assert_eq!(applied(&with, &[("origin", PAGE)]), (open_with, None));
        // No cookies for all previews of a page.
        let preview = "https://pr-1.example.org";
        assert_eq!(
            applied(&with, &[("origin", preview)]),
            (open(preview), None)
        );
        assert!(
            with.name_one()
                && !AllowedOrigins::parse("https://*.example.org")
                    .unwrap()
                    .name_one()
        );
    }

    #[test]
    fn only_the_preflight_of_an_allowed_page_is_answered_here() {
        let origins = AllowedOrigins::parse(PAGE).unwrap();
        let method = ("access-control-request-method", "POST");
        let preflight = |verb, headers: &[_]| origins.policy(&asked(verb, headers)).preflight();
        let answer = preflight(Method::OPTIONS, &[("origin", PAGE), method]).unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(
            told(&answer),
            [
                "access-control-allow-headers: authorization, content-type, idempotency-key",
                "access-control-allow-methods: DELETE, GET, POST",
                "access-control-allow-origin: https://www.example.com",
                EXPOSED,
                "access-control-max-age: 7200",
                "cache-control: no-store",
                "vary: origin",
            ]
        );
        let other = ("origin", "https://evil.example");
        assert!(preflight(Method::OPTIONS, &[other, method]).is_none());
        assert!(preflight(Method::OPTIONS, &[method]).is_none());
        assert!(preflight(Method::OPTIONS, &[("origin", PAGE)]).is_none());
        assert!(preflight(Method::POST, &[("origin", PAGE), method]).is_none());
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn a_list_that_is_accepted_allows_its_entries_without_wildcard(
            text in fuzz::text(&[
                "https://www.example.com,http://localhost:5173",
                "capacitor://localhost,https://*.preview.example.com",
                "https://[::1]",
                "null",
            ]),
        ) {
            if let Ok(origins) = AllowedOrigins::parse(&text) {
                for entry in text.split(',').map(str::trim) {
                    let origin = HeaderValue::from_str(entry).unwrap();
                    prop_assert_eq!(origins.contain(&origin), !entry.contains('*'));
                }
            }
        }
    }
}
