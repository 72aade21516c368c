//! The cookie, as each gateway carries it.

use otp_edge::route::Route;
use serde_json::{Value, json};
use tests::{ALICE, LOGIN, LOGOUT, REFRESH, TestApp, VALIDATE, destination, validation};

use super::{
    PAGE, SETTINGS,
    page::{Page, parse},
};

#[tokio::test]
async fn a_preflight_allows_credentials_to_allowed_origins_alone() {
    for (settings, expected) in [(SETTINGS, Some("true")), (&SETTINGS[..1], None)] {
        let app = TestApp::with(settings).await;
        for (origin, expected) in [(PAGE, expected), ("https://evil.example", None)] {
            let headers = [
                ("origin", origin),
                ("access-control-request-method", "POST"),
            ];
            let options = axum::http::Method::OPTIONS;
            for path in [LOGIN, VALIDATE, REFRESH, LOGOUT] {
                let answer = app
                    .client
                    .request(options.clone(), path, &headers, "")
                    .await;
                let header = answer.headers.get("access-control-allow-credentials");
                assert_eq!(header.map(|value| value.to_str().unwrap()), expected);
            }
        }
    }
}

#[tokio::test]
async fn each_payload_format_has_its_own_place_for_cookies() {
    let app = TestApp::with(SETTINGS).await;
    let mut page = Page::at(Some(PAGE));
    page.log_in(&app).await;
    let pair = format!("__Host-refresh_token={}", page.cookie.as_ref().unwrap());
    let request = |members: Value| {
        let mut event = json!({
            "headers": { "content-type": "application/json", "origin": PAGE },
            "body": "{}",
            "isBase64Encoded": false,
        });
        for (name, value) in members.as_object().unwrap() {
            event[name] = value.clone();
        }
        event.to_string()
    };

    // HTTP APIs and function URLs.
    let event = request(json!({
        "version": "2.0",
        "rawPath": REFRESH,
        "cookies": ["theme=dark", pair],
        "requestContext": { "http": { "method": "POST" } },
    }));
    let answer = app.invoke(Route::Refresh, &event).await.unwrap();
    let answer: Value = answer.parse().unwrap();
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(answer["cookies"].as_array().map(Vec::len), Some(1));
    let (token, _) = parse(answer["cookies"][0].as_str().unwrap()).unwrap();
    assert!(!answer["body"].as_str().unwrap().contains(&token));
    assert!(answer["headers"].get("set-cookie").is_none());

    // REST APIs.
    let event = request(json!({
        "httpMethod": "POST",
        "path": REFRESH,
        "multiValueHeaders": {
            "content-type": ["application/json"],
            "origin": [PAGE],
            "cookie": ["theme=dark", format!("__Host-refresh_token={token}")],
        },
        "requestContext": {},
    }));
    let answer = app.invoke(Route::Refresh, &event).await.unwrap();
    let answer: Value = answer.parse().unwrap();
    assert_eq!(answer["statusCode"], 200);
    let cookies = &answer["multiValueHeaders"]["set-cookie"];
    assert_eq!(cookies.as_array().map(Vec::len), Some(1));
    let (token, _) = parse(cookies[0].as_str().unwrap()).unwrap();
    assert!(!answer["body"].as_str().unwrap().contains(&token));
}

#[tokio::test]
async fn an_origin_that_only_a_wildcard_allows_gets_no_cookie() {
    let origins = "https://www.example.com,https://*.example.com";
    let app = TestApp::with(&[("ALLOWED_ORIGINS", origins), SETTINGS[1]]).await;
    let mut preview = Page::at(Some("https://preview.example.com"));
    let mut body = validation(ALICE, None, "123456");
    body["cookie"] = json!(true);
    let answer = preview.post(&app, VALIDATE, body).await;
    answer.assert_problem(403, "origin-not-allowed");
    // The page reads the answer, and may use the API without the cookie.
    let origin = &answer.headers["access-control-allow-origin"];
    assert_eq!(origin, "https://preview.example.com");
    assert!(
        !answer
            .headers
            .contains_key("access-control-allow-credentials")
    );
    let mut page = Page::at(Some(PAGE));
    page.log_in(&app).await;
    preview.cookie = page.cookie;
    for path in [REFRESH, LOGOUT] {
        let answer = preview.post(&app, path, json!({})).await;
        answer.assert_problem(403, "origin-not-allowed");
    }
    assert_eq!(app.sessions().await, 1);
}

#[tokio::test]
async fn a_login_takes_no_cookie_member() {
    let app = TestApp::with(SETTINGS).await;
    let mut body = destination(ALICE);
    body["cookie"] = json!(true);
    let answer = Page::at(Some(PAGE)).post(&app, LOGIN, body).await;
    answer.assert_problem(400, "invalid-request");
}
