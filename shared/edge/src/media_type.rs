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
