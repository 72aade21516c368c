//! What a request says its content is.

use lambda_http::{Request, http::header::CONTENT_TYPE};

/// Whether the content is `application/json` in UTF-8, which needs no `charset`
/// (RFC 8259 section 8.1).
#[must_use]
pub fn is_json(request: &Request) -> bool {
    let parameters = media_type(request).split(';').skip(1);
    let has_only_utf8 = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .all(|(_, charset)| is_utf8(charset.trim()));
    is(request, "application/json") && has_only_utf8
}

/// Whether the content is of this type, whatever its parameters.
#[must_use]
pub fn is(request: &Request, expected: &str) -> bool {
    let essence = media_type(request).split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(expected)
}

fn media_type(request: &Request) -> &str {
    let value = request.headers().get(CONTENT_TYPE);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
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
            assert!(is_json(&of(text)), "{text}");
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
            assert!(!is_json(&of(text)), "{text}");
        }
        assert!(!is_json(&Request::new(Body::Empty)));
    }

    #[test]
    fn a_type_is_compared_without_its_case_and_parameters() {
        let form = "application/x-www-form-urlencoded";
        assert!(is(
            &of("Application/X-WWW-Form-Urlencoded; charset=latin1"),
            form
        ));
        assert!(!is(&of("application/x-www-form"), form));
        assert!(!is(&Request::new(Body::Empty), form));
    }
}
