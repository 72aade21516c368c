//! What a request says its content is.

use lambda_http::{Request, http::header::CONTENT_TYPE};

/// JSON, which is in UTF-8 without saying so (RFC 8259 section 8.1).
pub const JSON: &str = "application/json";
/// A form, whose escapes stand for bytes of UTF-8.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// Whether the content is of this type, and in UTF-8 if it names a `charset`.
#[must_use]
pub fn is(request: &Request, expected: &str) -> bool {
    let value = request.headers().get(CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    let mut parts = value.unwrap_or_default().split(';');
    let essence = parts.next().unwrap_or_default();
    let mut charsets = parts
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    essence.trim().eq_ignore_ascii_case(expected)
        && charsets.all(|(_, charset)| is_utf8(charset.trim()))
}

fn is_utf8(charset: &str) -> bool {
    let quoted = charset
        .strip_prefix('"')
        .and_then(|charset| charset.strip_suffix('"'));
    let charset = quoted.unwrap_or(charset);
    ["utf-8", "utf8"]
        .iter()
        .any(|utf8| charset.eq_ignore_ascii_case(utf8))
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, http::HeaderValue};

    use super::*;

    fn of(content_type: &str) -> Request {
        let mut request = Request::new(Body::Empty);
        let value = HeaderValue::from_bytes(content_type.as_bytes()).unwrap();
        request.headers_mut().insert(CONTENT_TYPE, value);
        request
    }

    #[test]
    fn json_is_application_json_in_utf8() {
        for text in [
            "application/json",
            " Application/JSON ",
            "application/json;",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json; charset=utf8",
            "application/json; profile=x; CharSet = utf-8",
            "application/json; charset",
        ] {
            assert!(is(&of(text), JSON), "{text}");
        }
        for text in [
            "",
            "text/plain",
            "application/jsonp",
            "application/problem+json",
            "text/plain; charset=utf-8",
            "application/json, text/plain",
            "application/json; charset=iso-8859-1",
            "application/json; charset=\"utf-8",
            "application/json; charset=utf-8; charset=utf-16",
            "application/json; charset=",
            "application/jsön",
        ] {
            assert!(!is(&of(text), JSON), "{text}");
        }
        assert!(!is(&Request::new(Body::Empty), JSON));
    }

    #[test]
    fn a_form_is_compared_without_its_case_and_is_in_utf8() {
        for text in [
            "Application/X-WWW-Form-Urlencoded",
            "application/x-www-form-urlencoded; charset=UTF-8",
        ] {
            assert!(is(&of(text), FORM), "{text}");
        }
        for text in [
            "application/x-www-form",
            "application/x-www-form-urlencoded; charset=utf-16",
            "application/x-www-form-urlencoded;charset=latin1",
        ] {
            assert!(!is(&of(text), FORM), "{text}");
        }
        assert!(!is(&Request::new(Body::Empty), FORM));
    }
}
