//! The functions and the services that they call, on a clock that stands still while
//! anything runs.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use lambda_http::{Body, Response};
use local::{
    aws::kms::{DIGEST_KEY_ID, Keys, SIGNING_KEY_ID},
    functions::{Clock, Functions},
    inbox::Inbox,
};
use otp_domain::UnixTime;
use otp_edge::{event, route::Route, settings::Settings};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{aws::Aws, table::Table};

const TABLE: &str = "login-with-otp";

/// 2026-01-01T00:10:00Z.
const START: UnixTime = UnixTime::from_secs(1_767_226_200);

/// The settings that docs/evidence/capacity.md tells for a rate of logins a second.
fn settings(rate: u32, unknown_users: &str) -> Result<Settings, String> {
    let guard = (41 * rate).max(50).to_string();
    let lookup = |name: &str| {
        let value = match name {
            "TABLE_NAME" => TABLE,
            "BRAND" => "Example",
            "EMAIL_FROM" => "login@example.com",
            "SMS_PREFIXES" => "+1555",
            "TOKEN_ISSUER" => "http://127.0.0.1:3000",
            "TOKEN_AUDIENCE" => "example",
            "SIGNING_KEY_ID" => SIGNING_KEY_ID,
            "DIGEST_KEY_ID" => DIGEST_KEY_ID,
            "EMAILS_PER_DAY" | "SMS_PER_DAY" | "SMS_PER_PREFIX_PER_DAY" => "100000000",
            "CONVERSION_GUARD" => &guard,
            "UNKNOWN_USERS" => unknown_users,
            _ => return None,
        };
        Some(value.to_owned())
    };
    Settings::from_lookup(lookup, START).map_err(|error| error.to_string())
}

/// Runs to its end what needs the clock.
pub fn on_a_standing_clock<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?
        .block_on(work)
}

/// The services, and the settings of the functions.
pub struct Deployment {
    pub aws: Aws,
    pub inbox: Inbox,
    settings: Settings,
    clock: Clock,
}

impl Deployment {
    /// Services without any users, for this rate of logins a second.
    pub fn start(rate: u32, unknown_users: &str) -> Result<Self, String> {
        let settings = settings(rate, unknown_users)?;
        let inbox = Inbox::default();
        inbox.know(&settings.login.delivery);
        let keys = Keys::generate(&[SIGNING_KEY_ID], &[DIGEST_KEY_ID])?;
        let began = Instant::now();
        Ok(Self {
            aws: Aws::new(Table::new(TABLE)?, inbox.clone(), keys),
            inbox,
            settings,
            clock: Arc::new(move || START.plus(began.elapsed())),
        })
    }

    /// One warm instance of each function. Each has its own memory of refusals.
    pub async fn instance(&self) -> Functions {
        let sdk = self.aws.sdk_config();
        let functions = Functions::new(&self.settings, &sdk, self.clock.clone());
        functions.warm_up().await;
        functions
    }
}

/// The newest code that arrived at a destination.
pub fn code(inbox: &Inbox, to: &str) -> Option<String> {
    let message = inbox.messages(Some(to)).into_iter().next();
    message.and_then(|message| message.code)
}

/// A request of a client.
pub struct Request<'a> {
    pub route: Route,
    pub body: &'a Value,
    pub key: Option<&'a str>,
    pub client: Ipv4Addr,
}

/// What a client gets.
#[derive(Default)]
pub struct Answer {
    pub status: u16,
    pub after: Duration,
    pub body: Value,
}

impl Request<'_> {
    /// Sends it to the function of its route.
    pub async fn send(&self, functions: &Functions) -> Answer {
        let path = self.route.path();
        let mut headers = json!({ "content-type": "application/json" });
        if let Some(key) = self.key {
            headers["idempotency-key"] = json!(key);
        }
        let many = headers.as_object().into_iter().flatten();
        let many = many.map(|(name, value)| (name.clone(), json!([value])));
        let many: Value = many.collect::<serde_json::Map<_, _>>().into();
        let event = json!({
            "resource": path, "path": path, "httpMethod": "POST",
            "headers": headers, "multiValueHeaders": many,
            "requestContext": {
                "httpMethod": "POST", "path": path, "requestId": "simulated",
                "accountId": "000000000000", "apiId": "local", "resourceId": "local",
                "resourcePath": path, "stage": "local", "protocol": "HTTP/1.1",
                "identity": { "sourceIp": self.client.to_string() },
            },
            "body": self.body.to_string(), "isBase64Encoded": false,
        });
        let Ok(request) = event::request(&event.to_string()) else {
            return Answer::default();
        };
        let started = Instant::now();
        let answer = functions.handle(self.route, request).await;
        Answer::of(&answer, started.elapsed())
    }
}

impl Answer {
    fn of(response: &Response<Body>, after: Duration) -> Self {
        let body = serde_json::from_slice(response.body().as_ref()).unwrap_or_default();
        Self {
            status: response.status().as_u16(),
            after,
            body,
        }
    }
}
