//! Proxies to the local stack, one address per service like in AWS, which record
//! every call.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header::HOST},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use otp_service::ambient::Stopwatch;
use tokio::net::TcpListener;

use crate::Outcome;

/// The services, and the variables with their endpoints.
const SERVICES: [(&str, &str); 4] = [
    ("DynamoDB", "AWS_ENDPOINT_URL_DYNAMODB"),
    ("KMS", "AWS_ENDPOINT_URL_KMS"),
    ("SES", "AWS_ENDPOINT_URL_SESV2"),
    ("SNS", "AWS_ENDPOINT_URL_SNS"),
];

/// The path of a request that only opens a connection. It is not a call.
const PING: &str = "/sping";

/// A call of a service.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation.
    pub operation: String,
    /// When the request arrived, since an arbitrary start.
    pub began: Duration,
    /// When the answer was ready, since the same start.
    pub ended: Duration,
}

/// The proxies.
pub struct Services {
    /// The environment variables with the proxies' endpoints.
    pub variables: Vec<(String, String)>,
    shared: Arc<Shared>,
}

struct Shared {
    behind: SocketAddr,
    client: Client<HttpConnector, Body>,
    clock: Stopwatch,
    state: Mutex<Recording>,
}

#[derive(Default)]
struct Recording {
    delay: Duration,
    calls: Vec<Call>,
}

#[derive(Clone)]
struct Front {
    service: &'static str,
    shared: Arc<Shared>,
}

impl Services {
    /// Starts proxies to the stack at `behind`.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start(behind: SocketAddr) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            behind,
            client: Client::builder(TokioExecutor::new()).build_http(),
            clock: Stopwatch::start(),
            state: Mutex::default(),
        });
        let mut variables = Vec::new();
        for (service, variable) in SERVICES {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            variables.push((variable.to_owned(), format!("http://{address}")));
            let shared = Arc::clone(&shared);
            let router = Router::new()
                .fallback(forward)
                .with_state(Front { service, shared });
            tokio::spawn(async { axum::serve(listener, router).await });
        }
        Ok(Self { variables, shared })
    }

    /// Deletes the recorded calls, and delays each further call by `delay`.
    pub fn restart(&self, delay: Duration) {
        *self.shared.recording() = Recording {
            delay,
            calls: Vec::new(),
        };
    }

    /// The calls since the last restart, in the order in which they began.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let mut calls = self.shared.recording().calls.clone();
        calls.sort_by_key(|call| call.began);
        calls
    }
}

impl Shared {
    fn recording(&self) -> std::sync::MutexGuard<'_, Recording> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn forward(State(front): State<Front>, request: Request) -> Response {
    let answer = pass(&front, request).await;
    answer.unwrap_or_else(|_| StatusCode::BAD_GATEWAY.into_response())
}

async fn pass(front: &Front, mut request: Request) -> Outcome<Response> {
    let shared = &front.shared;
    let began = shared.clock.elapsed();
    let operation = operation(request.headers(), request.uri(), front.service);
    let path = request.uri().path().to_owned();
    request.headers_mut().remove(HOST);
    *request.uri_mut() = format!("http://{}{path}", shared.behind).parse()?;
    let (head, body) = shared.client.request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    let delay = shared.recording().delay;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if path != PING {
        shared.recording().calls.push(Call {
            operation,
            began,
            ended: shared.clock.elapsed(),
        });
    }
    // The whole body at once, so that the answer is one write.
    Ok(Response::from_parts(head, Body::from(body)))
}

fn operation(headers: &HeaderMap, uri: &Uri, service: &str) -> String {
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok());
    let named = target.and_then(|target| target.rsplit('.').next());
    let implied = match service {
        "SES" => "SendEmail",
        "SNS" => "Publish",
        _ => uri.path(),
    };
    named.unwrap_or(implied).to_owned()
}
