//! Invokes the functions with any text, and checks what they answer.

use std::collections::BTreeMap;

use otp_edge::route::Route;
use serde_json::Value;
use tests::{Log, TestApp};
use tokio::runtime::{Builder, Runtime};
use tracing::subscriber::{DefaultGuard, set_default};

/// A part of each value that a client can choose. Neither an answer nor the log may repeat it.
pub const CANARY: &str = "c4n4ry";

/// An app, and a runtime for tests that are not async.
pub struct Invoker {
    runtime: Runtime,
    app: TestApp,
    log: Log,
    _logging: DefaultGuard,
}

impl Invoker {
    pub fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        // With the default limits, nearly all answers would be 429.
        let app = runtime.block_on(TestApp::with(&[
            ("CONVERSION_GUARD", "0"),
            ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
            ("SENDS_PER_HOUR", "1000000"),
            ("SENDS_PER_DAY", "1000000"),
            ("RESEND_COOLDOWN_SECONDS", "0"),
        ]));
        // The other tests search the log of the process, which thousands of lines would slow
        // down.
        let log = Log::default();
        let logging = set_default(log.subscriber());
        Self {
            runtime,
            app,
            log,
            _logging: logging,
        }
    }

    /// Checks that the function gives a documented answer, and returns it. `None` if the event is
    /// not JSON.
    pub fn assert_documented(&self, function: Route, event: &str) -> Option<Answer> {
        let text = self.runtime.block_on(self.app.invoke(function, event))?;
        let repeats = text.contains(CANARY);
        assert!(!repeats, "an answer repeats its request: {text}");
        let answer = Answer::read(&text.parse().expect("the answer is JSON"));
        answer.assert_documented(function);
        // When the app is dropped, the log is searched for each message.
        self.app.stack.messages.clear();
        Some(answer)
    }

    pub fn assert_log_lacks_the_canary(&self) {
        assert!(!self.log.lines().is_empty(), "nothing was logged");
        self.log.assert_lacks(CANARY);
    }
}

/// An answer in the form of either gateway.
pub struct Answer {
    pub status: u64,
    /// Whether it has the form of an HTTP API (payload 2.0).
    pub is_v2: bool,
    headers: BTreeMap<String, String>,
    pub body: Value,
}

impl Answer {
    /// Refuses an unknown member, as a gateway does.
    fn read(answer: &Value) -> Self {
        let members = answer.as_object().expect("an object");
        let is_v2 = members.contains_key("cookies");
        for name in members.keys() {
            let known = [
                "statusCode",
                "headers",
                "multiValueHeaders",
                "body",
                "isBase64Encoded",
            ];
            assert!(
                known.contains(&name.as_str()) || name == "cookies",
                "{name}"
            );
        }
        assert_eq!(answer["isBase64Encoded"], false);
        let headers = if is_v2 {
            "headers"
        } else {
            "multiValueHeaders"
        };
        let headers = answer[headers].as_object().expect("headers");
        let text = |value: &Value| {
            let value = if is_v2 { value } else { &value[0] };
            value.as_str().expect("a header's value").to_owned()
        };
        Self {
            status: answer["statusCode"].as_u64().expect("a status"),
            is_v2,
            headers: headers
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            body: match answer["body"].as_str() {
                Some(body) => serde_json::from_str(body).expect("JSON"),
                None => Value::Null,
            },
        }
    }

    fn assert_documented(&self, function: Route) {
        let statuses: &[u64] = match function {
            Route::Login => &[200, 400, 403, 404, 405, 415, 429],
            _ => &[200, 204, 400, 401, 404, 405, 415, 429],
        };
        assert!(statuses.contains(&self.status), "{}", self.body);
        let is_public = self.body.get("jwks_uri").is_some() || self.body.get("keys").is_some();
        let cached = if is_public {
            "public, max-age=3600"
        } else {
            "no-store"
        };
        assert_eq!(self.headers["cache-control"], cached);
        if self.body.is_null() {
            // A logout and a revocation.
            assert!([200, 204].contains(&self.status));
            assert!(!self.headers.contains_key("content-type"));
            return;
        }
        if self.status == 200 {
            assert_eq!(self.headers["content-type"], "application/json");
            return;
        }
        self.assert_error_body();
        let allow = self.headers.get("allow").map(String::as_str);
        assert_eq!(allow.is_some(), self.status == 405);
        let is_known = |method| ["GET", "POST", "DELETE"].contains(&method);
        assert!(allow.is_none_or(|methods| methods.split(", ").all(is_known)));
        let challenged = self.headers.contains_key("www-authenticate");
        assert_eq!(challenged, self.status == 401);
        assert_eq!(self.headers.contains_key("retry-after"), self.status == 429);
    }

    fn assert_error_body(&self) {
        if self.body.get("error_description").is_some() {
            assert_eq!(self.headers["content-type"], "application/json");
            assert!(self.body["error"].is_string());
            return;
        }
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], self.status);
        assert!(
            self.body["type"]
                .as_str()
                .expect("a type")
                .starts_with("/problems/")
        );
        assert!(self.body["title"].is_string() && self.body["detail"].is_string());
        assert_eq!(self.body["error"], self.body["detail"]);
    }
}
