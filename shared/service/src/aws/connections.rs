//! The connections to AWS, shared by all clients.
//!
//! A service or a network on the way forgets connections that are idle, and a frozen
//! function does not learn of it: the next call on such a connection is lost. The
//! clients repeat a lost call of the table or of a key. A message must not be sent
//! twice, so sends have connections of their own, which are never idle for long.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpConnector, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
    },
    orchestrator::HttpRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use tokio::time::{Instant, timeout};

use super::{Aws, Service, TrustRoots};

/// The connect timeout, TLS included.
const CONNECT: Duration = Duration::from_secs(1);

/// How long a connection may be idle before a call that is repeated if it is lost.
const IDLE: Duration = Duration::from_mins(1);
/// The same, before a send.
const IDLE_BEFORE_SEND: Duration = Duration::from_secs(2);

/// How many connections to a service are kept: fewer than there are attempts at a call,
/// so that the last attempt opens one, whatever became of those that were kept.
pub(super) const KEPT: usize = 2;

/// A path that AWS services answer without signature, permissions or cost. The
/// answer does not matter.
const PING: &str = "sping";

/// Two pools of connections: for calls that are repeated when they are lost, and for
/// sends.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    kept: SharedHttpConnector,
    fresh: SharedHttpConnector,
}

impl Connections {
    /// Pools that trust `roots`. They open no connection yet.
    pub(super) fn new(roots: &TrustRoots, kept: usize) -> Self {
        Self {
            kept: pool(roots, IDLE, kept),
            fresh: pool(roots, IDLE_BEFORE_SEND, KEPT),
        }
    }

    /// For the SDK's clients whose calls may be repeated.
    pub(super) fn kept(&self) -> SharedHttpClient {
        client(&self.kept)
    }

    /// For the SDK's clients that send messages.
    pub(super) fn fresh(&self) -> SharedHttpClient {
        client(&self.fresh)
    }

    /// Opens a connection within a second, unless an open one answers.
    pub(super) async fn open(&self, service: Service, endpoint: &str) {
        let pool = if service == Service::Table {
            &self.kept
        } else {
            &self.fresh
        };
        let _ = timeout(CONNECT, ping(pool, endpoint)).await;
    }
}

fn pool(roots: &TrustRoots, idle: Duration, kept: usize) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT);
    let connector = Connector::builder()
        .connector_settings(settings.build())
        .pool_idle_timeout(idle)
        .pool_max_idle_per_host(kept)
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(roots.context());
    SharedHttpConnector::new(connector.build())
}

/// An HTTP client for the search for credentials.
#[must_use]
pub fn http_client(roots: &TrustRoots) -> SharedHttpClient {
    client(&pool(roots, IDLE, KEPT))
}

/// By default, each of the SDK's clients builds a connector and reads all roots again.
fn client(pool: &SharedHttpConnector) -> SharedHttpClient {
    let pool = pool.clone();
    http_client_fn(move |_, _| pool.clone())
}

/// Reads the whole answer: only then does the connection return to the pool.
async fn ping(pool: &SharedHttpConnector, endpoint: &str) {
    let mut request = HttpRequest::new(SdkBody::empty());
    let uri = format!("{}/{PING}", endpoint.trim_end_matches('/'));
    if request.set_uri(uri).is_ok()
        && let Ok(answer) = pool.call(request).await
    {
        let _ = ByteStream::new(answer.into_body()).collect().await;
    }
}

/// The connection to a provider, opened before the code that it is to carry is stored.
pub(crate) struct ProviderConnection {
    aws: Aws,
    provider: Service,
    opened: Mutex<Option<Instant>>,
}

impl ProviderConnection {
    pub(crate) fn new(aws: &Aws, provider: Service) -> Self {
        Self {
            aws: aws.clone(),
            provider,
            opened: Mutex::default(),
        }
    }

    /// Makes sure that a send soon after this finds an open connection. Sends do not
    /// count as openings: when a login opens a connection says nothing about whether
    /// the one before it sent a message.
    pub(crate) async fn open(&self) {
        if self.is_due() {
            self.aws.connect(self.provider).await;
        }
    }

    fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = opened.is_none_or(|at| now - at > IDLE_BEFORE_SEND / 2);
        if is_due {
            *opened = Some(now);
        }
        is_due
    }
}
