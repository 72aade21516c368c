//! CORS: web pages on other origins.

use axum::http::{Method, StatusCode};
use tests::{ALICE, Answer, LOGIN, TestApp, VALIDATE, destination};

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
            "GET, POST"
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
