//! The requests to the functions: each is a login by e-mail with a new address.

use std::{cell::Cell, net::SocketAddr, sync::Arc};

use axum::http::{
    Request,
    header::{ACCEPT, CONTENT_TYPE, USER_AGENT},
};
use local::{
    aws::kms,
    gateway::event,
    stack::{Options, Stack},
};
use otp_service::ambient;
use serde_json::{Value, json};

use crate::{Outcome, function::Function, services::Services};

const LOGIN: &str = "/api/login-with-otp/";
const VALIDATE: &str = "/api/validate-otp/";

/// The settings of both functions. The limits are high enough for all
/// requests: without the guard, nothing is shared by network.
const SETTINGS: [(&str, &str); 10] = [
    ("TABLE_NAME", "login-with-otp"),
    ("BRAND", "Example"),
    ("EMAIL_FROM", "login@example.com"),
    ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
    ("EMAILS_PER_DAY", "1000000"),
    ("CONVERSION_GUARD", "0"),
    ("TOKEN_ISSUER", "https://login.example.com"),
    ("TOKEN_AUDIENCE", "example"),
    ("SIGNING_KEY_ID", kms::SIGNING_KEY_ID),
    ("DIGEST_KEY_ID", kms::DIGEST_KEY_ID),
];

/// The variables that Lambda sets, with values of realistic length.
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

/// The local stack, and users who log in.
pub struct Story {
    stack: Stack,
    /// The services that the functions call.
    pub services: Services,
    people: Cell<u32>,
}

impl Story {
    /// Starts the stack.
    ///
    /// # Errors
    ///
    /// The stack does not start.
    pub async fn start() -> Outcome<Self> {
        let anywhere = || "127.0.0.1:0".to_owned();
        let stack = Stack::start(Options {
            api: anywhere(),
            inbox: anywhere(),
            aws: anywhere(),
            web: anywhere(),
            settings: |name: &str| {
                let setting = SETTINGS.iter().find(|(known, _)| *known == name);
                setting.map(|(_, value)| (*value).to_owned())
            },
            clock: Arc::new(ambient::now),
        })
        .await?;
        Ok(Self {
            services: Services::start(stack.aws).await?,
            stack,
            people: Cell::new(0),
        })
    }

    /// The environment of a function.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut all: Vec<_> = SETTINGS.iter().chain(&LAMBDA).map(owned).collect();
        all.extend(self.services.variables.iter().cloned());
        for (name, length) in [
            ("AWS_ACCESS_KEY_ID", 20),
            ("AWS_SECRET_ACCESS_KEY", 40),
            ("AWS_SESSION_TOKEN", 1000),
        ] {
            all.push((name.to_owned(), "x".repeat(length)));
        }
        all
    }

    /// The same, but calls go to the services directly and are not recorded.
    #[must_use]
    pub fn variables_unrecorded(&self) -> Vec<(String, String)> {
        let mut all = self.variables();
        let services = format!("http://{}", self.stack.aws);
        let own = self.services.variables.iter();
        all.extend(own.map(|(name, _)| (name.clone(), services.clone())));
        all
    }

    /// The address of the inbox.
    #[must_use]
    pub const fn inbox(&self) -> SocketAddr {
        self.stack.inbox
    }

    /// An event that requests a code for a new address.
    ///
    /// # Errors
    ///
    /// The path is malformed.
    pub fn login_event(&self) -> Outcome<String> {
        to_event(LOGIN, &json!({ "email": self.somebody() }).to_string())
    }

    /// An event that validates a code which this login function has just sent.
    ///
    /// # Errors
    ///
    /// The login fails.
    pub async fn validate_event(&self, login: &mut Function) -> Outcome<String> {
        let email = self.somebody();
        let event = to_event(LOGIN, &json!({ "email": email }).to_string())?;
        let answer: Value = serde_json::from_slice(&login.invoke(event).await?)?;
        let body = answer["body"].as_str().ok_or("the login has no answer")?;
        let answer: Value = serde_json::from_str(body)?;
        let messages = self.stack.messages.messages(Some(&email));
        let code = messages.first().and_then(|message| message.code.clone());
        let claim = json!({
            "email": email,
            "otp": code.ok_or("no code arrived")?,
            "challenge_id": answer["challenge_id"],
        });
        to_event(VALIDATE, &claim.to_string())
    }

    /// An event with the SDK calls that the floor makes.
    ///
    /// # Errors
    ///
    /// The path is malformed.
    pub fn calls_event(calls: &str) -> Outcome<String> {
        to_event("/", calls)
    }

    /// A new address. All addresses have the same length.
    fn somebody(&self) -> String {
        self.people.set(self.people.get() + 1);
        format!("somebody-{:06}@example.com", self.people.get())
    }
}

/// An event of a browser's request, shortened.
fn to_event(path: &str, body: &str) -> Outcome<String> {
    let head = Request::post(path)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64)");
    let (head, ()) = head.body(())?.into_parts();
    let peer = SocketAddr::from(([203, 0, 113, 7], 40_000));
    Ok(event(&head, body.as_bytes(), peer).to_string())
}
