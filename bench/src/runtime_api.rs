//! The part of the Lambda Runtime API that a function calls: `next`, `response`
//! and `error`.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinSet,
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
    _server: JoinSet<io::Result<()>>,
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
            .route(
                &format!("{invocation}/{REQUEST_ID}/response"),
                post(answered),
            )
            .route(&format!("{invocation}/{REQUEST_ID}/error"), post(failed))
            .route("/2018-06-01/runtime/init/error", post(failed))
            .with_state(Arc::new(shared));
        let mut server = JoinSet::new();
        server.spawn(async { axum::serve(listener, router).await });
        Ok(Self {
            address,
            events,
            asked,
            answers,
            _server: server,
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
        let answer = self.answers.recv().await;
        let answer = answer.ok_or("the Runtime API has ended")??;
        self.idle().await?;
        Ok(answer)
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
    (headers, event)
}

async fn answered(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    let _ = shared.answers.send(Ok(body));
    StatusCode::ACCEPTED
}

async fn failed(State(shared): State<Arc<Shared>>, error: String) -> StatusCode {
    let _ = shared.answers.send(Err(error));
    StatusCode::ACCEPTED
}
