//! A key, its names (id, alias, ARN) and its usage.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use aws_lc_rs::{
    error::Unspecified,
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
};
use serde_json::{Value, json};

use super::{MAC_ALGORITHM, SIGNING_ALGORITHM, request::invalid_usage};
use crate::aws::protocol::AwsError;

/// The account of every key here. No real account has this number.
const ACCOUNT: &str = "000000000000";

/// The RSA keys of this process, by id. One takes a tenth of a second, and tests start hundreds of
/// stacks.
static PAIRS: LazyLock<Mutex<HashMap<String, KeyPair>>> = LazyLock::new(Mutex::default);

const ARN_PREFIX: &str = "arn:aws:kms:us-east-1:000000000000:key/";

/// A key and its id.
pub(super) struct Key {
    pub(super) id: String,
    material: Material,
}

/// The key material, which decides the usage of the key.
enum Material {
    Rsa(KeyPair),
    Hmac(Box<hmac::Key>),
}

impl Key {
    /// The RSA key of this process whose id is in `name`.
    pub(super) fn signing(name: &str) -> Result<Self, String> {
        let id = id(name)?;
        let mut pairs = PAIRS.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = match pairs.get(id) {
            Some(pair) => pair.clone(),
            None => KeyPair::generate(KeySize::Rsa2048).map_err(failed)?,
        };
        pairs.insert(id.to_owned(), pair.clone());
        Ok(Self {
            id: id.to_owned(),
            material: Material::Rsa(pair),
        })
    }

    /// A new HMAC key, whose id is in `name`.
    pub(super) fn digest(name: &str) -> Result<Self, String> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(failed)?;
        Ok(Self {
            id: id(name)?.to_owned(),
            material: Material::Hmac(Box::new(key)),
        })
    }

    pub(super) fn arn(&self) -> String {
        format!("{ARN_PREFIX}{}", self.id)
    }

    /// Whether `name` is the id, an alias or an ARN of this key.
    pub(super) fn is_called(&self, name: &str) -> bool {
        id_in(name) == Some(&self.id)
    }

    /// The pair that signs and verifies, if this is a signing key.
    pub(super) fn pair(&self) -> Result<&KeyPair, AwsError> {
        match &self.material {
            Material::Rsa(pair) => Ok(pair),
            Material::Hmac(_) => Err(self.misused()),
        }
    }

    /// The secret that makes and verifies MACs, if this is an HMAC key.
    pub(super) fn secret(&self) -> Result<&hmac::Key, AwsError> {
        match &self.material {
            Material::Hmac(secret) => Ok(secret),
            Material::Rsa(_) => Err(self.misused()),
        }
    }

    fn misused(&self) -> AwsError {
        invalid_usage(format!("{} is not for this operation.", self.arn()))
    }

    /// The key's metadata, for `DescribeKey`.
    pub(super) fn metadata(&self) -> Value {
        let (spec, usage, algorithms, algorithm) = match self.material {
            Material::Rsa(_) => (
                "RSA_2048",
                "SIGN_VERIFY",
                "SigningAlgorithms",
                SIGNING_ALGORITHM,
            ),
            Material::Hmac(_) => (
                "HMAC_256",
                "GENERATE_VERIFY_MAC",
                "MacAlgorithms",
                MAC_ALGORITHM,
            ),
        };
        json!({
            "AWSAccountId": ACCOUNT,
            "KeyId": self.id,
            "Arn": self.arn(),
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
        })
    }
}

fn failed(_: Unspecified) -> String {
    "a key cannot be generated".to_owned()
}

fn id(name: &str) -> Result<&str, String> {
    id_in(name).ok_or_else(|| format!("'{name}' has no key id"))
}

/// The id in a name: an id, `alias/` and an id, or the ARN of a key or an alias.
///
/// The account and the region of an ARN are ignored, because a setting may have any.
fn id_in(name: &str) -> Option<&str> {
    let id = if name.starts_with("arn:") {
        let resource = name.splitn(6, ':').nth(5)?;
        resource
            .strip_prefix("key/")
            .or_else(|| resource.strip_prefix("alias/"))?
    } else {
        name.strip_prefix("alias/").unwrap_or(name)
    };
    Some(id).filter(|id| !id.is_empty())
}
