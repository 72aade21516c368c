//! CORS: web pages on other origins.

use axum::http::{Method, StatusCode};
use serde_json::Value;
use tests::{ALICE, Answer, CONFIGURATION, KEYS, LOGIN, ME, TestApp, VALIDATE, destination};

const PAGE: &str = "https://www.example.com";
const SETTINGS: &[(&str, &str)] = &[(
    "ALLOWED_ORIGINS",
    "https://www.example.com,http://localhost:5173",
)];

async fn from_page(app: &TestApp, method: Method, path: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("content-type", "application/json"),
    ];
    let body = destination(ALICE).to_string();
    app.client.request(method, path, &headers, body).await
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_send_requests_and_read_the_answers() {
    let app = TestApp::with(SETTINGS).await;
    for path in [LOGIN, VALIDATE] {
        let preflight = from_page(&app, Method::OPTIONS, path, PAGE).await;
        assert_eq!(preflight.status, StatusCode::NO_CONTENT);
        assert_eq!(preflight.headers["access-control-allow-origin"], PAGE);
        assert_eq!(
            preflight.headers["access-control-allow-methods"],
            "DELETE, GET, POST"
        );
        assert_eq!(
            preflight.headers["access-control-allow-headers"],
            "authorization, content-type, idempotency-key"
        );
    }
    for expected in [200, 429] {
        let answer = from_page(&app, Method::POST, LOGIN, PAGE).await;
        assert_eq!(answer.status.as_u16(), expected);
        assert_eq!(answer.headers["access-control-allow-origin"], PAGE);
        assert_eq!(answer.headers["vary"], "origin");
    }
}

#[tokio::test]
async fn a_page_may_send_the_headers_of_its_tracing_if_the_operator_says_so() {
    let traced = ("ALLOWED_HEADERS", "baggage, sentry-trace,Traceparent");
    let app = TestApp::with(&[SETTINGS[0], traced]).await;
    let preflight = from_page(&app, Method::OPTIONS, LOGIN, PAGE).await;
    assert_eq!(
        preflight.headers["access-control-allow-headers"],
        "authorization, content-type, idempotency-key, baggage, sentry-trace, traceparent"
    );
}

#[tokio::test]
async fn a_page_of_another_origin_gets_no_cors_header() {
    for settings in [&[], SETTINGS] {
        let app = TestApp::with(settings).await;
        for origin in [
            "https://evil.example",
            "https://www.example.com.evil.example",
            "null",
        ] {
            let preflight = from_page(&app, Method::OPTIONS, LOGIN, origin).await;
            preflight.assert_problem(405, "method-not-allowed");
            let has_cors_header = preflight
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control"));
            assert!(!has_cors_header);
        }
    }
}

#[tokio::test]
async fn pages_inside_apps_and_preview_deployments_may_be_allowed() {
    let allowed = "capacitor://localhost,ionic://localhost,https://*.preview.example.com";
    let app = TestApp::with(&[("ALLOWED_ORIGINS", allowed)]).await;
    for (origin, expected) in [
        ("capacitor://localhost", true),
        ("ionic://localhost", true),
        ("https://pr-42.preview.example.com", true),
        ("https://a.b.preview.example.com", false),
        ("https://preview.example.com", false),
        ("https://pr-42.preview.example.com.evil.example", false),
        ("http://pr-42.preview.example.com", false),
        ("capacitor://other", false),
    ] {
        let preflight = from_page(&app, Method::OPTIONS, LOGIN, origin).await;
        let named = preflight.headers.get("access-control-allow-origin");
        assert_eq!(named.is_some(), expected, "{origin}");
        assert!(named.is_none_or(|named| named == origin), "{origin}");
    }
}

#[tokio::test]
async fn a_refused_origin_is_in_the_log_with_the_setting_that_would_allow_it() {
    let app = TestApp::with(SETTINGS).await;
    let lines_with = |origin: &str| -> Vec<Value> {
        let mut lines = app.log.lines();
        lines.retain(|line| line["refused_origin"] == *origin);
        lines
    };
    let other = "https://not-allowed.example";
    from_page(&app, Method::OPTIONS, LOGIN, other).await;
    from_page(&app, Method::POST, LOGIN, other).await;
    let lines = lines_with(other);
    let outcomes: Vec<_> = lines.iter().map(|line| &line["outcome"]).collect();
    assert_eq!(outcomes, ["method-not-allowed", "sent"]);
    assert!(
        lines
            .iter()
            .all(|line| line["refused_by"] == "ALLOWED_ORIGINS")
    );

    let long = format!("https://{}.example", "a".repeat(1000));
    from_page(&app, Method::GET, ME, &long).await;
    let bounded = format!("{}...", &long[..300]);
    assert_eq!(lines_with(&bounded).len(), 1);

    // No other test sends this one.
    let allowed = "http://localhost:5173";
    from_page(&app, Method::GET, ME, allowed).await;
    assert_eq!(lines_with(allowed).len(), 0);
}

#[tokio::test]
async fn every_answer_tells_caches_that_it_depends_on_the_origin() {
    for settings in [&[], SETTINGS] {
        let app = TestApp::with(settings).await;
        for path in [LOGIN, ME, CONFIGURATION, KEYS] {
            let without = app.client.request(Method::GET, path, &[], "").await;
            assert_eq!(without.headers["vary"], "origin", "{path}");
            for origin in [PAGE, "https://evil.example"] {
                for method in [Method::GET, Method::OPTIONS] {
                    let answer = from_page(&app, method, path, origin).await;
                    assert_eq!(answer.headers["vary"], "origin", "{path} {origin}");
                }
            }
        }
    }
}
