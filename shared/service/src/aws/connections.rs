//! The connections to AWS, shared by all clients.

use std::time::Duration;

use aws_smithy_runtime_api::client::{
    http::{SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use tokio::{task::JoinSet, time::timeout};

use super::{TrustRoots, http::Http};

/// The connect timeout, TLS included.
const CONNECT: Duration = Duration::from_secs(1);

/// A path that AWS services answer without signature, permissions or cost. The
/// answer does not matter.
const PING: &str = "sping";

/// One pool of connections for all clients.
pub struct Connections(SharedHttpConnector);

impl Connections {
    /// A pool that trusts `roots`. It opens no connection yet.
    #[must_use]
    pub fn new(roots: &TrustRoots) -> Self {
        Self(SharedHttpConnector::new(Http::new(roots, CONNECT)))
    }

    /// An HTTP client for the SDK's clients. By default, each of them builds its
    /// own connector and reads all roots again.
    #[must_use]
    pub fn client(&self) -> SharedHttpClient {
        let connector = self.0.clone();
        http_client_fn(move |_, _| connector.clone())
    }

    /// Opens a connection for each of `endpoints`, concurrently and within
    /// a second, so that the first request finds them open. A connection that
    /// cannot be opened is not an error: the call that needs it opens it again
    /// and reports the failure.
    pub async fn open(&self, endpoints: Vec<String>) {
        let mut pings: JoinSet<()> = endpoints
            .into_iter()
            .map(|endpoint| ping(self.0.clone(), endpoint))
            .collect();
        let _ = timeout(CONNECT, async {
            while pings.join_next().await.is_some() {}
        })
        .await;
    }
}

/// Reads the whole answer: only then does the connection return to the pool.
async fn ping(connector: SharedHttpConnector, endpoint: String) {
    let mut request = HttpRequest::new(SdkBody::empty());
    let uri = format!("{}/{PING}", endpoint.trim_end_matches('/'));
    if request.set_uri(uri).is_ok() {
        use aws_smithy_runtime_api::client::http::HttpConnector;
        if let Ok(answer) = connector.call(request).await {
            let _ = ByteStream::new(answer.into_body()).collect().await;
        }
    }
}
