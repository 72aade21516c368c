//! The KMS keys: the digest key derives from a MAC of one, and the other signs
//! access tokens. Neither leaves KMS.

use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{MacAlgorithmSpec, MessageType, SigningAlgorithmSpec},
};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};
use otp_domain::{Destination, DigestKey, DigestKeyId, Pseudonym};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::fault::{Dependency, Fault};

/// The label whose MAC is the digest key. Changing it voids every live code.
const DIGEST_KEY_LABEL: &[u8] = b"login-with-otp passcode digest key v1";

/// The digest keys. Each is the MAC of a fixed label under a KMS key, fetched
/// once per cold start and kept in memory only.
pub struct DigestKeys {
    current: DerivedKey,
    second: Option<DerivedKey>,
}

/// The digest keys that a validation can use.
pub struct HeldKeys<'a> {
    /// The key for new digests.
    pub current: &'a DigestKey,
    /// Why the second key is out of reach. Then only codes under the current key
    /// can be judged.
    pub missing: Option<Fault>,
}

struct DerivedKey {
    kms: Client,
    key_id: String,
    derived: OnceCell<DigestKey>,
}

impl DigestKeys {
    /// The digest keys that derive from these KMS keys. It makes no call yet.
    #[must_use]
    pub fn new(kms: &Client, key_id: &str, second: Option<&str>) -> Self {
        let key = |key_id: &str| DerivedKey {
            kms: kms.clone(),
            key_id: key_id.to_owned(),
            derived: OnceCell::new(),
        };
        Self {
            current: key(key_id),
            second: second.map(key),
        }
    }

    /// The key for new digests. The warm-up fetches it, so that the first request
    /// does not wait. If the warm-up failed, the next request fetches it.
    ///
    /// # Errors
    ///
    /// KMS is unreachable, or refuses.
    pub async fn current(&self) -> Result<&DigestKey, Fault> {
        self.current.get().await
    }

    /// The pseudonym of a destination; `None` as long as the current key has not
    /// been fetched. It makes no call.
    #[must_use]
    pub fn pseudonym(&self, of: &Destination) -> Option<Pseudonym> {
        let key = self.current.derived.get();
        key.map(|key| key.pseudonym(of))
    }

    /// The current key and, while keys rotate, an attempt to fetch the second, so
    /// that a code is known to be judged before an attempt is spent on it.
    ///
    /// # Errors
    ///
    /// The current key is out of reach. If the second one is, codes under the
    /// current key can still be judged.
    pub async fn held(&self) -> Result<HeldKeys<'_>, Fault> {
        let second = async {
            match &self.second {
                Some(second) => second.get().await.map(|_| ()),
                None => Ok(()),
            }
        };
        let (current, second) = tokio::join!(self.current(), second);
        let current = current?;
        Ok(HeldKeys {
            current,
            missing: second.err(),
        })
    }

    /// The current key and, while keys rotate, the second.
    ///
    /// # Errors
    ///
    /// KMS is unreachable, or refuses.
    pub async fn all(&self) -> Result<Vec<&DigestKey>, Fault> {
        let mut all = vec![self.current.get().await?];
        if let Some(second) = &self.second {
            all.push(second.get().await?);
        }
        Ok(all)
    }

    /// The key with this id: the current one or, while keys rotate, the second.
    /// For any other id, returns a key under which the digest never matches.
    ///
    /// # Errors
    ///
    /// KMS is unreachable, or refuses.
    pub async fn named(&self, id: &DigestKeyId) -> Result<&DigestKey, Fault> {
        let current = self.current.get().await?;
        if let Some(second) = &self.second
            && current.id() != id
        {
            return second.get().await;
        }
        Ok(current)
    }
}

impl DerivedKey {
    async fn get(&self) -> Result<&DigestKey, Fault> {
        self.derived.get_or_try_init(|| self.derive()).await
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
        let mac = output
            .mac
            .map(Blob::into_inner)
            .filter(|mac| mac.len() == 32);
        let id = DigestKeyId::new(output.key_id.ok_or_else(|| malformed(operation))?);
        let mac = mac.ok_or_else(|| malformed(operation))?;
        Ok(DigestKey::new(id, mac.into()))
    }
}

/// A signing key: RS256, because an API Gateway JWT authorizer accepts only RSA
/// signatures.
pub struct SigningKey {
    kms: Client,
    key_id: String,
    public: OnceCell<PublicKey>,
}

/// The public half of a signing key, for verifiers.
pub struct PublicKey {
    jwk: Jwk,
    kid: String,
    decoding: DecodingKey,
}

impl SigningKey {
    /// The KMS key with this id. It makes no call yet.
    #[must_use]
    pub const fn new(kms: Client, key_id: String) -> Self {
        Self {
            kms,
            key_id,
            public: OnceCell::const_new(),
        }
    }

    /// The public half, fetched once and kept in memory.
    ///
    /// # Errors
    ///
    /// KMS is unreachable, or refuses.
    pub async fn public(&self) -> Result<&PublicKey, Fault> {
        self.public.get_or_try_init(|| self.get_public()).await
    }

    async fn get_public(&self) -> Result<PublicKey, Fault> {
        let operation = "GetPublicKey";
        let output = self
            .kms
            .get_public_key()
            .key_id(&self.key_id)
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Keys, operation, &error))?;
        let der = output.public_key.ok_or_else(|| malformed(operation))?;
        PublicKey::from_der(der.as_ref()).ok_or_else(|| malformed(operation))
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256 (RFC 7518 section 3.3). KMS gets
    /// only the hash.
    ///
    /// # Errors
    ///
    /// KMS is unreachable, or refuses.
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
            .ok_or_else(|| malformed(operation))
    }
}

impl PublicKey {
    /// Reads an RSA key from KMS: a DER `SubjectPublicKeyInfo` (RFC 5280).
    fn from_der(der: &[u8]) -> Option<Self> {
        let key = DecodingKey::from_rsa_der(der);
        let mut jwk = Jwk::from_decoding_key(&key, Some(Algorithm::RS256)).ok()?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { jwk, kid, decoding })
    }

    /// The claim `kid`: the key's thumbprint (RFC 7638).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The published form of the key (RFC 7517).
    #[must_use]
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The key that verifies signatures.
    #[must_use]
    pub const fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

fn malformed(operation: &'static str) -> Fault {
    Fault::new(Dependency::Keys, operation, "malformed answer")
}
