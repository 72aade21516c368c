//! HTTP/1.1 for the SDK's clients, with hyper, and with rustls where an endpoint is
//! `https`.
//!
//! The SDK's own connector does the same. It also brings HTTP/2, proxies and the
//! system's roots, of which the functions use none (docs/decisions/aws-clients.md).

use std::{
    error::Error,
    io, iter,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connection::{CaptureSmithyConnection, ConnectionMetadata},
        http::{HttpConnector, HttpConnectorFuture},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
};
use aws_smithy_types::{body::SdkBody, retry::ErrorKind};
use hyper::{Uri, http::Extensions};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{
        self, Client,
        connect::{CaptureConnection, HttpConnector as Tcp, HttpInfo, capture_connection},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use rustls::{ClientConfig, crypto::aws_lc_rs};
use tokio::{
    net::TcpStream,
    time::{error::Elapsed, timeout},
};
use tower_service::Service;

use super::TrustRoots;

/// A pool of connections.
#[derive(Debug)]
pub(super) struct Http(Client<Connect, SdkBody>);

impl Http {
    /// A pool that trusts `roots`, and gives up on a connection that is not open
    /// after `limit`, TLS included.
    pub(super) fn new(roots: &TrustRoots, limit: Duration) -> Self {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        // A request is written in several small pieces: none of them shall wait.
        tcp.set_nodelay(true);
        let https = HttpsConnector::from((tcp, tls(roots)));
        let pool = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(Connect { https, limit });
        Self(pool)
    }
}

fn tls(roots: &TrustRoots) -> ClientConfig {
    #[expect(clippy::expect_used, reason = "aws-lc can do both versions of TLS")]
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has cipher suites for the default versions")
        .with_root_certificates(roots.store())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let connection = capture_connection(&mut request);
        // After a failure that may be the connection's, the SDK uses it no more.
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&connection));
        }
        let answer = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(classify)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    let mut extras = Extensions::new();
    connection
        .connection_metadata()
        .as_ref()?
        .get_extras(&mut extras);
    let ends = extras.get::<HttpInfo>();
    let connection = connection.clone();
    let poison = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    let mut metadata = ConnectionMetadata::builder()
        .proxied(false)
        .poison_fn(poison);
    metadata
        .set_local_addr(ends.map(HttpInfo::local_addr))
        .set_remote_addr(ends.map(HttpInfo::remote_addr));
    Some(metadata.build())
}

/// Tells the SDK what kind of failure this is, as its own connector does: it repeats
/// a call after a timeout and after a failure of the connection.
fn classify(error: legacy::Error) -> ConnectorError {
    let of_hyper = find::<hyper::Error>(&error);
    let is_timeout =
        find::<Elapsed>(&error).is_some() || of_hyper.is_some_and(hyper::Error::is_timeout);
    let is_user = of_hyper.is_some_and(hyper::Error::is_user);
    let is_io = error.is_connect()
        || of_hyper.is_some_and(|error| error.is_closed() || error.is_canceled())
        || find::<io::Error>(&error).is_some();
    let is_cut = of_hyper.is_some_and(hyper::Error::is_incomplete_message);
    let error = error.into();
    if is_timeout {
        ConnectorError::timeout(error)
    } else if is_user {
        ConnectorError::user(error)
    } else if is_io {
        ConnectorError::io(error)
    } else {
        ConnectorError::other(error, is_cut.then_some(ErrorKind::TransientError))
    }
}

fn find<E: Error + 'static>(error: &legacy::Error) -> Option<&E> {
    let first: &(dyn Error + 'static) = error;
    iter::successors(Some(first), |&error| error.source()).find_map(|error| error.downcast_ref())
}

/// Connects within a limit.
#[derive(Clone, Debug)]
struct Connect {
    https: HttpsConnector<Tcp>,
    limit: Duration,
}

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

impl Service<Uri> for Connect {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connected = timeout(self.limit, self.https.call(uri));
        Box::pin(async move { connected.await? })
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::byte_stream::ByteStream;
    use tokio::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

    async fn listen() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    /// Writes `answer` to each request. Without an answer, it closes the connection.
    async fn serve(stream: TcpStream, answer: &[u8]) {
        let mut request = [0; 4096];
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut request) {
                Ok(0) => break,
                Ok(_) if answer.is_empty() => break,
                Ok(_) => assert_eq!(stream.try_write(answer).unwrap(), answer.len()),
                Err(_) => {}
            }
        }
    }

    fn http() -> Http {
        Http::new(&TrustRoots::of_amazon(), LIMIT)
    }

    fn request(url: String) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(url).unwrap();
        request
    }

    async fn failure(url: String) -> ConnectorError {
        http().call(request(url)).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_handshake_that_does_not_end_is_a_timeout() {
        let (_silent, port) = listen().await;
        assert!(
            failure(format!("https://127.0.0.1:{port}"))
                .await
                .is_timeout()
        );
    }

    #[tokio::test]
    async fn a_refused_connection_is_the_connections_failure() {
        let (listener, port) = listen().await;
        drop(listener);
        assert!(failure(format!("http://127.0.0.1:{port}")).await.is_io());
    }

    #[tokio::test]
    async fn an_answer_that_never_comes_is_transient() {
        let (listener, port) = listen().await;
        tokio::spawn(async move { serve(listener.accept().await.unwrap().0, b"").await });
        let failure = failure(format!("http://127.0.0.1:{port}")).await;
        assert_eq!(failure.as_other(), Some(ErrorKind::TransientError));
    }

    #[tokio::test]
    async fn a_connection_is_used_again_until_the_sdk_condemns_it() {
        let (listener, port) = listen().await;
        let http = http();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move { serve(stream, ANSWER).await });
            }
        });
        let mut connections = Vec::new();
        for condemn in [false, true, false] {
            let mut request = request(format!("http://127.0.0.1:{port}"));
            let capture = CaptureSmithyConnection::new();
            request.add_extension(capture.clone());
            let answer = http.call(request).await.unwrap();
            let connection = capture.get().unwrap();
            connections.push(connection.local_addr());
            if condemn {
                connection.poison();
            }
            let body = ByteStream::new(answer.into_body()).collect().await;
            assert_eq!(body.unwrap().into_bytes(), "ok");
        }
        assert!(connections[0].is_some());
        assert_eq!(connections[0], connections[1]);
        assert_ne!(connections[1], connections[2]);
    }
}
