//! The shipped handlers as a test sees them: requests from any client in, and
//! faults between them and the services.

mod table;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_config::Region;
use aws_sdk_dynamodb::Client;
use axum::http::Request;
use local::{
    gateway::{Clock, Functions, event},
    inbox::Message,
    stack::{Options, Stack, sdk_config},
};
use otp::{config::Config, domain::UnixTime, http::route::Route, login::Login, validate::Validate};
use serde_json::{Value, json};

pub use self::table::{number, partition_name, spent};
use crate::faults::{Faults, proxy};

/// Ten past midnight of 2026-01-01, UTC: far from the edge of any window.
pub const START: u64 = 1_767_226_200_000;

/// Where requests come from, unless a test says otherwise.
pub const SOMEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

pub struct Service {
    pub stack: Arc<Stack>,
    pub faults: Arc<Faults>,
    functions: Functions,
    clock: Arc<AtomicU64>,
    table: Client,
}

// No `Debug`: answers carry tokens.
pub struct Answer {
    pub status: u16,
    pub json: Value,
}

impl Service {
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let clock = Arc::new(AtomicU64::new(START));
        let find = |name: &str| {
            let found = settings.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let options = Options {
            api: "127.0.0.1:0".into(),
            inbox: "127.0.0.1:0".into(),
            aws: "127.0.0.1:0".into(),
            settings: find,
            clock: reading(&clock),
        };
        let stack = Stack::start(options).await.expect("the stack starts");
        Self::on(Arc::new(stack), clock).await
    }

    /// Other functions, cold, on the same services, with faults of their own.
    pub async fn another(&self) -> Self {
        Self::on(Arc::clone(&self.stack), Arc::clone(&self.clock)).await
    }

    async fn on(stack: Arc<Stack>, clock: Arc<AtomicU64>) -> Self {
        let (address, faults) = proxy(stack.aws).await;
        Self {
            functions: functions(&stack.config, address, reading(&clock)),
            table: Client::new(&sdk_config(stack.aws)),
            stack,
            faults,
            clock,
        }
    }

    /// Fetches the keys ahead of the first request, as a function's start does.
    pub async fn warm_up(&self) {
        tokio::join!(
            self.functions.login.warm_up(),
            self.functions.validate.warm_up()
        );
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap();
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    pub async fn post(&self, route: Route, body: &Value) -> Answer {
        self.ask(SOMEWHERE, route, &[], body).await
    }

    pub async fn ask(
        &self,
        from: IpAddr,
        route: Route,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let mut request = Request::builder()
            .method(route.method())
            .uri(route.path())
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let event = event(&head, body.as_bytes(), SocketAddr::new(from, 40_000)).to_string();
        let request = lambda_http::request::from_str(&event).expect("an event");
        let now = (self.functions.clock)();
        let Ok(answer) = if route == Route::Login {
            login_with_otp::handle(&self.functions.login, request, now).await
        } else {
            validate_otp::handle(&self.functions.validate, request, now).await
        };
        Answer {
            status: answer.status().as_u16(),
            json: serde_json::from_slice(answer.body()).unwrap_or(Value::Null),
        }
    }

    pub fn messages(&self, to: &str) -> Vec<Message> {
        self.stack.messages.messages(Some(to))
    }

    /// Asks for a code and reads it: challenge id and digits.
    pub async fn receive_code(&self, to: &str) -> (String, String) {
        let answer = self.post(Route::Login, &destination(to)).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        let code = self.messages(to)[0].code.clone().expect("a code came");
        (answer.text("challenge_id"), code)
    }

    /// Logs in with a code, as a person would: a refresh token.
    pub async fn log_in(&self, to: &str) -> String {
        let (id, code) = self.receive_code(to).await;
        let answer = self
            .post(Route::Validate, &claim(to, Some(&id), &code))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.json["type"]);
        answer.text("refresh_token")
    }
}

impl Answer {
    pub fn text(&self, member: &str) -> String {
        let text = self.json[member].as_str();
        text.expect("a text member").to_owned()
    }
}

/// Functions with a budget of retries of their own: the SDK keeps one for each
/// region.
fn functions(config: &Config, aws: SocketAddr, clock: Clock) -> Functions {
    static STARTED: AtomicU64 = AtomicU64::new(0);
    let region = Region::new(format!("test-{}", STARTED.fetch_add(1, Ordering::SeqCst)));
    let sdk = sdk_config(aws).into_builder().region(region).build();
    Functions {
        login: Login::new(config, &sdk),
        validate: Validate::new(config, &sdk),
        clock,
    }
}

fn reading(clock: &Arc<AtomicU64>) -> Clock {
    let clock = Arc::clone(clock);
    Arc::new(move || UnixTime::from_millis(clock.load(Ordering::SeqCst)))
}

pub fn destination(to: &str) -> Value {
    let member = if to.starts_with('+') {
        "phone_number"
    } else {
        "email"
    };
    json!({ member: to })
}

pub fn claim(to: &str, id: Option<&str>, otp: &str) -> Value {
    let mut body = destination(to);
    body["otp"] = json!(otp);
    if let Some(id) = id {
        body["challenge_id"] = json!(id);
    }
    body
}

/// A code of the same length that is not `code`.
pub fn other_than(code: &str) -> String {
    let digit = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{digit}", &code[..code.len() - 1])
}
