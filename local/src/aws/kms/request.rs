//! Requests to KMS, with the checks that KMS makes.

use aws_lc_rs::digest::{Digest, SHA256};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;

use super::{MAC_ALGORITHM, SIGNING_ALGORITHM, crypto::Signable, unsupported};
use crate::aws::protocol::AwsError;

const MAX_MESSAGE_BYTES: usize = 4096;
const MAX_SIGNATURE_BYTES: usize = 6144;

const OTHER_SIGNING_ALGORITHMS_OF_RSA: [&str; 5] = [
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
];

/// The members of all emulated operations.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    key_id: Option<String>,
    message: Option<String>,
    message_type: Option<String>,
    mac: Option<String>,
    mac_algorithm: Option<String>,
    signature: Option<String>,
    signing_algorithm: Option<String>,
}

impl Request {
    pub(super) fn parse(body: &[u8]) -> Result<Self, AwsError> {
        // The parser's message may quote the request, which contains secrets.
        serde_json::from_slice(body).map_err(|_| {
            let message = "The body is not the JSON of a KMS request.";
            AwsError::client("SerializationException", message)
        })
    }

    pub(super) fn key_id(&self) -> Result<&str, AwsError> {
        required(self.key_id.as_deref(), "keyId")
    }

    pub(super) fn mac_algorithm(&self) -> Result<(), AwsError> {
        match required(self.mac_algorithm.as_deref(), "macAlgorithm")? {
            MAC_ALGORITHM => Ok(()),
            "HMAC_SHA_224" | "HMAC_SHA_384" | "HMAC_SHA_512" => {
                Err(invalid_usage("The algorithm does not fit the key spec."))
            }
            _ => Err(validation("macAlgorithm", "be one of the MAC algorithms")),
        }
    }

    pub(super) fn signing_algorithm(&self) -> Result<(), AwsError> {
        let algorithm = required(self.signing_algorithm.as_deref(), "signingAlgorithm")?;
        if algorithm == SIGNING_ALGORITHM {
            Ok(())
        } else if OTHER_SIGNING_ALGORITHMS_OF_RSA.contains(&algorithm) {
            Err(unsupported(
                "The only emulated SigningAlgorithm is RSASSA_PKCS1_V1_5_SHA_256.",
            ))
        } else if algorithm.starts_with("ECDSA_SHA_") {
            Err(invalid_usage("The algorithm does not fit the key spec."))
        } else {
            Err(validation(
                "signingAlgorithm",
                "be one of the signing algorithms",
            ))
        }
    }

    pub(super) fn message(&self) -> Result<Vec<u8>, AwsError> {
        bytes(self.message.as_deref(), "message", MAX_MESSAGE_BYTES)
    }

    /// The message or the digest of a signature.
    pub(super) fn signable(&self) -> Result<Signable, AwsError> {
        let message = self.message()?;
        match self.message_type.as_deref() {
            None | Some("RAW") => Ok(Signable::Message(message)),
            Some("DIGEST") => Digest::import_less_safe(&message, &SHA256)
                .map(Signable::Digest)
                .map_err(|_| validation("message", "be a SHA-256, of 32 bytes")),
            Some(_) => Err(validation("messageType", "be RAW or DIGEST")),
        }
    }

    pub(super) fn mac(&self) -> Result<Vec<u8>, AwsError> {
        bytes(self.mac.as_deref(), "mac", MAX_SIGNATURE_BYTES)
    }

    pub(super) fn signature(&self) -> Result<Vec<u8>, AwsError> {
        bytes(self.signature.as_deref(), "signature", MAX_SIGNATURE_BYTES)
    }
}

fn required<'a>(value: Option<&'a str>, name: &str) -> Result<&'a str, AwsError> {
    value.ok_or_else(|| validation(name, "not be null"))
}

fn bytes(value: Option<&str>, name: &str, max: usize) -> Result<Vec<u8>, AwsError> {
    let bytes = BASE64_STANDARD
        .decode(required(value, name)?)
        .map_err(|_| {
            AwsError::client("SerializationException", format!("'{name}' is not Base64."))
        })?;
    if bytes.is_empty() || bytes.len() > max {
        return Err(validation(name, &format!("have 1 to {max} bytes")));
    }
    Ok(bytes)
}

fn validation(name: &str, constraint: &str) -> AwsError {
    AwsError::client(
        "ValidationException",
        format!(
            "1 validation error detected: Value at '{name}' failed to satisfy constraint: \
             Member must {constraint}"
        ),
    )
}

pub(super) fn invalid_usage(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidKeyUsageException", message)
}
