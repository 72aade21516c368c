//! The client's address, with and without trusted proxies in front of the gateway.

use serde_json::json;
use tests::{LOGIN, TestApp};

const VIEWER: &str = "203.0.113.7";
/// The proxy, which is the source address of the gateway. The gateway appends it.
const EDGE: &str = "198.51.100.1";

/// The status of a login with this header, each of another destination.
async fn login(app: &TestApp, from: &str, forwarded: &str) -> u16 {
    static LOGINS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let n = LOGINS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    let body = json!({ "email": format!("user{n}@example.com") });
    let headers = [("x-forwarded-for", forwarded)];
    let headers = if forwarded.is_empty() {
        &[]
    } else {
        &headers[..]
    };
    let answer = app.post_from(from, LOGIN, headers, &body).await;
    answer.status.as_u16()
}

async fn app(proxies: &str) -> TestApp {
    let one_login = ("REQUESTS_PER_IP_PER_HOUR", "1");
    TestApp::with(&[one_login, ("TRUSTED_PROXIES", proxies)]).await
}

#[tokio::test]
async fn without_trusted_proxies_the_header_changes_nothing() {
    let app = app("0").await;
    assert_eq!(login(&app, EDGE, "").await, 200);
    for forwarded in ["", VIEWER, "192.0.2.1, 192.0.2.2", "unknown"] {
        assert_eq!(login(&app, EDGE, forwarded).await, 429, "{forwarded:?}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_viewer_has_its_own_limit() {
    let app = app("1").await;
    for viewer in [VIEWER, "203.0.113.8", "2001:db8:1:2::1"] {
        assert_eq!(login(&app, EDGE, viewer).await, 200, "{viewer}");
        assert_eq!(login(&app, EDGE, viewer).await, 429, "{viewer}");
    }
    // Another edge of the same proxy, and another address of the same /64.
    assert_eq!(login(&app, "198.51.100.2", VIEWER).await, 429);
    assert_eq!(login(&app, EDGE, "2001:db8:1:2::2").await, 429);
}

#[tokio::test]
async fn what_a_client_writes_before_the_proxys_entry_changes_nothing() {
    let app = app("1").await;
    assert_eq!(login(&app, EDGE, VIEWER).await, 200);
    for written in ["192.0.2.1", "192.0.2.1, 192.0.2.2", "x", ",", EDGE, VIEWER] {
        let forwarded = format!("{written}, {VIEWER}");
        assert_eq!(login(&app, EDGE, &forwarded).await, 429, "{forwarded}");
    }
}

#[tokio::test]
async fn a_request_that_lacks_the_entries_counts_by_the_gateways_source_address() {
    let app = app("2").await;
    assert_eq!(login(&app, EDGE, "").await, 200);
    for forwarded in [VIEWER, "203.0.113.8", "unknown, 192.0.2.1"] {
        assert_eq!(login(&app, EDGE, forwarded).await, 429, "{forwarded}");
    }
    assert_eq!(login(&app, EDGE, "203.0.113.9, 192.0.2.1").await, 200);
}

#[tokio::test]
async fn a_gateway_that_does_not_append_its_source_address_is_not_believed() {
    let app = app("1").await;
    let file = include_str!("../../../events/login-email-function-url.json");
    for (n, expected) in [200, 429, 429].into_iter().enumerate() {
        // A function URL hands on the first entry only, which the client wrote.
        let event = file
            .replace("user@example.com", &format!("user-{n}@example.com"))
            .replace(
                "\"x-forwarded-for\": \"203.0.113.7\"",
                &format!("\"x-forwarded-for\": \"192.0.2.{n}\""),
            );
        let answer = app.invoke(otp_edge::route::Route::Login, &event).await;
        let answer: serde_json::Value = answer.expect("JSON").parse().unwrap();
        assert_eq!(answer["statusCode"], expected, "request {n}");
    }
}
