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
use local::tls::{Certificate, Terminator};
use otp_service::ambient::Stopwatch;
use tokio::net::TcpListener;

mod units;

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
    /// The service.
    pub service: &'static str,
    /// The operation.
    pub operation: String,
    /// The write units that it used, if the table reports them.
    pub write_units: f64,
    /// When the request arrived, since an arbitrary start.
    pub began: Duration,
    /// When the answer was ready, since the same start.
    pub ended: Duration,
}

/// The proxies.
pub struct Services {
    /// The environment variables with the proxies' endpoints.
    pub plain: Vec<(&'static str, String)>,
    /// The same variables, with endpoints over TLS.
    pub tls: Vec<(&'static str, String)>,
    shared: Arc<Shared>,
    _terminators: Vec<Terminator>,
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
    asks_for_units: bool,
    calls: Vec<Call>,
}

#[derive(Clone)]
struct Front {
    service: &'static str,
    shared: Arc<Shared>,
}

impl Services {
    /// Starts proxies to the stack at `behind`, without and with TLS.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start(behind: SocketAddr, certificate: &Certificate) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            behind,
            client: Client::builder(TokioExecutor::new()).build_http(),
            clock: Stopwatch::start(),
            state: Mutex::default(),
        });
        let (mut plain, mut tls, mut terminators) = (Vec::new(), Vec::new(), Vec::new());
        for (service, variable) in SERVICES {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            plain.push((variable, format!("http://{address}")));
            let terminator = Terminator::start(certificate, address).await?;
            let port = terminator.address.port();
            tls.push((variable, format!("https://localhost:{port}")));
            terminators.push(terminator);
            let shared = Arc::clone(&shared);
            let router = Router::new()
                .fallback(forward)
                .with_state(Front { service, shared });
            tokio::spawn(async { axum::serve(listener, router).await });
        }
        Ok(Self {
            plain,
            tls,
            shared,
            _terminators: terminators,
        })
    }

    /// Deletes the recorded calls, and delays each further call by `delay`.
    pub fn restart(&self, delay: Duration) {
        *self.shared.recording() = Recording {
            delay,
            ..Recording::default()
        };
    }

    /// Deletes the recorded calls, and lets the table report the units of each further
    /// call.
    pub fn restart_with_units(&self) {
        *self.shared.recording() = Recording {
            asks_for_units: true,
            ..Recording::default()
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

async fn forward(State(front): State<Front>, mut request: Request) -> Response {
    let shared = &front.shared;
    let began = shared.clock.elapsed();
    let operation = operation(request.headers(), request.uri(), front.service);
    let path = request.uri().path().to_owned();
    request.headers_mut().remove(HOST);
    if front.service == "DynamoDB" && shared.recording().asks_for_units {
        request = match units::ask(request).await {
            Ok(request) => request,
            Err(_) => return StatusCode::BAD_REQUEST.into_response(),
        };
    }
    match format!("http://{}{path}", shared.behind).parse() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    }
    let Ok(response) = shared.client.request(request).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (head, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let body = body.to_bytes();
    let delay = shared.recording().delay;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if path != PING {
        shared.recording().calls.push(Call {
            service: front.service,
            write_units: units::of(&operation, &body),
            operation,
            began,
            ended: shared.clock.elapsed(),
        });
    }
    // The whole body at once, so that the answer is one write.
    Response::from_parts(head, Body::from(body))
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
