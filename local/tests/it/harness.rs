//! A stack of one's own for each test: free ports, a clock to move, an inbox to
//! read, and a log that is searched for secrets when the test ends.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use axum::{
    body::Bytes,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use local::{
    gateway::{Clock, Functions, event, router},
    inbox::Message,
    stack::{Options, Stack, sdk_config},
};
use otp::{config::Config, domain::UnixTime, validate::Validate};
use serde_json::{Value, json};

use crate::log::Log;

pub const LOGIN: &str = "/api/login-with-otp/";
pub const VALIDATE: &str = "/api/validate-otp/";
pub const REFRESH: &str = "/api/token/refresh/";
pub const LOGOUT: &str = "/api/logout/";
pub const ME: &str = "/api/me/";
pub const ALICE: &str = "alice@example.com";
pub const PHONE: &str = "+14155550123";

/// Ten past midnight of 2026-01-01, UTC: far from the edge of any window.
const START: u64 = 1_767_226_200_000;

pub type Http = Client<HttpConnector, Full<Bytes>>;

pub struct TestApp {
    pub stack: Stack,
    pub log: &'static Log,
    api: SocketAddr,
    clock: Arc<AtomicU64>,
    http: Http,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    pub json: Value,
}

impl TestApp {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts with settings that differ from the local defaults.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let log = LOG.get_or_init(Log::capture);
        let clock = Arc::new(AtomicU64::new(START));
        let find = |name: &str| {
            settings
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let options = Options {
            api: "127.0.0.1:0".into(),
            inbox: "127.0.0.1:0".into(),
            aws: "127.0.0.1:0".into(),
            settings: find,
            clock: reading(&clock),
        };
        let stack = Stack::start(options).await.expect("the stack starts");
        let api = stack.api;
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self {
            stack,
            log,
            api,
            clock,
            http,
        }
    }

    /// Lets the functions see the services at another address from now on.
    pub async fn call_aws_at(&mut self, aws: SocketAddr) {
        let config = self.stack.config.clone();
        self.deploy(&config, aws).await;
    }

    /// Starts the functions anew, with other settings, on what there is.
    pub async fn redeploy(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.stack.config);
        let config = self.stack.config.clone();
        self.deploy(&config, self.stack.aws).await;
    }

    async fn deploy(&mut self, config: &Config, aws: SocketAddr) {
        let functions = Functions::new(config, aws, reading(&self.clock));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.api = listener.local_addr().unwrap();
        let gateway =
            router(Arc::new(functions)).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, gateway).await });
    }

    /// Where the gateway listens.
    pub const fn api(&self) -> SocketAddr {
        self.api
    }

    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap();
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = self
            .http
            .request(request)
            .await
            .expect("the gateway answers");
        let (parts, body) = response.into_parts();
        let bytes = body
            .collect()
            .await
            .expect("the answer is whole")
            .to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes,
            json,
        }
    }

    pub async fn request(
        &self,
        method: Method,
        path: &str,
        media_type: Option<&str>,
        body: impl Into<Bytes>,
    ) -> Answer {
        let uri = format!("http://{}{path}", self.api);
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(media_type) = media_type {
            request = request.header(header::CONTENT_TYPE, media_type);
        }
        self.send(request.body(Full::new(body.into())).unwrap())
            .await
    }

    /// Hands the functions a request that comes from another address than this
    /// test's own, as the gateway would.
    pub async fn post_from(&self, client: &str, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(())
            .unwrap();
        let peer = SocketAddr::new(client.parse().expect("an address"), 40_000);
        let (head, ()) = request.into_parts();
        let event = event(&head, body.to_string().as_bytes(), peer).to_string();
        let request = otp::http::event::request(&event).expect("an event");
        let functions = &self.stack.functions;
        let now = (functions.clock)();
        let Ok(answer) = if path == LOGIN {
            login_with_otp::handle(&functions.login, request, now).await
        } else {
            validate_otp::handle(&functions.validate, request, now).await
        };
        Answer::of(answer)
    }

    /// Brings a code to another deployment's validate function.
    pub async fn validate_with(&self, validate: &Validate, claim: &Value) -> Value {
        let request = Request::post(VALIDATE)
            .header(header::CONTENT_TYPE, "application/json")
            .body(())
            .unwrap();
        let (head, ()) = request.into_parts();
        let event = event(&head, claim.to_string().as_bytes(), self.api).to_string();
        let request = otp::http::event::request(&event).expect("an event");
        let now = (self.stack.functions.clock)();
        let Ok(answer) = validate_otp::handle(validate, request, now).await;
        Answer::of(answer).assert_ok().clone()
    }

    pub async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.request(Method::POST, path, Some("application/json"), body)
            .await
    }

    pub async fn login(&self, to: &str) -> Answer {
        self.post(LOGIN, destination(to).to_string()).await
    }

    /// Asks for a code and reads it, as a person would: id and digits.
    pub async fn receive_code(&self, to: &str) -> (String, String) {
        let answer = self.login(to).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        let id = answer.json["challenge_id"]
            .as_str()
            .expect("an id")
            .to_owned();
        (id, self.newest_code(to))
    }

    pub async fn validate(&self, to: &str, id: Option<&str>, otp: &str) -> Answer {
        let mut body = destination(to);
        body["otp"] = json!(otp);
        if let Some(id) = id {
            body["challenge_id"] = json!(id);
        }
        self.post(VALIDATE, body.to_string()).await
    }

    pub fn messages(&self, to: &str) -> Vec<Message> {
        self.stack.messages.messages(Some(to))
    }

    pub fn newest_code(&self, to: &str) -> String {
        self.messages(to)
            .first()
            .and_then(|message| message.code.clone())
            .expect("a code came")
    }
}

