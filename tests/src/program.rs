//! A function's program, started and invoked as Lambda does.

use std::{net::SocketAddr, process::Stdio, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use local::gateway;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::timeout,
};

/// Lambda's side of the runtime interface: events for the program, and its answers.
struct RuntimeApi {
    events: Mutex<mpsc::UnboundedReceiver<String>>,
    answers: mpsc::UnboundedSender<(String, Value)>,
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    let event = api.events.lock().await.recv().await;
    let headers = [
        ("lambda-runtime-aws-request-id", "request"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn"),
    ];
    (headers, event.unwrap_or_default()).into_response()
}

/// The kind is `response` or `error`.
async fn finished(
    State(api): State<Arc<RuntimeApi>>,
    Path((_, kind)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    let _ = api.answers.send((kind, body));
    StatusCode::ACCEPTED
}

fn serve(api: RuntimeApi) -> SocketAddr {
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(finished))
        .with_state(Arc::new(api));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("its address");
    let listener = TcpListener::from_std(listener).expect("a socket");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A function's process, which answers one event at a time.
pub struct Program {
    process: Child,
    events: mpsc::UnboundedSender<String>,
    answers: mpsc::UnboundedReceiver<(String, Value)>,
    log: JoinHandle<String>,
    errors: JoinHandle<String>,
}

impl Program {
    /// Starts a program that runs a function, on the services at this address, with these
    /// settings beside those that it needs.
    #[must_use]
    pub fn start(mut program: Command, services: SocketAddr, settings: &[(&str, &str)]) -> Self {
        let (events, received) = mpsc::unbounded_channel();
        let (sent, answers) = mpsc::unbounded_channel();
        let api = RuntimeApi {
            events: Mutex::new(received),
            answers: sent,
        };
        let mut process = program
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", serve(api).to_string()),
                ("AWS_ENDPOINT_URL", format!("http://{services}")),
            ])
            .envs([
                ("AWS_LAMBDA_FUNCTION_NAME", "function"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "local"),
                ("AWS_SECRET_ACCESS_KEY", "local"),
                ("TABLE_NAME", "login-with-otp"),
                ("BRAND", "Example"),
                ("EMAIL_FROM", "login@example.com"),
                ("TOKEN_ISSUER", "https://login.example.com"),
                ("TOKEN_AUDIENCE", "example"),
                ("SIGNING_KEY_ID", "local-signing-key"),
                ("DIGEST_KEY_ID", "local-digest-key"),
            ])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        // A full pipe would stop the program.
        let log = read(process.stdout.take().expect("a pipe"));
        let errors = read(process.stderr.take().expect("a pipe"));
        Self {
            process,
            events,
            answers,
            log,
            errors,
        }
    }

    /// The event of a request with this body.
    #[must_use]
    pub fn event(path: &str, body: &Value) -> String {
        Self::event_with(path, body, &[])
    }

    /// The event of a request with this body and these headers.
    #[must_use]
    pub fn event_with(path: &str, body: &Value, headers: &[(&str, &str)]) -> String {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        let peer = SocketAddr::from(([203, 0, 113, 7], 40_000));
        gateway::event(&head, body.to_string().as_bytes(), peer).to_string()
    }

    /// Sends an event, which waits until the program asks for its next one.
    pub fn send(&self, event: &str) {
        let sent = self.events.send(event.to_owned());
        sent.expect("the runtime interface is served");
    }

    /// Waits for the next answer.
    pub async fn answer(&mut self) -> Value {
        let answer = timeout(Duration::from_mins(1), self.answers.recv()).await;
        let (kind, answer) = answer.expect("an answer in time").expect("an answer");
        assert_eq!(kind, "response", "{answer}");
        answer
    }

    /// Ends the program; returns what it has logged.
    pub async fn end(mut self) -> String {
        let is_running = self.process.start_kill();
        is_running.expect("the program is still running");
        let errors = self.errors.await.expect("the errors are read");
        assert_eq!(errors, "", "written to standard error");
        self.log.await.expect("the log is read")
    }
}

fn read(mut from: impl AsyncRead + Send + Unpin + 'static) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut text = String::new();
        from.read_to_string(&mut text).await.expect("text");
        text
    })
}
