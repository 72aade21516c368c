//! The floor: a function that builds its AWS clients and does nothing. It shares
//! no code with the functions, so that the difference is what they do.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use lambda_http::{Body, Error, Request, Response, run, service_fn};

/// The certificate authorities of AWS endpoints.
const ROOTS: &[u8] = include_bytes!("../../../shared/service/src/aws/amazon-roots.pem");

/// The SDK's usual configuration, with its trust roots embedded.
///
/// # Errors
///
/// The library cannot build a TLS context, which does not happen.
pub async fn sdk_config() -> Result<SdkConfig, Error> {
    let roots = TrustStore::empty().with_pem_certificate(ROOTS);
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(TlsContext::builder().with_trust_store(roots).build()?)
        .build_https();
    let defaults = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    Ok(defaults.load().await)
}

/// Answers every request with an empty body. Keeps `clients` alive.
///
/// # Errors
///
/// The Lambda runtime fails.
pub async fn answer_nothing<T: Sync>(clients: T) -> Result<(), Error> {
    let clients = &std::hint::black_box(clients);
    run(service_fn(async |_: Request| {
        std::hint::black_box(clients);
        Ok::<_, Error>(Response::new(Body::Empty))
    }))
    .await
}
