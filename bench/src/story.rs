//! Whom the functions are asked by: somebody new each time, who logs in by e-mail.

use std::{cell::Cell, fs, net::SocketAddr, sync::Arc};

use axum::http::{Method, Request, header::CONTENT_TYPE, request::Parts};
use local::{
    aws::kms,
    gateway::event,
    stack::{Options, Stack},
    tls::Certificate,
};
use otp_edge::route::Route;
use otp_service::ambient;
use serde_json::{Value, json};

use crate::{Outcome, services::Services};

/// Where the certificate of the services over TLS lies.
const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench-bundle.pem");

const LOGIN: &str = "/api/login-with-otp/";
const VALIDATE: &str = "/api/validate-otp/";

/// The settings of both functions; as many requests may come as there are.
const SETTINGS: [(&str, &str); 8] = [
    ("TABLE_NAME", "login-with-otp"),
    ("BRAND", "Example"),
    ("EMAIL_FROM", "login@example.com"),
    ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
    ("TOKEN_ISSUER", "https://login.example.com"),
    ("TOKEN_AUDIENCE", "example"),
    ("SIGNING_KEY_ID", kms::SIGNING_KEY_ID),
    ("DIGEST_KEY_ID", kms::DIGEST_KEY_ID),
];

/// What Lambda sets, as long as it really is.
const LAMBDA: [(&str, &str); 9] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
    (
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "2026/01/01/[$LATEST]0123456789abcdef",
    ),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("LAMBDA_TASK_ROOT", "/var/task"),
];

/// The local stack, and people who log in.
pub struct Story {
    stack: Stack,
    /// What the functions call.
    pub services: Services,
    people: Cell<u32>,
}

impl Story {
    /// Starts the stack.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub async fn start() -> Outcome<Self> {
        let anywhere = || "127.0.0.1:0".to_owned();
        let stack = Stack::start(Options {
            api: anywhere(),
            inbox: anywhere(),
            aws: anywhere(),
            settings: |name: &str| {
                let setting = SETTINGS.iter().find(|(known, _)| *known == name);
                setting.map(|(_, value)| (*value).to_owned())
            },
            clock: Arc::new(ambient::now),
        })
        .await?;
        let certificate = Certificate::generate()?;
        fs::write(BUNDLE, &certificate.pem)?;
        Ok(Self {
            services: Services::start(stack.aws, &certificate).await?,
            stack,
            people: Cell::new(0),
        })
    }

    /// The environment of a function.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut all: Vec<_> = SETTINGS.iter().chain(&LAMBDA).map(owned).collect();
        all.extend(with_owned_names(&self.services.plain));
        for (name, length) in [
            ("AWS_ACCESS_KEY_ID", 20),
            ("AWS_SECRET_ACCESS_KEY", 40),
            ("AWS_SESSION_TOKEN", 1000),
        ] {
            all.push((name.to_owned(), "x".repeat(length)));
        }
        all
    }

    /// The same, with the services themselves, unrecorded.
    #[must_use]
    pub fn variables_unrecorded(&self) -> Vec<(String, String)> {
        let mut all = self.variables();
        let services = format!("http://{}", self.stack.aws);
        let own = self.services.plain.iter();
        all.extend(own.map(|(name, _)| ((*name).to_owned(), services.clone())));
        all
    }

    /// Where messages arrive.
    #[must_use]
    pub const fn inbox(&self) -> SocketAddr {
        self.stack.inbox
    }

    /// The same, with the services over TLS.
    #[must_use]
    pub fn variables_over_tls(&self) -> Vec<(String, String)> {
        let mut all = self.variables();
        all.extend(with_owned_names(&self.services.tls));
        all.push(("AWS_CA_BUNDLE".to_owned(), BUNDLE.to_owned()));
        all
    }

    /// An event that asks for a code, of an address that never did before.
    pub fn login_event(&self) -> String {
        to_event(LOGIN, &json!({ "email": self.somebody() }))
    }

    /// An event that brings back a code that was just sent.
    ///
    /// # Errors
    ///
    /// The code did not come.
    pub async fn validate_event(&self) -> Outcome<String> {
        let email = self.somebody();
        let event = to_event(LOGIN, &json!({ "email": email }));
        let request = otp_edge::event::request(&event).map_err(|_| "no event")?;
        let answer = self.stack.functions.handle(Route::Login, request).await;
        let answer: Value = serde_json::from_slice(answer.body())?;
        let messages = self.stack.messages.messages(Some(&email));
        let code = messages.first().and_then(|message| message.code.clone());
        let claim = json!({
            "email": email,
            "otp": code.ok_or("no code came")?,
            "challenge_id": answer["challenge_id"],
        });
        Ok(to_event(VALIDATE, &claim))
    }

    /// An address as long as any other.
    fn somebody(&self) -> String {
        self.people.set(self.people.get() + 1);
        format!("somebody-{:06}@example.com", self.people.get())
    }
}

fn with_owned_names(variables: &[(&str, String)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
    variables.iter().map(owned).collect()
}

/// The event that names SDK calls for the floor to make.
pub fn calls_event(calls: &str) -> String {
    let (head, peer) = head("/");
    event(&head, calls.as_bytes(), peer).to_string()
}

fn to_event(path: &str, body: &Value) -> String {
    let (head, peer) = head(path);
    event(&head, body.to_string().as_bytes(), peer).to_string()
}

/// What a browser sends, in short.
fn head(path: &str) -> (Parts, SocketAddr) {
    let mut head = Request::new(()).into_parts().0;
    head.method = Method::POST;
    head.uri = path.parse().unwrap_or_default();
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (axum::http::header::ACCEPT, "application/json"),
        (
            axum::http::header::USER_AGENT,
            "Mozilla/5.0 (X11; Linux x86_64)",
        ),
    ];
    for (name, value) in headers {
        head.headers
            .insert(name, axum::http::HeaderValue::from_static(value));
    }
    (head, SocketAddr::from(([203, 0, 113, 7], 40_000)))
}
