//! The sign-in page of `web/`, from another origin than the API, as a browser meets it in a
//! deployment.

use std::net::SocketAddr;

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};

macro_rules! files {
    ($($path:literal)*) => {
        &[$((concat!("/", $path), include_str!(concat!("../../web/", $path)))),*]
    };
}

/// What a page needs. The files are part of the program, so it runs in any directory.
const FILES: &[(&str, &str)] = files![
    "account/account.js" "account/me.js"
    "api.js" "awaited.js" "challenges.js" "client.js" "client.min.js" "code-entry.js"
    "countries.js" "destination-field.js" "devices.js" "digits.js" "dom.js" "explain.js"
    "fresh-login.js" "link.js" "login.js" "messages.js" "problem.js" "sentences.js"
    "sign-in.js" "sign-in.min.js" "stage.js" "storage.js" "style.js" "token.js" "turns.js" "types.js"
    "page/account.js" "page/page.css" "page/page.js"
    "languages/ar.js" "languages/de.js" "languages/es.js" "languages/fr.js" "languages/hi.js"
    "languages/it.js" "languages/ja.js" "languages/ko.js" "languages/nl.js" "languages/pl.js"
    "languages/pt-BR.js" "languages/sv.js" "languages/tr.js" "languages/uk.js"
    "languages/zh-Hans.js" "languages/zh-Hant.js"
];

const PAGE: &str = include_str!("../../web/page/index.html");
const ACCOUNT: &str = include_str!("../../web/page/account.html");

/// What the page is told.
#[derive(Clone)]
pub struct Page {
    /// Where the API listens.
    pub api: SocketAddr,
    /// Where the inbox listens.
    pub inbox: SocketAddr,
    /// The countries that the page offers, such as `US,CA`. Empty: all.
    pub countries: &'static str,
}

/// The origins of the page at `address`: people type either name.
#[must_use]
pub fn origins(address: SocketAddr) -> String {
    let port = address.port();
    format!("http://127.0.0.1:{port},http://localhost:{port}")
}

/// Serves the page.
pub fn router(page: Page) -> Router {
    Router::new()
        .route("/", get(sign_in))
        .route("/account", get(account))
        .fallback(get(file))
        .with_state(page)
}

async fn sign_in(State(page): State<Page>, headers: HeaderMap) -> Response {
    filled(PAGE, &page, &headers)
}

async fn account(State(page): State<Page>, headers: HeaderMap) -> Response {
    filled(ACCOUNT, &page, &headers)
}

fn filled(html: &str, page: &Page, headers: &HeaderMap) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let (api, inbox) = (url(page.api, host), url(page.inbox, host));
    let html = html
        .replace("{api}", &api)
        .replace("{inbox}", &inbox)
        .replace("{countries}", page.countries);
    let mut answer = text("text/html; charset=utf-8", html);
    if let Ok(policy) = HeaderValue::try_from(content_security_policy(&api)) {
        let headers = answer.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

async fn file(uri: Uri) -> Response {
    let path = uri.path();
    let Some((_, content)) = FILES.iter().find(|(known, _)| *known == path) else {
        let why = format!("There is no {path} here.\n");
        return (StatusCode::NOT_FOUND, why).into_response();
    };
    let kind = match path.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        _ => "text/javascript; charset=utf-8",
    };
    text(kind, (*content).to_owned())
}

fn text(kind: &'static str, body: String) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-cache"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body).into_response()
}

/// The address for a browser whose page has this `Host`. Cookies take `localhost` and `127.0.0.1`
/// for different sites, so the page and the API go by the same name.
fn url(address: SocketAddr, host: Option<&str>) -> String {
    let port = address.port();
    let ip = address.ip();
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    if name == Some("localhost") && (ip.is_loopback() || ip.is_unspecified()) {
        format!("http://localhost:{port}")
    } else if ip.is_unspecified() {
        format!("http://127.0.0.1:{port}")
    } else {
        format!("http://{address}")
    }
}

/// The strictest policy under which the element works.
fn content_security_policy(api: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src {api}; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_the_api_go_by_one_name() {
        let local = SocketAddr::from(([127, 0, 0, 1], 3000));
        let any = SocketAddr::from(([0, 0, 0, 0], 3000));
        for (address, host, expected) in [
            (local, Some("localhost:8080"), "http://localhost:3000"),
            (local, Some("127.0.0.1:8080"), "http://127.0.0.1:3000"),
            (any, Some("localhost"), "http://localhost:3000"),
            (any, None, "http://127.0.0.1:3000"),
            (local, Some("\"><script>"), "http://127.0.0.1:3000"),
        ] {
            assert_eq!(url(address, host), expected, "{host:?}");
        }
    }
}
