//! TLS in front of a plain address, with a self-signed certificate, to test trust
//! roots.

use std::{io, net::SocketAddr, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// A listener that terminates TLS. Dropping it stops it.
pub struct Terminator {
    /// Where it listens. The certificate is for the name `localhost`.
    pub address: SocketAddr,
    server: JoinHandle<()>,
}

/// A self-signed certificate and its key.
pub struct Certificate {
    /// The certificate as PEM, for clients that trust it.
    pub pem: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// Generates a certificate for the name `localhost`.
    ///
    /// # Errors
    ///
    /// The library cannot generate it, which does not happen.
    pub fn generate() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()])?;
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], PrivateKeyDer::from(key))?;
        Ok(Self {
            pem: cert.pem(),
            config: Arc::new(config),
        })
    }
}

impl Terminator {
    /// Listens at a free port, and forwards every connection to `behind`.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start(certificate: &Certificate, behind: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::clone(&certificate.config));
        let server = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move { pass_on(&acceptor, client, behind).await });
            }
        });
        Ok(Self { address, server })
    }
}

impl Drop for Terminator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Forwards one connection until either side closes it. A client that rejects the
/// certificate closes it at once.
async fn pass_on(acceptor: &TlsAcceptor, client: TcpStream, to: SocketAddr) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(to).await?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
