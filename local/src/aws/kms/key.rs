//! The two keys by name: an id, an alias or an ARN.

use super::request::invalid_usage;
use crate::aws::protocol::AwsError;

/// The account of every key here; no real one has this number.
pub(super) const ACCOUNT: &str = "000000000000";

const ARN_PREFIX: &str = "arn:aws:kms:us-east-1:000000000000:key/";

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The RSA key.
    Signing,
    /// The HMAC key.
    Digest,
}

/// A key, by its id.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    pub(super) kind: Kind,
    pub(super) id: &'a str,
}

impl Key<'_> {
    pub(super) fn arn(&self) -> String {
        format!("{ARN_PREFIX}{}", self.id)
    }

    pub(super) fn must_be(self, kind: Kind) -> Result<Self, AwsError> {
        if self.kind == kind {
            return Ok(self);
        }
        Err(invalid_usage(format!(
            "{} is not for this operation.",
            self.arn()
        )))
    }
}

/// The ids of both keys.
pub(super) struct Ids {
    signing: String,
    digest: String,
}

impl Ids {
    /// Takes the ids from whichever names they are configured by; they must differ.
    pub(super) fn new(signing: &str, digest: &str) -> Option<Self> {
        let (signing, digest) = (id_in(signing)?.to_owned(), id_in(digest)?.to_owned());
        (signing != digest).then_some(Self { signing, digest })
    }

    pub(super) fn all(&self) -> [Key<'_>; 2] {
        [(Kind::Signing, &self.signing), (Kind::Digest, &self.digest)]
            .map(|(kind, id)| Key { kind, id })
    }

    pub(super) fn find(&self, name: &str) -> Result<Key<'_>, AwsError> {
        self.all()
            .into_iter()
            .find(|key| id_in(name) == Some(key.id))
            .ok_or_else(|| {
                let message = format!("Key '{name}' does not exist");
                AwsError::client("NotFoundException", message)
            })
    }
}

/// The id in a name: bare, behind `alias/`, or in an ARN of either kind.
///
/// The account and the region of an ARN do not matter, as a setting may hold one from anywhere.
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
