//! The inbox over HTTP: a page for people, JSON for programs.

use std::{convert::Infallible, net::IpAddr};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Json, Router,
    extract::{RawQuery, Request, State},
    http::{
        StatusCode, Uri,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderValue, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
        uri::Authority,
    },
    middleware::{Next, from_fn, map_response},
    response::{
        Html, IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, put},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::stream::{self, Stream};

use serde_json::Value;

use super::{Inbox, Message};

const PAGE: &str = include_str!("page.html");

/// Serves the inbox.
///
/// | route | answer |
/// |---|---|
/// | `GET /` | the page |
/// | `GET /api/messages`, with or without `?to=` | the messages |
/// | `DELETE /api/messages` | deletes the messages and the events |
/// | `GET /api/events` | the events of users, as they are posted to `EVENTS_URL` |
/// | `PUT /api/refused` | the providers of these ways refuse every send |
/// | `GET /api/stream` | a server-sent event for each change |
///
/// The stream never ends by itself, so a graceful shutdown waits until the page is closed.
pub fn router(inbox: Inbox) -> Router {
    let routes = Router::new()
        .route("/", get(page))
        .route("/api/messages", get(list).delete(clear))
        .route("/api/events", get(events))
        .route("/api/refused", put(refuse))
        .route("/api/stream", get(changes))
        .fallback(unknown)
        .with_state(inbox);
    for_this_machine(routes)
}

/// Lets only this machine in, and nothing out into caches.
pub fn for_this_machine(routes: Router) -> Router {
    routes
        .layer(from_fn(only_this_machine))
        .layer(map_response(guard))
}

async fn page() -> Response {
    let mut response = Html(PAGE).into_response();
    if let Ok(policy) = HeaderValue::try_from(content_security_policy()) {
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

async fn list(State(inbox): State<Inbox>, RawQuery(query): RawQuery) -> Json<Vec<Message>> {
    let to = destination(query.as_deref().unwrap_or_default());
    Json(inbox.messages(to.as_deref()))
}

async fn events(State(inbox): State<Inbox>) -> Json<Vec<Value>> {
    Json(inbox.events())
}

async fn clear(State(inbox): State<Inbox>) -> StatusCode {
    inbox.clear();
    StatusCode::NO_CONTENT
}

async fn refuse(State(inbox): State<Inbox>, Json(ways): Json<Vec<String>>) -> StatusCode {
    inbox.refuse(ways);
    StatusCode::NO_CONTENT
}

/// An event only says *that* something changed: a reader that then fetches the list misses nothing.
async fn changes(State(inbox): State<Inbox>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut receiver = inbox.subscribe();
    // The first event is immediate, so that the page loads and reloads in the same way.
    receiver.mark_changed();
    let events = stream::unfold(receiver, async |mut receiver| {
        receiver.changed().await.ok()?;
        let count = *receiver.borrow_and_update();
        let event = Event::default().event("change").data(count.to_string());
        Some((Ok(event), receiver))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

async fn unknown(uri: Uri) -> (StatusCode, String) {
    let path = uri.path();
    (StatusCode::NOT_FOUND, format!("There is no {path} here.\n"))
}

/// Refuses requests with a foreign `Host`. With DNS rebinding, the name of a foreign web page
/// resolves to this machine, and the page could read the codes. Its requests still have that name.
async fn only_this_machine(request: Request, next: Next) -> Response {
    // Browsers always send `Host`; a client without it is not a browser.
    let host = request.headers().get(HOST);
    if host.is_none_or(|host| host.to_str().is_ok_and(is_this_machine)) {
        return next.run(request).await;
    }
    let why = "The inbox answers to localhost and to IP addresses only.\n";
    (StatusCode::FORBIDDEN, why).into_response()
}

/// Whether a `Host` is a name that no stranger can make resolve to this machine: an IP address,
/// `localhost` (RFC 6761 section 6.3), or this machine's name inside containers.
fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host().to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name.ends_with(".localhost")
        || name == "host.docker.internal"
        || address.parse::<IpAddr>().is_ok()
}

async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The value of `to`, if the query has one.
///
/// In a form-encoded query, `+` means a space. Here it means itself: people type phone numbers
/// unencoded, and no destination contains a space.
fn destination(query: &str) -> Option<String> {
    let query = query.replace('+', "%2B");
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "to")
        .map(|(_, value)| value.into_owned())
        .filter(|value| !value.is_empty())
}

/// Permits the page's own script only, and no requests to other sites.
///
/// Inline styles are permitted, because the HTML part of a message uses them, and its sandbox
/// inherits this policy.
fn content_security_policy() -> String {
    let script = PAGE
        .split_once("<script>")
        .and_then(|(_, rest)| rest.split_once("</script>"))
        .map_or("", |(script, _)| script);
    let hash = BASE64_STANDARD.encode(digest(&SHA256, script.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; \
         img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_sign_in_the_query_is_itself() {
        for query in [
            "to=+14155550100",
            "to=%2B14155550100",
            "to=%2b14155550100",
            "x=1&to=+14155550100&to=other",
        ] {
            assert_eq!(
                destination(query).as_deref(),
                Some("+14155550100"),
                "{query}"
            );
        }
        assert_eq!(
            destination("to=ada+test%40example.com").as_deref(),
            Some("ada+test@example.com")
        );
    }

    #[test]
    fn no_destination_means_every_destination() {
        for query in ["", "to", "to=", "from=+14155550100", "&&=&%"] {
            assert_eq!(destination(query), None, "{query}");
        }
    }

    #[test]
    fn names_that_a_stranger_can_give_out_are_not_this_machine() {
        for host in [
            "localhost:8025",
            "LOCALHOST",
            "localhost.",
            "inbox.localhost:8025",
            "127.0.0.1:8025",
            "[::1]:8025",
            "192.168.1.7",
            "host.docker.internal:8025",
        ] {
            assert!(is_this_machine(host), "refused {host}");
        }
        for host in [
            "",
            "evil.example:8025",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "[::1",
            "a b",
        ] {
            assert!(!is_this_machine(host), "accepted {host}");
        }
    }

    #[test]
    fn the_policy_names_the_one_script() {
        assert_eq!(PAGE.matches("<script").count(), 1);
        let nothing = BASE64_STANDARD.encode(digest(&SHA256, b""));
        assert!(!content_security_policy().contains(&nothing));
    }
}
