//! The part of the Lambda Runtime API that a function calls: `next`, `response`
//! and `error`.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinHandle,
};

use crate::Outcome;

const REQUEST_ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:bench";
const TRACE: &str = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1";
/// The year 2100, in milliseconds, so that no deadline passes under valgrind.
const DEADLINE: &str = "4102444800000";

/// The Runtime API of one function. Dropping it stops it.
pub struct RuntimeApi {
    /// Where it listens.
    pub address: SocketAddr,
    events: mpsc::UnboundedSender<String>,
    asked: mpsc::UnboundedReceiver<()>,
    answers: mpsc::UnboundedReceiver<Result<Bytes, String>>,
    server: JoinHandle<io::Result<()>>,
}

struct Shared {
    events: Mutex<mpsc::UnboundedReceiver<String>>,
    asked: mpsc::UnboundedSender<()>,
    answers: mpsc::UnboundedSender<Result<Bytes, String>>,
}

impl RuntimeApi {
    /// Listens at a free loopback port.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (events, to_hand_out) = mpsc::unbounded_channel();
        let (asks, asked) = mpsc::unbounded_channel();
        let (answer, answers) = mpsc::unbounded_channel();
        let shared = Shared {
            events: Mutex::new(to_hand_out),
            asked: asks,
            answers: answer,
        };
        let invocation = "/2018-06-01/runtime/invocation";
        let router = Router::new()
            .route(&format!("{invocation}/next"), get(next))
            .route(&format!("{invocation}/{{id}}/{{kind}}"), post(end))
            .route("/2018-06-01/runtime/init/error", post(stillborn))
            .with_state(Arc::new(shared));
        Ok(Self {
            address,
            events,
            asked,
            answers,
            server: tokio::spawn(async { axum::serve(listener, router).await }),
        })
    }

    /// Waits until the function asks for its next event.
    ///
    /// # Errors
    ///
    /// The function reported that it cannot start.
    pub async fn idle(&mut self) -> Outcome<()> {
        tokio::select! {
            asked = self.asked.recv() => asked.ok_or_else(|| "the Runtime API has ended".into()),
            Some(Err(error)) = self.answers.recv() => Err(error.into()),
        }
    }

    /// Sends an event to the idle function, and waits until it has answered and
    /// is idle again.
    ///
    /// # Errors
    ///
    /// The function answered with an error.
    pub async fn invoke(&mut self, event: String) -> Outcome<Bytes> {
        self.events.send(event)?;
        let answer = self
            .answers
            .recv()
            .await
            .ok_or("the Runtime API has ended")?;
        let answer = answer?;
        self.idle().await?;
        Ok(answer)
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let mut events = shared.events.lock().await;
    let _ = shared.asked.send(());
    let event = events.recv().await.unwrap_or_default();
    let headers = [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", REQUEST_ID),
        ("lambda-runtime-deadline-ms", DEADLINE),
        ("lambda-runtime-invoked-function-arn", ARN),
        ("lambda-runtime-trace-id", TRACE),
    ];
    let headers: HeaderMap = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name.parse().ok()?, HeaderValue::from_static(value))))
        .collect();
    (headers, event)
}

async fn end(
    State(shared): State<Arc<Shared>>,
    Path((_, kind)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    let answer = if kind == "response" {
        Ok(body)
    } else {
        Err(String::from_utf8_lossy(&body).into_owned())
    };
    let _ = shared.answers.send(answer);
    StatusCode::ACCEPTED
}

async fn stillborn(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    let error = String::from_utf8_lossy(&body).into_owned();
    let _ = shared.answers.send(Err(error));
    StatusCode::ACCEPTED
}