/// What becomes of a login.
impl TestApp {
    /// Logs in with a code, as a person would.
    pub async fn log_in(&self, to: &str) -> Value {
        let (id, code) = self.receive_code(to).await;
        let answer = self.validate(to, Some(&id), &code).await;
        answer.assert_ok().clone()
    }

    pub async fn refresh(&self, token: &Value) -> Answer {
        self.post(REFRESH, json!({ "refresh_token": token }).to_string())
            .await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, None, "").await
    }

    /// Asks who `token` speaks for.
    pub async fn me(&self, token: &str) -> Answer {
        let request = Request::builder()
            .uri(format!("http://{}{ME}", self.api))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Full::default());
        self.send(request.unwrap()).await
    }
}

/// What stands in the table.
impl TestApp {
    pub async fn items(&self) -> Vec<HashMap<String, AttributeValue>> {
        let client = aws_sdk_dynamodb::Client::new(&sdk_config(self.stack.aws));
        let table = &self.stack.config.table_name;
        let pages = client
            .scan()
            .table_name(table)
            .into_paginator()
            .items()
            .send();
        pages.collect::<Result<_, _>>().await.expect("a scan")
    }

    /// Makes a user behind the functions' back.
    pub async fn add_user(&self, to: &str, disabled: bool) {
        let client = aws_sdk_dynamodb::Client::new(&sdk_config(self.stack.aws));
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let channel = if to.starts_with('+') { "sms" } else { "email" };
        let mut put = client
            .put_item()
            .table_name(&self.stack.config.table_name)
            .item("pk", text(&format!("{channel}#{to}")))
            .item("sk", text("user"))
            .item("user_id", text(&format!("user of {channel}")))
            .item("created_at", AttributeValue::N("0".into()));
        if disabled {
            put = put.item("disabled_at", AttributeValue::N("0".into()));
        }
        put.send().await.expect("the user is put");
    }

    /// Disables a user behind the functions' back.
    pub async fn disable_user(&self, to: &str) {
        let client = aws_sdk_dynamodb::Client::new(&sdk_config(self.stack.aws));
        let channel = if to.starts_with('+') { "sms" } else { "email" };
        client
            .update_item()
            .table_name(&self.stack.config.table_name)
            .key("pk", AttributeValue::S(format!("{channel}#{to}")))
            .key("sk", AttributeValue::S("user".into()))
            .update_expression("SET disabled_at = :at")
            .expression_attribute_values(":at", AttributeValue::N("0".into()))
            .send()
            .await
            .expect("the user is disabled");
    }

    /// Removes a user behind the functions' back.
    pub async fn remove_user(&self, to: &str) {
        let client = aws_sdk_dynamodb::Client::new(&sdk_config(self.stack.aws));
        let channel = if to.starts_with('+') { "sms" } else { "email" };
        client
            .delete_item()
            .table_name(&self.stack.config.table_name)
            .key("pk", AttributeValue::S(format!("{channel}#{to}")))
            .key("sk", AttributeValue::S("user".into()))
            .send()
            .await
            .expect("the user is removed");
    }

    /// The attempts spent on a challenge.
    pub async fn spent(&self, to: &str, id: &str) -> usize {
        let items = self.items().await;
        let sort = format!("challenge#{id}");
        let challenge = items.iter().find(|item| {
            item["pk"].as_s().unwrap().ends_with(to) && *item["sk"].as_s().unwrap() == sort
        });
        let spent = challenge
            .expect("the challenge is in the table")
            .get("spent_by");
        spent.map_or(0, |set| set.as_ss().expect("a set").len())
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            for message in self.stack.messages.messages(None) {
                self.log.assert_never_says(&message.to);
                self.log
                    .assert_never_says(message.code.as_deref().unwrap_or(&message.to));
            }
        }
    }
}

impl Answer {
    fn of(answer: lambda_http::Response<lambda_http::Body>) -> Self {
        let (parts, body) = answer.into_parts();
        let bytes = Bytes::copy_from_slice(&body);
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Self {
            status: parts.status,
            headers: parts.headers,
            bytes,
            json,
        }
    }

    /// Checks that this is the problem, whole: statement, headers and members.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, name: &str) {
        assert_eq!(
            self.json["type"],
            format!("/problems/{name}"),
            "{}",
            self.json
        );
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        assert_eq!(self.json["status"], status);
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(self.headers[header::CACHE_CONTROL], "no-store");
        assert!(self.json["title"].is_string());
        assert!(self.json["detail"].is_string());
        assert_eq!(self.json["error"], self.json["detail"]);
    }

    /// Checks that this is a refusal by a limit, and tells its wait in seconds.
    #[track_caller]
    pub fn assert_too_many(&self) -> u64 {
        self.assert_problem(429, "too-many-requests");
        let wait = self.json["retry_after"]
            .as_u64()
            .expect("a wait in the body");
        assert_eq!(self.headers[header::RETRY_AFTER], wait.to_string().as_str());
        wait
    }

    #[track_caller]
    pub fn assert_ok(&self) -> &Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.json);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(self.headers[header::CACHE_CONTROL], "no-store");
        &self.json
    }
}

pub fn destination(to: &str) -> Value {
    if to.starts_with('+') {
        json!({ "phone_number": to })
    } else {
        json!({ "email": to })
    }
}

/// A code of the same length that is not `code`.
pub fn other_than(code: &str) -> String {
    let last = code.len() - 1;
    let digit = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{digit}", &code[..last])
}

fn reading(clock: &Arc<AtomicU64>) -> Clock {
    let clock = Arc::clone(clock);
    Arc::new(move || UnixTime::from_millis(clock.load(Ordering::SeqCst)))
}
