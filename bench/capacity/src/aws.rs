//! AWS inside the process: the SDK's requests never reach a socket, so the clock
//! can stand still while the code runs.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use axum::{Router, body::Body};
use http_body_util::BodyExt;
use lambda_http::tower::ServiceExt;
use local::{
    aws::{kms::Keys, router},
    inbox::Inbox,
};
use tokio::time::{Instant, sleep};

use crate::table::Table;

/// How long the other services take.
const KMS: Duration = Duration::from_millis(12);
const SES: Duration = Duration::from_millis(40);
const SNS: Duration = Duration::from_millis(60);

/// A call that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The service, or what it does at the table.
    pub what: &'static str,
    pub began: Instant,
    pub ended: Instant,
}

/// The services. Clones share them.
#[derive(Clone)]
pub struct Aws {
    pub table: Arc<Table>,
    others: Router,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}

impl Aws {
    pub fn new(table: Table, inbox: Inbox, keys: Keys) -> Self {
        // The router never forwards to this address: the table answers here.
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        Self {
            table: Arc::new(table),
            others: router(nowhere, inbox, keys),
            calls: Arc::default(),
        }
    }

    /// The calls since the last time that anybody asked.
    pub fn take_calls(&self) -> Vec<Call> {
        let calls = self.calls.lock();
        std::mem::take(&mut *calls.unwrap_or_else(PoisonError::into_inner))
    }

    fn record(&self, what: &'static str, began: Instant) {
        let ended = Instant::now();
        let calls = self.calls.lock();
        calls
            .unwrap_or_else(PoisonError::into_inner)
            .push(Call { what, began, ended });
    }

    pub fn sdk_config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("local", "local", None, None, "local");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url("http://aws.invalid")
            .region(Region::new("us-east-1"))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    async fn answer(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(broken)?;
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(broken)?.to_bytes();
        let began = Instant::now();
        let target = head.headers.get("x-amz-target").cloned();
        let target = target.as_ref().and_then(|target| target.to_str().ok());
        if let Some(("DynamoDB_20120810", operation)) =
            target.and_then(|target| target.split_once('.'))
        {
            let body = String::from_utf8_lossy(&body);
            let (status, body) = self.table.call(operation, &body).await;
            let reads = matches!(operation, "GetItem" | "BatchGetItem" | "Query");
            self.record(if reads { "read" } else { "write" }, began);
            return HttpResponse::try_from(
                lambda_http::http::Response::builder()
                    .status(status)
                    .body(SdkBody::from(body))
                    .map_err(broken)?,
            )
            .map_err(broken);
        }
        let (what, time) = match (target, head.uri.path()) {
            (Some(_), _) => ("KMS", KMS),
            (None, "/") => ("SNS", SNS),
            (None, _) => ("SES", SES),
        };
        sleep(time).await;
        self.record(what, began);
        let request = axum::extract::Request::from_parts(head, Body::from(body));
        let answer = self.others.oneshot(request).await.map_err(broken)?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(broken)?.to_bytes();
        let answer = lambda_http::http::Response::from_parts(head, SdkBody::from(body));
        HttpResponse::try_from(answer).map_err(broken)
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().answer(request))
    }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::other(error.into(), None)
}
