//! The program itself, invoked as Lambda invokes it: an answer for any JSON,
//! and never a runtime error, which would be a 502 to the client and a stack
//! trace in the log.

#![expect(clippy::expect_used, reason = "a test stops where it cannot go on")]

use std::{net::SocketAddr, process::Stdio, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use local::stack::{Options, Stack};
use serde_json::Value;
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc},
    time::timeout,
};

const LOGIN: &str = include_str!("../../../events/login-email.json");

/// Lambda's side of the runtime interface: events to hand out, and what comes
/// back.
struct Lambda {
    events: Mutex<mpsc::UnboundedReceiver<String>>,
    answers: mpsc::UnboundedSender<(String, Value)>,
}

async fn next(State(lambda): State<Arc<Lambda>>) -> Response {
    let event = lambda.events.lock().await.recv().await;
    let headers = [
        ("lambda-runtime-aws-request-id", "request"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn"),
    ];
    (headers, event.unwrap_or_default()).into_response()
}

async fn finished(
    State(lambda): State<Arc<Lambda>>,
    Path((_, kind)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    let _ = lambda.answers.send((kind, body));
    StatusCode::ACCEPTED
}

async fn serve(lambda: Lambda) -> SocketAddr {
    let api = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(finished))
        .with_state(Arc::new(lambda));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move { axum::serve(listener, api).await });
    address
}

async fn stack() -> Stack {
    let any = || "127.0.0.1:0".to_owned();
    let options = Options {
        api: any(),
        inbox: any(),
        aws: any(),
        settings: |_: &str| None,
        clock: Arc::new(otp::ambient::now),
    };
    Stack::start(options).await.expect("the stack starts")
}

fn start(lambda: SocketAddr, stack: &Stack) -> Child {
    Command::new(env!("CARGO_BIN_EXE_login-with-otp"))
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", lambda.to_string()),
            ("AWS_ENDPOINT_URL", format!("http://{}", stack.aws)),
        ])
        .envs([
            ("AWS_LAMBDA_FUNCTION_NAME", "login"),
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
        .expect("the program starts")
}

#[tokio::test]
async fn whatever_json_the_program_is_invoked_with_it_answers() {
    let stack = stack().await;
    let (invoke, events) = mpsc::unbounded_channel();
    let (answers, mut answered) = mpsc::unbounded_channel();
    let events = Mutex::new(events);
    let mut program = start(serve(Lambda { events, answers }).await, &stack);

    let host = LOGIN.replace("\"Host\": \"", "\"Host\": \"c4n4ry[@::");
    let base64 = LOGIN
        .replace("\"body\": \"", "\"body\": \"c4n4ry!")
        .replace("\"isBase64Encoded\": false", "\"isBase64Encoded\": true");
    assert!(host != LOGIN && base64 != LOGIN, "the event was changed");
    for (event, status) in [
        (base64.as_str(), 400),
        ("null", 400),
        (r#"{"headers": "c4n4ry"}"#, 400),
        (r#""\ud800""#, 400),
        ("1e999", 400),
        (&host, 200),
        (LOGIN, 429),
    ] {
        invoke.send(event.to_owned()).expect("Lambda listens");
        let answer = timeout(Duration::from_mins(1), answered.recv()).await;
        let (kind, answer) = answer.expect("in time").expect("an answer");
        assert_eq!(kind, "response", "{answer}");
        assert_eq!(answer["statusCode"], status, "{answer}");
        assert!(!answer.to_string().contains("c4n4ry"));
    }
    assert_eq!(stack.messages.messages(None).len(), 1);

    program.start_kill().expect("the program is still there");
    let (mut said, mut complained) = (String::new(), String::new());
    let (stdout, stderr) = (program.stdout.take(), program.stderr.take());
    stdout.unwrap().read_to_string(&mut said).await.unwrap();
    stderr
        .unwrap()
        .read_to_string(&mut complained)
        .await
        .unwrap();
    assert_eq!(
        said.matches("\"invalid-request\"").count(),
        5,
        "one line each"
    );
    assert!(!said.contains("c4n4ry"));
    assert_eq!(complained, "");
}
