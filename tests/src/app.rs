//! Both functions behind a gateway, on emulated AWS services.

mod serving;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::Client as DynamoDb;
use axum::{
    body::Bytes,
    http::{Method, Request, header},
};
use http_body_util::Full;
use local::{
    aws::clients,
    functions::Functions,
    gateway::event,
    inbox::Message,
    stack::{Options, Stack},
};
use otp_edge::{event as lambda_event, route::Route, settings::Settings};
use serde_json::{Value, json};
use tokio::task::JoinSet;

pub use self::serving::serve;
use self::serving::{LoggedSecrets, functions, reading};
use crate::{
    Answer, Client, FaultProxy, LOGIN, LOGOUT, Log, ME, REFRESH, VALIDATE, destination, validation,
};

/// 2026-01-01T00:10:00Z in milliseconds: ten minutes into an hour and a day.
pub const START: u64 = 1_767_226_200_000;

/// Both functions behind a gateway, on emulated AWS services. Each app has free ports, a clock
/// that only the test moves, an inbox, and a [`FaultProxy`] between its functions and the
/// services.
///
/// When the last app on the same services is dropped, the log is searched for the codes and the
/// destinations of all messages in the inbox.
pub struct TestApp {
    /// The emulated services. The stack's own gateway is not used, because its functions do not
    /// call through the proxy.
    pub stack: Arc<Stack>,
    /// The settings of these functions.
    pub settings: Settings,
    /// Makes the calls of these functions fail.
    pub faults: FaultProxy,
    /// The operator's way to the services. Its calls do not fail, but are judged like the others.
    pub operator: FaultProxy,
    /// Sends requests to these functions, and waits for the work that follows their answers.
    pub client: Client,
    /// The log of this process.
    pub log: &'static Log,
    pub(crate) table: DynamoDb,
    functions: Arc<Functions>,
    clock: Arc<AtomicU64>,
    ahead: Arc<AtomicI64>,
    _gateway: JoinSet<()>,
    secrets: Arc<LoggedSecrets>,
}

/// Starting and stopping.
impl TestApp {
    /// Starts with the local default settings. The functions are warm.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts with some settings that differ from the local defaults. The functions are warm.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let log = Log::of_process();
        let clock = Arc::new(AtomicU64::new(START));
        let find = |name: &str| {
            let found = settings.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let options = Options {
            api: "127.0.0.1:0".into(),
            inbox: "127.0.0.1:0".into(),
            aws: "127.0.0.1:0".into(),
            web: "127.0.0.1:0".into(),
            settings: find,
            clock: reading(&clock, &Arc::default()),
        };
        let stack = Stack::start(options).await.expect("the stack starts");
        let inbox = stack.messages.clone();
        let settings = stack.settings.clone();
        let secrets = Arc::new(LoggedSecrets { inbox, log });
        let app = Self::on(Arc::new(stack), settings, clock, secrets).await;
        app.warm_up().await;
        app
    }

    /// Starts other functions on the same services, with other settings. They are cold: no key
    /// has been fetched.
    pub async fn deploy(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.settings.clone();
        change(&mut settings);
        let (stack, clock) = (Arc::clone(&self.stack), Arc::clone(&self.clock));
        Self::on(stack, settings, clock, Arc::clone(&self.secrets)).await
    }

    /// Starts other functions on the same services, with the same settings. They are cold: no
    /// key has been fetched.
    pub async fn cold_start(&self) -> Self {
        self.deploy(|_| ()).await
    }

    async fn on(
        stack: Arc<Stack>,
        settings: Settings,
        clock: Arc<AtomicU64>,
        secrets: Arc<LoggedSecrets>,
    ) -> Self {
        let faults = FaultProxy::start(stack.aws).await;
        let operator = FaultProxy::start(stack.aws).await;
        let ahead = Arc::default();
        let functions = functions(&settings, faults.address, reading(&clock, &ahead));
        let functions = Arc::new(functions);
        let (address, gateway) = serve(Arc::clone(&functions)).await;
        Self {
            table: DynamoDb::new(clients(stack.aws).sdk()),
            client: Client::of(address).waiting_for(&functions),
            log: secrets.log,
            stack,
            settings,
            faults,
            operator,
            functions,
            clock,
            ahead,
            _gateway: gateway,
            secrets,
        }
    }

    /// Waits until no answer has work left.
    pub async fn settle(&self) {
        self.functions.settle().await;
    }

    /// Fetches the keys, as a function does when it starts.
    pub async fn warm_up(&self) {
        self.functions.warm_up().await;
    }

    /// The time by the clock of these functions, in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        let ahead = self.ahead.load(Ordering::SeqCst);
        self.clock
            .load(Ordering::SeqCst)
            .saturating_add_signed(ahead)
    }

    /// Sets the clock of these functions apart from that of all others on the same services, by
    /// milliseconds; below zero, it is behind.
    pub fn set_ahead(&self, by: i64) {
        self.ahead.store(by, Ordering::SeqCst);
    }

    /// Moves the clocks of all functions on the same services forward.
    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).expect("a span of this century");
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }
}

