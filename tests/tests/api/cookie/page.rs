//! A page, and what it sees of the cookie.

use axum::http::HeaderMap;
use serde_json::{Value, json};
use tests::{ALICE, Answer, TestApp, VALIDATE, validation};

/// A page in a browser that keeps one cookie.
pub struct Page {
    pub origin: Option<&'static str>,
    pub cookie: Option<String>,
}

impl Page {
    pub const fn at(origin: Option<&'static str>) -> Self {
        Self {
            origin,
            cookie: None,
        }
    }

    pub async fn post(&mut self, app: &TestApp, path: &str, body: Value) -> Answer {
        let cookie = self.cookie.as_ref();
        let cookie = cookie.map(|cookie| format!("theme=dark; __Host-refresh_token={cookie}"));
        let mut headers = Vec::new();
        headers.extend(self.origin.map(|origin| ("origin", origin)));
        headers.extend(cookie.as_deref().map(|cookie| ("cookie", cookie)));
        let answer = app.client.post(path, &headers, body.to_string()).await;
        if let Some((value, age)) = set_cookie(&answer.headers) {
            assert!(
                !String::from_utf8_lossy(&answer.bytes).contains(&*value) || value.is_empty(),
                "the token is in the body, too"
            );
            self.cookie = (age > 0).then_some(value);
        }
        answer
    }

    pub async fn log_in(&mut self, app: &TestApp) -> Answer {
        let (id, code) = app.receive_code(ALICE).await;
        let mut body = validation(ALICE, Some(&id), &code);
        body["cookie"] = json!(true);
        let answer = self.post(app, VALIDATE, body).await;
        answer.assert_ok();
        answer
    }
}

/// Reads `Set-Cookie`: the token and `Max-Age`. Checks everything else.
#[track_caller]
pub fn set_cookie(headers: &HeaderMap) -> Option<(String, u64)> {
    let all = headers.get_all("set-cookie").iter();
    let all = all.map(|cookie| cookie.to_str().unwrap());
    let mut others = all.filter(|cookie| !cookie.starts_with("__Host-device_token="));
    let cookie = others.next()?;
    assert!(others.next().is_none(), "more than one cookie");
    parse(cookie)
}

#[track_caller]
pub fn parse(cookie: &str) -> Option<(String, u64)> {
    let rest = cookie.strip_prefix("__Host-refresh_token=")?;
    let (value, attributes) = rest.split_once("; ")?;
    let age = attributes.strip_prefix("Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=");
    let age = age.expect("the attributes of a __Host- cookie that no script reads");
    Some((value.to_owned(), age.parse().unwrap()))
}

/// Checks that an answer has no token for a script; returns the cookie's `Max-Age`.
#[track_caller]
pub fn assert_cookie_alone(answer: &Answer) -> u64 {
    let body = answer.assert_ok().as_object().unwrap();
    assert!(
        !body.contains_key("refresh_token"),
        "the body has the token"
    );
    let (value, age) = set_cookie(&answer.headers).expect("a cookie");
    assert!(value.len() > 60);
    assert_eq!(answer.json["refresh_expires_in"], age);
    assert_eq!(answer.headers["access-control-allow-credentials"], "true");
    age
}
