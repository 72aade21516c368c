//! The functions' programs, invoked as Lambda invokes them. A program answers any JSON. A runtime
//! error would be a 502 for the client and a stack trace in the log.

use std::{net::SocketAddr, process::Stdio, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::Value;
use tests::TestApp;
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc},
    time::timeout,
};

const LOGIN: &str = include_str!("../../../events/login-email.json");
const VALIDATE: &str = include_str!("../../../events/validate-email.json");

/// A part of each malformed event. Neither an answer nor the log may repeat it.
const CANARY: &str = "c4n4ry";

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

async fn serve(api: RuntimeApi) -> SocketAddr {
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(finished))
        .with_state(Arc::new(api));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A function's process.
struct Program {
    process: Child,
    events: mpsc::UnboundedSender<String>,
    answers: mpsc::UnboundedReceiver<(String, Value)>,
}

impl Program {
    async fn start(path: &str, app: &TestApp) -> Self {
        let (events, received) = mpsc::unbounded_channel();
        let (sent, answers) = mpsc::unbounded_channel();
        let api = RuntimeApi {
            events: Mutex::new(received),
            answers: sent,
        };
        let process = Command::new(path)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", serve(api).await.to_string()),
                ("AWS_ENDPOINT_URL", format!("http://{}", app.stack.aws)),
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
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        Self {
            process,
            events,
            answers,
        }
    }

    async fn assert_answers(&mut self, event: &str, status: u16) {
        let sent = self.events.send(event.to_owned());
        sent.expect("the runtime interface is served");
        let answer = timeout(Duration::from_mins(1), self.answers.recv()).await;
        let (kind, answer) = answer.expect("an answer in time").expect("an answer");
        assert_eq!(kind, "response", "{answer}");
        assert_eq!(answer["statusCode"], status, "{answer}");
        assert!(!answer.to_string().contains(CANARY), "{answer}");
    }

    /// Ends the program; returns what it has logged.
    async fn end(mut self) -> String {
        let is_running = self.process.start_kill();
        is_running.expect("the program is still running");
        let (mut log, mut errors) = (String::new(), String::new());
        let (stdout, stderr) = (self.process.stdout.take(), self.process.stderr.take());
        stdout.unwrap().read_to_string(&mut log).await.unwrap();
        stderr.unwrap().read_to_string(&mut errors).await.unwrap();
        assert_eq!(errors, "", "written to standard error");
        assert!(!log.contains(CANARY), "the log repeats an event");
        log
    }
}

/// An event whose body is not the base64 that it should be.
fn with_wrong_base64(event: &str) -> String {
    let body = event.replace("\"body\": \"", "\"body\": \"c4n4ry!");
    let marked = body.replace("\"isBase64Encoded\": false", "\"isBase64Encoded\": true");
    assert!(body != event && marked != body, "the event was not changed");
    marked
}

const MALFORMED: [&str; 4] = ["null", r#"{"headers": "c4n4ry"}"#, r#""\ud800""#, "1e999"];

#[tokio::test]
async fn the_login_program_answers_any_json() {
    let app = TestApp::start().await;
    let mut program = Program::start(env!("CARGO_BIN_EXE_login-function"), &app).await;
    program.assert_answers(&with_wrong_base64(LOGIN), 400).await;
    for event in MALFORMED {
        program.assert_answers(event, 400).await;
    }
    let strange_host = LOGIN.replace("\"Host\": \"", "\"Host\": \"c4n4ry[@::");
    assert!(strange_host != LOGIN, "the event was not changed");
    program.assert_answers(&strange_host, 200).await;
    program.assert_answers(LOGIN, 429).await;
    assert_eq!(app.stack.messages.messages(None).len(), 1);

    let log = program.end().await;
    assert_eq!(log.matches("\"invalid-request\"").count(), 5, "{log}");
    assert_eq!(log.matches("\"outcome\"").count(), 7, "{log}");
}

#[tokio::test]
async fn the_validate_program_answers_any_json() {
    let app = TestApp::start().await;
    let mut program = Program::start(env!("CARGO_BIN_EXE_validate-function"), &app).await;
    for event in [&with_wrong_base64(VALIDATE), "{}"]
        .into_iter()
        .chain(MALFORMED)
    {
        program.assert_answers(event, 400).await;
    }
    program.assert_answers(VALIDATE, 400).await;

    let log = program.end().await;
    assert_eq!(log.matches("\"invalid-request\"").count(), 6, "{log}");
    assert_eq!(log.matches("\"invalid-otp\"").count(), 1, "{log}");
}
