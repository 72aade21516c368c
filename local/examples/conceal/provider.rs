//! The stack's AWS, with a provider that fails for some recipients.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header::CONNECTION},
    response::{IntoResponse, Response},
};
use http_body_util::Full;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{Class, Http, client};

const BODY_LIMIT: usize = 1024 * 1024;

/// Stands between the functions and the stack's AWS, for all their calls alike.
#[derive(Clone)]
pub struct Provider {
    aws: SocketAddr,
    http: Http,
    classes: Arc<HashMap<String, Class>>,
    failed: Arc<AtomicUsize>,
}

impl Provider {
    pub fn new(aws: SocketAddr, classes: HashMap<String, Class>) -> Self {
        Self {
            aws,
            http: client(),
            classes: Arc::new(classes),
            failed: Arc::default(),
        }
    }

    /// Serves on a free port for as long as the runtime lives.
    pub async fn serve(&self) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(address)
    }

    /// How many messages were refused or left hanging.
    pub fn failed(&self) -> usize {
        self.failed.load(Ordering::Relaxed)
    }

    fn class_of(&self, message: &[u8]) -> Option<Class> {
        let message: Value = serde_json::from_slice(message).ok()?;
        let to = message["Destination"]["ToAddresses"][0].as_str()?;
        self.classes.get(to).copied()
    }

    async fn forward(&self, request: Request, body: Bytes) -> Option<Response> {
        let path = request.uri().path_and_query()?.as_str().to_owned();
        let (mut head, _) = request.into_parts();
        head.uri = format!("http://{}{path}", self.aws).parse().ok()?;
        // That header is about one connection, and there are two.
        head.headers.remove(CONNECTION);
        let request = Request::from_parts(head, Full::new(body));
        let mut response = self.http.request(request).await.ok()?;
        response.headers_mut().remove(CONNECTION);
        Some(response.map(Body::new))
    }
}

async fn answer(State(provider): State<Provider>, mut request: Request) -> Response {
    let body = std::mem::take(request.body_mut());
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    if request.uri().path().starts_with("/v2/email/") {
        match provider.class_of(&body) {
            Some(Class::Refused) => {
                provider.failed.fetch_add(1, Ordering::Relaxed);
                return refusal();
            }
            Some(Class::Hanging) => {
                provider.failed.fetch_add(1, Ordering::Relaxed);
                return std::future::pending().await;
            }
            _ => {}
        }
    }
    let answer = provider.forward(request, body).await;
    answer.unwrap_or_else(|| StatusCode::BAD_GATEWAY.into_response())
}

/// What SES answers in its sandbox.
fn refusal() -> Response {
    (
        StatusCode::BAD_REQUEST,
        [("x-amzn-errortype", "MessageRejected")],
        r#"{"message":"Email address is not verified."}"#,
    )
        .into_response()
}
