//! KMS: one RSA key that signs and one HMAC key that digests, made at start and gone at exit.

mod crypto;
mod key;
mod request;

use std::sync::Arc;

use aws_lc_rs::{
    encoding::AsDer as _,
    error::Unspecified,
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use self::{
    key::{Ids, Key, Kind},
    request::Request,
};
use super::protocol::AwsError;

/// The id that the RSA key, which signs tokens, has unless given another.
pub const SIGNING_KEY_ID: &str = "local-signing-key";
/// The id that the HMAC key, which the digest key derives from, has unless given another.
pub const DIGEST_KEY_ID: &str = "local-digest-key";

/// The one way this stand-in signs.
const SIGNING_ALGORITHM: &str = "RSASSA_PKCS1_V1_5_SHA_256";
/// The one way a key of this kind makes a MAC.
const MAC_ALGORITHM: &str = "HMAC_SHA_256";

/// The two keys. Clones share them.
#[derive(Clone)]
pub struct Keys {
    shared: Arc<Shared>,
}

struct Shared {
    ids: Ids,
    signing: KeyPair,
    digest: hmac::Key,
}

impl Keys {
    /// Makes new keys, in memory only: whatever the old ones signed or digested is void.
    ///
    /// They answer to these ids, which may be written as an alias or an ARN too.
    ///
    /// # Errors
    ///
    /// When the ids are not two, or the system has no entropy to give.
    pub fn generate(signing_id: &str, digest_id: &str) -> Result<Self, String> {
        let ids = Ids::new(signing_id, digest_id).ok_or("the two keys need an id each")?;
        let failed = |Unspecified| "a key cannot be made".to_owned();
        let signing = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let digest = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Ok(Self {
            shared: Arc::new(Shared {
                ids,
                signing,
                digest: digest.map_err(failed)?,
            }),
        })
    }

    pub(super) fn answer(&self, operation: &str, body: &[u8]) -> Result<String, AwsError> {
        let request = Request::parse(body)?;
        let answer = match operation {
            "GenerateMac" => self.generate_mac(&request),
            "VerifyMac" => self.verify_mac(&request),
            "Sign" => self.sign(&request),
            "Verify" => self.verify(&request),
            "GetPublicKey" => self.public_key(&request),
            "DescribeKey" => self.describe_key(&request),
            "ListKeys" => Ok(self.list_keys()),
            _ => Err(unsupported("The operation is not offered here.")),
        };
        answer.map(|answer| answer.to_string())
    }

    fn generate_mac(&self, request: &Request) -> Result<Value, AwsError> {
        let key = self.key(request)?.must_be(Kind::Digest)?;
        request.mac_algorithm()?;
        let mac = hmac::sign(&self.shared.digest, &request.message()?);
        Ok(json!({
            "KeyId": key.arn(),
            "Mac": BASE64_STANDARD.encode(mac),
            "MacAlgorithm": MAC_ALGORITHM,
        }))
    }

    fn verify_mac(&self, request: &Request) -> Result<Value, AwsError> {
        let key = self.key(request)?.must_be(Kind::Digest)?;
        request.mac_algorithm()?;
        hmac::verify(&self.shared.digest, &request.message()?, &request.mac()?).map_err(|_| {
            AwsError::client(
                "KMSInvalidMacException",
                "The MAC does not fit the message.",
            )
        })?;
        Ok(json!({ "KeyId": key.arn(), "MacValid": true, "MacAlgorithm": MAC_ALGORITHM }))
    }

    fn sign(&self, request: &Request) -> Result<Value, AwsError> {
        let key = self.key(request)?.must_be(Kind::Signing)?;
        request.signing_algorithm()?;
        let signature = crypto::sign(&self.shared.signing, &request.signable()?)
            .map_err(|Unspecified| internal())?;
        Ok(json!({
            "KeyId": key.arn(),
            "Signature": BASE64_STANDARD.encode(signature),
            "SigningAlgorithm": SIGNING_ALGORITHM,
        }))
    }

    fn verify(&self, request: &Request) -> Result<Value, AwsError> {
        let key = self.key(request)?.must_be(Kind::Signing)?;
        request.signing_algorithm()?;
        let signature = request.signature()?;
        crypto::verify(
            self.shared.signing.public_key(),
            &request.signable()?,
            &signature,
        )
        .map_err(|Unspecified| {
            let message = "The signature does not fit the message.";
            AwsError::client("KMSInvalidSignatureException", message)
        })?;
        Ok(json!({
            "KeyId": key.arn(),
            "SignatureValid": true,
            "SigningAlgorithm": SIGNING_ALGORITHM,
        }))
    }

    fn public_key(&self, request: &Request) -> Result<Value, AwsError> {
        let key = self.key(request)?;
        if key.kind == Kind::Digest {
            return Err(unsupported("An HMAC key has no public half."));
        }
        let der = self.shared.signing.public_key().as_der();
        let der = der.map_err(|Unspecified| internal())?;
        Ok(json!({
            "KeyId": key.arn(),
            "PublicKey": BASE64_STANDARD.encode(der.as_ref()),
            "CustomerMasterKeySpec": "RSA_2048",
            "KeySpec": "RSA_2048",
            "KeyUsage": "SIGN_VERIFY",
            "SigningAlgorithms": [SIGNING_ALGORITHM],
        }))
    }

    fn key(&self, request: &Request) -> Result<Key<'_>, AwsError> {
        self.shared.ids.find(request.key_id()?)
    }

    fn describe_key(&self, request: &Request) -> Result<Value, AwsError> {
        let key = self.key(request)?;
        let (spec, usage, algorithms, algorithm) = match key.kind {
            Kind::Signing => (
                "RSA_2048",
                "SIGN_VERIFY",
                "SigningAlgorithms",
                SIGNING_ALGORITHM,
            ),
            Kind::Digest => (
                "HMAC_256",
                "GENERATE_VERIFY_MAC",
                "MacAlgorithms",
                MAC_ALGORITHM,
            ),
        };
        Ok(json!({
            "KeyMetadata": {
                "AWSAccountId": key::ACCOUNT,
                "KeyId": key.id,
                "Arn": key.arn(),
                "Description": "",
                "Enabled": true,
                "KeyState": "Enabled",
                "KeyManager": "CUSTOMER",
                "Origin": "AWS_KMS",
                "MultiRegion": false,
                "KeyUsage": usage,
                "KeySpec": spec,
                "CustomerMasterKeySpec": spec,
                algorithms: [algorithm],
            }
        }))
    }

    fn list_keys(&self) -> Value {
        let keys = self.shared.ids.all();
        let keys = keys.map(|key| json!({ "KeyId": key.id, "KeyArn": key.arn() }));
        json!({ "Keys": keys, "Truncated": false })
    }
}

fn unsupported(message: &str) -> AwsError {
    AwsError::client("UnsupportedOperationException", message)
}

fn internal() -> AwsError {
    AwsError {
        status: axum::http::StatusCode::INTERNAL_SERVER_ERROR,
        code: "KMSInternalException",
        message: "The cryptographic library failed.".to_owned(),
    }
}

#[cfg(test)]
mod tests;
