//! RSASSA-PKCS1-v1_5 with SHA-256, over a message or over its digest.

use aws_lc_rs::{
    digest::Digest,
    error::Unspecified,
    rand::SystemRandom,
    rsa::{KeyPair, PublicKey},
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};

/// The input of a signature.
pub(super) enum Signable {
    /// The message itself.
    Message(Vec<u8>),
    /// The SHA-256 of a message, computed by the caller.
    Digest(Digest),
}

pub(super) fn sign(key: &KeyPair, signable: &Signable) -> Result<Vec<u8>, Unspecified> {
    let mut signature = vec![0; key.public_modulus_len()];
    match signable {
        Signable::Message(message) => key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        )?,
        Signable::Digest(digest) => key.sign_digest(&RSA_PKCS1_SHA256, digest, &mut signature)?,
    }
    Ok(signature)
}

pub(super) fn verify(
    key: &PublicKey,
    signable: &Signable,
    signature: &[u8],
) -> Result<(), Unspecified> {
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    match signable {
        Signable::Message(message) => key.verify(message, signature),
        Signable::Digest(digest) => key.verify_digest(digest, signature),
    }
}