/// Requests.
impl TestApp {
    /// Sends any HTTP request.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        self.client.send(request).await
    }

    /// Sends a request with a body of any media type, or of none.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        media_type: Option<&str>,
        body: impl Into<Bytes>,
    ) -> Answer {
        let media_type = media_type.map(|media_type| ("content-type", media_type));
        let headers = media_type.as_slice();
        self.client.request(method, path, headers, body).await
    }

    /// Posts a JSON body.
    pub async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.client.post(path, &[], body).await
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, None, "").await
    }

    /// Posts a JSON body from another IP address than this machine's. The functions get the
    /// event that the gateway would make of it.
    pub async fn post_from(
        &self,
        client: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        let peer = SocketAddr::new(client.parse().expect("an IP address"), 40_000);
        let event = event(&head, body.to_string().as_bytes(), peer).to_string();
        let request = lambda_event::request(&event).expect("an event");
        let route = if path == LOGIN {
            Route::Login
        } else {
            Route::Validate
        };
        let answer = self.functions.handle(route, request).await;
        self.functions.settle().await;
        Answer::from_function(answer)
    }

    /// Hands an event to a function as Lambda does: JSON text in, JSON text out. The function is
    /// named by one of its routes. `None` if the event is not JSON, or has to come again.
    pub async fn invoke(&self, function: Route, event: &str) -> Option<String> {
        let event = serde_json::from_str(event).ok()?;
        let answer = self.functions.invoke(function, event).await.ok()?;
        self.functions.settle().await;
        Some(serde_json::to_string(&answer).expect("the answer is serializable"))
    }

    /// Brings what the providers have reported to the function that sends codes. Returns the
    /// events.
    pub async fn deliver_reports(&self) -> Vec<String> {
        let reports = self.stack.messages.take_reports();
        for report in &reports {
            let answer = self.invoke(Route::Login, report).await;
            assert_eq!(answer.as_deref(), Some("null"), "the reports are recorded");
        }
        reports
    }

    /// Asks for a code.
    pub async fn login(&self, to: &str) -> Answer {
        self.post(LOGIN, destination(to).to_string()).await
    }

    /// Asks for a code under an idempotency key.
    pub async fn login_with_key(&self, key: &str, to: &str) -> Answer {
        let headers = [("idempotency-key", key)];
        let body = destination(to).to_string();
        self.client.post(LOGIN, &headers, body).await
    }

    /// Asks for a code and reads it in the inbox: challenge id and code.
    pub async fn receive_code(&self, to: &str) -> (String, String) {
        let answer = self.login(to).await;
        answer.assert_ok();
        (answer.text("challenge_id"), self.newest_code(to))
    }

    /// Brings a code back.
    pub async fn validate(&self, to: &str, challenge_id: Option<&str>, otp: &str) -> Answer {
        let body = validation(to, challenge_id, otp);
        self.post(VALIDATE, body.to_string()).await
    }

    /// Brings a code back under an idempotency key.
    pub async fn validate_with_key(
        &self,
        key: &str,
        to: &str,
        challenge_id: Option<&str>,
        otp: &str,
    ) -> Answer {
        let headers = [("idempotency-key", key)];
        let body = validation(to, challenge_id, otp).to_string();
        self.client.post(VALIDATE, &headers, body).await
    }

    /// Logs in by a fresh code: the body of the validation's answer.
    pub async fn log_in(&self, to: &str) -> Value {
        let (id, code) = self.receive_code(to).await;
        let answer = self.validate(to, Some(&id), &code).await;
        answer.assert_ok().clone()
    }

    /// Refreshes.
    pub async fn refresh(&self, token: &Value) -> Answer {
        let body = json!({ "refresh_token": token });
        self.post(REFRESH, body.to_string()).await
    }

    /// Logs out, with this body.
    pub async fn log_out(&self, body: Value) -> Answer {
        self.post(LOGOUT, body.to_string()).await
    }

    /// Asks who an access token belongs to.
    pub async fn me(&self, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        self.client.request(Method::GET, ME, &headers, "").await
    }

    /// Posts a JSON body with an access token.
    pub async fn post_with_token(&self, path: &str, token: &Value, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", token.as_str().expect("a token"));
        let headers = [("authorization", bearer.as_str())];
        self.client.post(path, &headers, body.to_string()).await
    }

    /// Asks with an access token.
    pub async fn with_token(&self, method: Method, path: &str, token: &Value) -> Answer {
        let bearer = format!("Bearer {}", token.as_str().expect("a token"));
        let headers = [("authorization", bearer.as_str())];
        self.client.request(method, path, &headers, "").await
    }

    /// The messages to a destination, newest first.
    #[must_use]
    pub fn messages(&self, to: &str) -> Vec<Message> {
        self.stack.messages.messages(Some(to))
    }

    /// The code in the newest message to a destination.
    #[must_use]
    pub fn newest_code(&self, to: &str) -> String {
        let messages = self.messages(to);
        let code = messages.first().and_then(|message| message.code.clone());
        code.expect("a message with a code arrived")
    }
}
