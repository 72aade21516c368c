//! The certificate authorities that the AWS clients trust.

use std::{fmt, fs};

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// The five roots of Amazon Trust Services
/// (<https://www.amazontrust.com/repository>). The certificate of every AWS
/// endpoint leads to one of them.
const AMAZON: &[u8] = include_bytes!("amazon-roots.pem");

/// The trusted certificate authorities.
#[derive(Clone)]
pub struct TrustRoots(TrustStore);

impl TrustRoots {
    /// Amazon's roots, which the program embeds: no file is read.
    #[must_use]
    pub fn of_amazon() -> Self {
        Self(TrustStore::empty().with_pem_certificate(AMAZON))
    }

    /// The authorities that the operating system trusts.
    #[must_use]
    pub fn of_system() -> Self {
        Self(TrustStore::default())
    }

    /// Only the certificates of a PEM file, as other AWS tools read
    /// `AWS_CA_BUNDLE`. `None` if the file has no certificate or a malformed one.
    #[must_use]
    pub fn from_file(path: &str) -> Option<Self> {
        Self::from_pem(&fs::read(path).ok()?)
    }

    /// The SDK panics at a malformed certificate, so each is read here first.
    fn from_pem(pem: &[u8]) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.ok()?).ok()?;
        }
        let store = TrustStore::empty().with_pem_certificate(pem);
        (!roots.is_empty()).then_some(Self(store))
    }

    #[expect(clippy::expect_used, reason = "the SDK builds every context")]
    pub(super) fn context(&self) -> TlsContext {
        let context = TlsContext::builder().with_trust_store(self.0.clone());
        context.build().expect("a context of certificates")
    }
}

impl Default for TrustRoots {
    fn default() -> Self {
        Self::of_amazon()
    }
}

/// Leaves the certificates out: they are long and explain nothing.
impl fmt::Debug for TrustRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustRoots")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_roots_are_five() {
        assert!(TrustRoots::from_pem(AMAZON).is_some());
        assert_eq!(CertificateDer::pem_slice_iter(AMAZON).count(), 5);
    }

    #[test]
    fn text_between_certificates_is_passed_over() {
        let pem = [b"# a bundle\n\n".as_slice(), AMAZON, b"\nthe end\n"].concat();
        assert!(TrustRoots::from_pem(&pem).is_some());
    }

    #[test]
    fn a_bundle_that_cannot_be_believed_as_a_whole_is_none() {
        let begin = "-----BEGIN CERTIFICATE-----\n";
        let end = "\n-----END CERTIFICATE-----\n";
        let broken = [
            String::new(),
            "no certificate".to_owned(),
            format!("{begin}not base64!{end}"),
            format!("{begin}bm90IGEgY2VydGlmaWNhdGU={end}"),
            format!("{begin}MIIB"),
        ];
        for pem in &broken {
            assert!(TrustRoots::from_pem(pem.as_bytes()).is_none(), "{pem}");
            let after_good = [AMAZON, pem.as_bytes()].concat();
            let good = TrustRoots::from_pem(&after_good).is_some();
            assert_eq!(good, !pem.contains(begin), "{pem}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_none() {
        assert!(TrustRoots::from_file("/no/such/bundle.pem").is_none());
    }
}
