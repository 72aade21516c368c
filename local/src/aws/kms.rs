//! KMS: RSA keys for signatures and HMAC keys for digests, generated at start and kept in memory.

mod crypto;
mod key;
mod request;

use std::{collections::HashSet, sync::Arc};

use aws_lc_rs::{encoding::AsDer as _, error::Unspecified, hmac, signature::KeyPair as _};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use self::{key::Key, request::Request};
use super::protocol::AwsError;

/// The default id of the RSA key, which signs tokens.
pub const SIGNING_KEY_ID: &str = "local-signing-key";
/// The default id of the HMAC key, from which the digest key derives.
pub const DIGEST_KEY_ID: &str = "local-digest-key";

/// The only signing algorithm that is emulated.
const SIGNING_ALGORITHM: &str = "RSASSA_PKCS1_V1_5_SHA_256";
/// The only MAC algorithm of a 256-bit HMAC key.
const MAC_ALGORITHM: &str = "HMAC_SHA_256";

/// The keys. Clones share them.
#[derive(Clone)]
pub struct Keys {
    shared: Arc<[Key]>,
}

impl Keys {
    /// Generates an RSA key for each of `signing_ids` and an HMAC key for each of `digest_ids`, in
    /// memory only. The stacks of one process share the RSA keys; digests of earlier keys are void.
    ///
    /// Each id may also be an alias or an ARN.
    ///
    /// # Errors
    ///
    /// Two keys have the same id, an id is empty, or the system gives no entropy.
    pub fn generate(signing_ids: &[&str], digest_ids: &[&str]) -> Result<Self, String> {
        let signing = signing_ids.iter().copied().map(Key::signing);
        let digest = digest_ids.iter().copied().map(Key::digest);
        let shared = signing.chain(digest).collect::<Result<Arc<[_]>, _>>()?;
        let mut taken = HashSet::new();
        match shared.iter().find(|key| !taken.insert(&key.id)) {
            Some(key) => Err(format!("two keys have the id '{}'", key.id)),
            None => Ok(Self { shared }),
        }
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
            _ => Err(unsupported("This operation is not emulated.")),
        };
        answer.map(|answer| answer.to_string())
    }

    fn generate_mac(&self, request: &Request) -> Result<Value, AwsError> {
        let key = self.key(request)?;
        let secret = key.secret()?;
        request.mac_algorithm()?;
        let mac = hmac::sign(secret, &request.message()?);
        Ok(json!({
            "KeyId": key.arn(),
            "Mac": BASE64_STANDARD.encode(mac),
            "MacAlgorithm": MAC_ALGORITHM,
        }))
    }

    fn verify_mac(&self, request: &Request) -> Result<Value, AwsError> {
        let key = self.key(request)?;
        let secret = key.secret()?;
        request.mac_algorithm()?;
        hmac::verify(secret, &request.message()?, &request.mac()?).map_err(|_| {
            AwsError::client(
                "KMSInvalidMacException",
                "The MAC does not match the message.",
            )
        })?;
        Ok(json!({ "KeyId": key.arn(), "MacValid": true, "MacAlgorithm": MAC_ALGORITHM }))
    }

    fn sign(&self, request: &Request) -> Result<Value, AwsError> {
        let key = self.key(request)?;
        let pair = key.pair()?;
        request.signing_algorithm()?;
        let signature =
            crypto::sign(pair, &request.signable()?).map_err(|Unspecified| internal())?;
        Ok(json!({
            "KeyId": key.arn(),
            "Signature": BASE64_STANDARD.encode(signature),
            "SigningAlgorithm": SIGNING_ALGORITHM,
        }))
    }

    fn verify(&self, request: &Request) -> Result<Value, AwsError> {
        let key = self.key(request)?;
        let public = key.pair()?.public_key();
        request.signing_algorithm()?;
        let signature = request.signature()?;
        crypto::verify(public, &request.signable()?, &signature).map_err(|Unspecified| {
            let message = "The signature does not match the message.";
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
        let Ok(pair) = key.pair() else {
            return Err(unsupported("An HMAC key has no public half."));
        };
        let der = pair.public_key().as_der();
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

    fn key(&self, request: &Request) -> Result<&Key, AwsError> {
        let name = request.key_id()?;
        let key = self.shared.iter().find(|key| key.is_called(name));
        key.ok_or_else(|| {
            let message = format!("Key '{name}' does not exist");
            AwsError::client("NotFoundException", message)
        })
    }

    fn describe_key(&self, request: &Request) -> Result<Value, AwsError> {
        Ok(json!({ "KeyMetadata": self.key(request)?.metadata() }))
    }

    fn list_keys(&self) -> Value {
        let keys = self.shared.iter();
        let keys = keys.map(|key| json!({ "KeyId": key.id, "KeyArn": key.arn() }));
        json!({ "Keys": keys.collect::<Vec<_>>(), "Truncated": false })
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
