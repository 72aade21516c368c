//! The door that the shipped programs use, and what may come out of it.

use std::collections::BTreeMap;

use otp::http::{event, route::Route};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tracing::subscriber::{DefaultGuard, set_default};

use crate::{harness::TestApp, log::Log};

/// Stands in whatever a client chooses, and may come out nowhere.
pub const CANARY: &str = "c4n4ry";

pub struct Door {
    runtime: Runtime,
    app: TestApp,
    log: Log,
    _logging: DefaultGuard,
}

impl Door {
    pub fn open() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        // Limits out of the way, or one answer would hide all others.
        let app = runtime.block_on(TestApp::with(&[
            ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
            ("SENDS_PER_HOUR", "1000000"),
            ("SENDS_PER_DAY", "1000000"),
            ("RESEND_COOLDOWN_SECONDS", "0"),
        ]));
        // A log of its own: every other test searches all of the common one.
        let log = Log::default();
        let writer = log.clone();
        let logging = set_default(otp::telemetry::subscriber(move || writer.clone()));
        Self {
            runtime,
            app,
            log,
            _logging: logging,
        }
    }

    /// What the function answers to an event; `None` if that is no JSON.
    fn invoke(&self, function: Route, event: &str) -> Option<Value> {
        let event = serde_json::from_str(event).ok()?;
        let functions = &self.app.stack.functions;
        let now = (functions.clock)();
        let answer = self.runtime.block_on(async {
            if function == Route::Login {
                let handle =
                    async |request| login_with_otp::handle(&functions.login, request, now).await;
                event::answer(function, event, &handle).await
            } else {
                let handle =
                    async |request| validate_otp::handle(&functions.validate, request, now).await;
                event::answer(function, event, &handle).await
            }
        });
        let text = serde_json::to_string(&answer).expect("the answer can be written");
        assert!(
            !text.contains(CANARY),
            "an answer repeats its request: {text}"
        );
        Some(serde_json::from_str(&text).expect("the answer is JSON"))
    }

    /// Checks that the answer is one of the contract's, whole.
    pub fn assert_contract(&self, function: Route, event: &str) -> Option<Answer> {
        let answer = Answer::read(&self.invoke(function, event)?);
        answer.assert_contract(function);
        // Whoever drops the app compares every message with every line.
        self.app.stack.messages.clear();
        Some(answer)
    }

    pub fn close(&self) {
        assert!(
            !self.log.lines().is_empty(),
            "the log is searched, not missed"
        );
        self.log.assert_never_says(CANARY);
    }
}

pub struct Answer {
    pub status: u64,
    pub is_v2: bool,
    headers: BTreeMap<String, String>,
    pub body: Value,
}

impl Answer {
    /// Reads an answer as strictly as a gateway does.
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

    fn assert_contract(&self, function: Route) {
        let statuses: &[u64] = match function {
            Route::Login => &[200, 400, 403, 404, 405, 415, 422, 429],
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
        if self.status == 204 {
            assert!(self.body.is_null() && !self.headers.contains_key("content-type"));
            return;
        }
        if self.status == 200 {
            assert_eq!(self.headers["content-type"], "application/json");
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
        let allow = self.headers.get("allow").map(String::as_str);
        assert_eq!(allow.is_some(), self.status == 405);
        assert!(allow.is_none_or(|method| ["GET", "POST"].contains(&method)));
        let challenged = self.headers.contains_key("www-authenticate");
        assert_eq!(challenged, self.status == 401);
        assert_eq!(self.headers.contains_key("retry-after"), self.status == 429);
    }
}
