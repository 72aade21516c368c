//! Sends the requests of a story as its feature and its mode need them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use base64::{Engine, engine::general_purpose::STANDARD};
use otp_edge::route::Route;
use serde_json::{Value, json};
use tests::{Answer, LOGIN, LOGOUT, REFRESH, TestApp, VALIDATE, destination, validation};

use super::{Feature, Mode};

/// The page that may have the cookie.
pub const PAGE: &str = "https://www.example.com";
/// The client behind a trusted proxy.
const VIEWER: &str = "203.0.113.7";
const EDGE: &str = "198.51.100.1";
const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";
const COOKIE: &str = "__Host-refresh_token=";

/// A client that uses one feature in one mode.
pub struct Visitor {
    pub feature: Feature,
    pub mode: Mode,
    /// The address that a trusted proxy sees.
    pub address: &'static str,
    /// The refresh token, which a page's browser keeps as a cookie.
    pub token: String,
}

impl Visitor {
    pub fn new(feature: Feature, mode: Mode) -> Self {
        Self {
            feature,
            mode,
            address: VIEWER,
            token: String::new(),
        }
    }

    pub async fn log_in(&self, app: &TestApp, to: &str) -> Answer {
        let mut body = destination(to);
        match self.feature {
            Feature::AppHash => body["app"] = json!("shop"),
            Feature::Locale => body["locale"] = json!("de"),
            _ => {}
        }
        let keyed = self.feature == Feature::KeyOnLogin;
        self.send(app, LOGIN, &body, keyed).await
    }

    pub async fn validate(&mut self, app: &TestApp, to: &str, id: &str, code: &str) -> Answer {
        let mut body = validation(to, Some(id), code);
        if self.mode.has_cookies() {
            body["cookie"] = json!(true);
        }
        let keyed = self.feature == Feature::KeyOnValidation;
        let answer = self.send(app, VALIDATE, &body, keyed).await;
        self.keep(&answer);
        answer
    }

    pub async fn refresh(&mut self, app: &TestApp) -> Answer {
        let answer = if self.feature == Feature::FormBodies {
            let form = format!("grant_type=refresh_token&refresh_token={}", self.token);
            post_form(app, "/oauth2/token", form).await
        } else {
            self.send(app, REFRESH, &self.body(), false).await
        };
        self.keep(&answer);
        answer
    }

    pub async fn log_out(&self, app: &TestApp) -> Answer {
        if self.feature == Feature::FormBodies {
            let form = format!("token={}", self.token);
            return post_form(app, "/oauth2/revoke", form).await;
        }
        self.send(app, LOGOUT, &self.body(), false).await
    }

    /// A page's browser sends the token; other clients have it in the body.
    fn body(&self) -> Value {
        if self.mode.has_cookies() {
            json!({})
        } else {
            json!({ "refresh_token": self.token })
        }
    }

    fn keep(&mut self, answer: &Answer) {
        if answer.status != StatusCode::OK {
            return;
        }
        self.token = if self.mode.has_cookies() {
            let body = answer.json.as_object().expect("an object");
            assert!(!body.contains_key("refresh_token"), "a script can read it");
            let cookie = answer.headers["set-cookie"].to_str().expect("text");
            let value = cookie.split(';').next().expect("a pair");
            for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
                assert!(cookie.contains(attribute), "no {attribute}");
            }
            value.strip_prefix(COOKIE).expect("the cookie").to_owned()
        } else {
            assert!(!answer.headers.contains_key("set-cookie"));
            answer.text("refresh_token")
        };
    }

    async fn send(&self, app: &TestApp, path: &str, body: &Value, keyed: bool) -> Answer {
        let cookie = format!("{COOKIE}{}", self.token);
        let mut headers = Vec::new();
        if keyed {
            headers.push(("idempotency-key", KEY));
        }
        if self.mode.has_cookies() {
            headers.push(("origin", PAGE));
            if !self.token.is_empty() {
                headers.push(("cookie", cookie.as_str()));
            }
        }
        if self.feature == Feature::TrustedProxy {
            headers.push(("x-forwarded-for", self.address));
            return app.post_from(EDGE, path, &headers, body).await;
        }
        let event = match self.feature {
            Feature::RestApi => rest_api(path, &headers, body),
            Feature::HttpApi => version_2("api.example.com", path, &headers, body),
            Feature::FunctionUrl => {
                let host = "abc.lambda-url.eu-central-1.on.aws";
                let mut event = version_2(host, path, &headers, body);
                event["body"] = json!(STANDARD.encode(body.to_string()));
                event["isBase64Encoded"] = json!(true);
                event
            }
            _ => return app.client.post(path, &headers, body.to_string()).await,
        };
        let function = if path == LOGIN {
            Route::Login
        } else {
            Route::Validate
        };
        let answer = app.invoke(function, &event.to_string()).await;
        read(&answer.expect("JSON").parse().expect("JSON"))
    }
}

async fn post_form(app: &TestApp, path: &str, form: String) -> Answer {
    let media_type = Some("application/x-www-form-urlencoded");
    app.request(Method::POST, path, media_type, form).await
}

fn rest_api(path: &str, headers: &[(&str, &str)], body: &Value) -> Value {
    let mut fields = json!({ "content-type": ["application/json"] });
    for (name, value) in headers {
        fields[*name] = json!([value]);
    }
    json!({
        "httpMethod": "POST",
        "path": path,
        "multiValueHeaders": fields,
        "requestContext": { "identity": { "sourceIp": VIEWER } },
        "body": body.to_string(),
        "isBase64Encoded": false,
    })
}

fn version_2(host: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Value {
    let mut fields = json!({ "content-type": "application/json" });
    let mut cookies = Vec::new();
    for (name, value) in headers {
        if *name == "cookie" {
            cookies.push(*value);
        } else {
            fields[*name] = json!(value);
        }
    }
    json!({
        "version": "2.0",
        "rawPath": path,
        "headers": fields,
        "cookies": cookies,
        "requestContext": {
            "domainName": host,
            "http": { "method": "POST", "sourceIp": VIEWER },
        },
        "body": body.to_string(),
        "isBase64Encoded": false,
    })
}

/// What a gateway makes of a function's answer.
fn read(answer: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &Value| {
        let value = value.as_str().expect("text");
        let name = HeaderName::try_from(name).expect("a header");
        headers.append(name, HeaderValue::try_from(value).expect("a value"));
    };
    let no_members = serde_json::Map::new();
    let members = |name: &str| answer[name].as_object().unwrap_or(&no_members);
    for (name, value) in members("headers") {
        add(name, value);
    }
    for (name, values) in members("multiValueHeaders") {
        for value in values.as_array().expect("values") {
            add(name, value);
        }
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        add("set-cookie", cookie);
    }
    let body = answer["body"].as_str().unwrap_or_default().to_owned();
    let status = answer["statusCode"]
        .as_u64()
        .and_then(|it| it.try_into().ok());
    Answer {
        status: StatusCode::from_u16(status.expect("a status")).expect("a status"),
        headers,
        json: body.parse().unwrap_or(Value::Null),
        bytes: body.into(),
    }
}
