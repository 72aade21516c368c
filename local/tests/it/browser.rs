//! Web pages on other origins.

use axum::http::{Method, Request, StatusCode};

use crate::harness::{ALICE, Answer, LOGIN, TestApp, VALIDATE, destination};

const PAGE: &str = "https://www.example.com";
const SETTINGS: &[(&str, &str)] = &[(
    "ALLOWED_ORIGINS",
    "https://www.example.com,http://localhost:5173",
)];

async fn from_page(app: &TestApp, method: Method, path: &str, origin: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{}{path}", app.api()))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("content-type", "application/json")
        .body(destination(ALICE).to_string().into())
        .unwrap();
    app.send(request).await
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_ask_and_read_the_answer() {
    let app = TestApp::with(SETTINGS).await;
    for path in [LOGIN, VALIDATE] {
        let asked = from_page(&app, Method::OPTIONS, path, PAGE).await;
        assert_eq!(asked.status, StatusCode::NO_CONTENT);
        assert_eq!(asked.headers["access-control-allow-origin"], PAGE);
        assert_eq!(asked.headers["access-control-allow-methods"], "GET, POST");
        assert_eq!(
            asked.headers["access-control-allow-headers"],
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
async fn other_pages_are_told_nothing() {
    for settings in [&[], SETTINGS] {
        let app = TestApp::with(settings).await;
        for origin in [
            "https://evil.example",
            "https://www.example.com.evil.example",
            "null",
        ] {
            let asked = from_page(&app, Method::OPTIONS, LOGIN, origin).await;
            asked.assert_problem(405, "method-not-allowed");
            let told = asked
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control"));
            assert!(!told);
        }
    }
}
