//! The keys, which never leave KMS: a MAC of it for digests, its signature for
//! tokens.

use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{MacAlgorithmSpec, MessageType, SigningAlgorithmSpec},
};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::{
    domain::{DigestKey, DigestKeyId},
    fault::{Dependency, Fault},
};

/// What KMS computes the digest key from. Changing it changes the key, and so
/// ends every live code.
const DIGEST_KEY_LABEL: &[u8] = b"login-with-otp passcode digest key v1";

/// The digest key: the MAC that `DIGEST_KEY_ID` gives for a fixed label, asked
/// for once per cold start and kept in memory only.
pub struct DigestKeys {
    kms: Client,
    key_id: String,
    current: OnceCell<DigestKey>,
}

impl DigestKeys {
    /// Asks for nothing yet.
    #[must_use]
    pub fn new(kms: Client, key_id: String) -> Self {
        Self {
            kms,
            key_id,
            current: OnceCell::new(),
        }
    }

    /// The key that digests are made with. Asked for during start, so that the
    /// first request need not wait; asked for again by a request if that failed.
    ///
    /// # Errors
    ///
    /// KMS cannot be reached, or refuses.
    pub async fn current(&self) -> Result<&DigestKey, Fault> {
        self.current.get_or_try_init(|| self.derive()).await
    }

    async fn derive(&self) -> Result<DigestKey, Fault> {
        let operation = "GenerateMac";
        let output = self
            .kms
            .generate_mac()
            .key_id(&self.key_id)
            .mac_algorithm(MacAlgorithmSpec::HmacSha256)
            .message(Blob::new(DIGEST_KEY_LABEL))
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Keys, operation, &error))?;
        let malformed = || Fault::new(Dependency::Keys, operation, "malformed answer");
        let mac = output
            .mac
            .map(Blob::into_inner)
            .filter(|mac| mac.len() == 32);
        let id = DigestKeyId::new(output.key_id.ok_or_else(malformed)?);
        Ok(DigestKey::new(id, mac.ok_or_else(malformed)?.into()))
    }
}

/// The signing key: RS256, because an API Gateway JWT authorizer takes RSA
/// signatures alone.
pub struct SigningKey {
    kms: Client,
    key_id: String,
}

impl SigningKey {
    /// The key `SIGNING_KEY_ID`.
    #[must_use]
    pub const fn new(kms: Client, key_id: String) -> Self {
        Self { kms, key_id }
    }

    /// The name that tokens give the key: the last part of its KMS id.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.key_id.rsplit(['/', ':']).next().unwrap_or_default()
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256 (RFC 7518 section 3.3). KMS sees
    /// the hash alone.
    ///
    /// # Errors
    ///
    /// KMS cannot be reached, or refuses.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let operation = "Sign";
        let output = self
            .kms
            .sign()
            .key_id(&self.key_id)
            .message_type(MessageType::Digest)
            .message(Blob::new(Sha256::digest(message).to_vec()))
            .signing_algorithm(SigningAlgorithmSpec::RsassaPkcs1V15Sha256)
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Keys, operation, &error))?;
        output
            .signature
            .map(Blob::into_inner)
            .ok_or_else(|| Fault::new(Dependency::Keys, operation, "malformed answer"))
    }
}
