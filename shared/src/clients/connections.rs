//! The connections to AWS, which all clients share.

use std::time::Duration;

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use tokio::{task::JoinSet, time::timeout};

use super::Roots;

/// How long connecting may take, TLS included.
const CONNECT: Duration = Duration::from_secs(1);

/// What AWS's services answer without a signature, permissions or a price. The
/// answer does not matter.
const PING: &str = "sping";

/// One pool of connections for all clients.
pub struct Connections(SharedHttpConnector);

impl Connections {
    /// To servers whose certificates lead to `roots`. Connects to nobody yet.
    ///
    /// # Panics
    ///
    /// If the library cannot build a context, which it always can.
    #[must_use]
    pub fn new(roots: &Roots) -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the default would be the system's roots"
        )]
        let context = TlsContext::builder()
            .with_trust_store(roots.trust_store())
            .build()
            .expect("a context of roots alone can be built");
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT);
        let connector = Connector::builder()
            .connector_settings(settings.build())
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(context)
            .build();
        Self(SharedHttpConnector::new(connector))
    }

    /// For the SDK's clients. Left alone, it would build a connector for each of
    /// them, and read all roots each time.
    #[must_use]
    pub fn client(&self) -> SharedHttpClient {
        let connector = self.0.clone();
        http_client_fn(move |_, _| connector.clone())
    }

    /// Opens a connection for each of `endpoints`, all at once and within a
    /// second, so that the first request finds them open. That one cannot be
    /// opened is no error: who needs it will open it, and report.
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

/// A connection goes back to the pool when its answer has been read.
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
