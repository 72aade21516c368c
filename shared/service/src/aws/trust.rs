//! The certificate authorities that the AWS clients trust.

use std::{fmt, fs, sync::Arc};

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
pub struct TrustRoots(Arc<RootCertStore>);

impl TrustRoots {
    /// Amazon's roots, which the program embeds: no file is read.
    ///
    /// # Panics
    ///
    /// If the embedded file is damaged, which a test rules out.
    #[must_use]
    pub fn of_amazon() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "a function that trusts nobody cannot work"
        )]
        Self::from_pem(AMAZON).expect("the embedded roots are well-formed")
    }

    /// These authorities, without those that cannot be read.
    pub fn of(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        Self(Arc::new(roots))
    }

    /// Only the certificates of a PEM file, as other AWS tools read
    /// `AWS_CA_BUNDLE`. `None` if the file has no certificate or a malformed one.
    #[must_use]
    pub fn from_file(path: &str) -> Option<Self> {
        Self::from_pem(&fs::read(path).ok()?)
    }

    fn from_pem(pem: &[u8]) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.ok()?).ok()?;
        }
        (!roots.is_empty()).then(|| Self(Arc::new(roots)))
    }

    pub(super) fn store(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.0)
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
