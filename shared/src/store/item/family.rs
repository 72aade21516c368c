//! Families of refresh tokens, as items.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};

use super::{
    super::Item, destination, field, malformed, millis, partition, sweep_after, text, time,
};
use crate::{
    domain::{Family, FamilyName, RefreshDigest, Salt, UserId},
    fault::Fault,
};

/// What the partition keys of families begin with.
const USER_PREFIX: &str = "user#";

/// What their sort keys begin with.
pub(in crate::store) const FAMILY_PREFIX: &str = "family#";

/// The partition of all families of one user.
pub(in crate::store) fn families(user: &UserId) -> AttributeValue {
    text(format!("{USER_PREFIX}{}", user.as_str()))
}

pub(in crate::store) fn family_key(user: &UserId, name: &FamilyName) -> Item {
    let sort = text(format!("{FAMILY_PREFIX}{}", name.as_str()));
    Item::from([("pk".to_owned(), families(user)), ("sk".to_owned(), sort)])
}

pub(in crate::store) fn bytes(value: &impl AsRef<[u8]>) -> AttributeValue {
    AttributeValue::B(Blob::new(value.as_ref()))
}

/// The item that stands for a family whose first token is not used yet.
pub(in crate::store) fn from_family(family: &Family) -> Item {
    let mut item = family_key(&family.user, &family.name);
    item.extend([
        ("destination".to_owned(), partition(&family.destination)),
        ("created_at".to_owned(), millis(family.created_at)),
        ("current_digest".to_owned(), bytes(&family.current)),
        ("refreshed_at".to_owned(), millis(family.refreshed_at)),
        ("expires_at".to_owned(), millis(family.expires_at)),
        ("ends_at".to_owned(), millis(family.ends_at)),
        (
            "expires_at_seconds".to_owned(),
            sweep_after(family.expires_at),
        ),
    ]);
    item
}

/// Reads a family back.
pub(in crate::store) fn family(item: &Item) -> Result<Family, Fault> {
    let key = |name, prefix| {
        let text = field(item, name, AttributeValue::as_s)?;
        text.strip_prefix(prefix).ok_or_else(|| malformed(name))
    };
    let destination = destination(field(item, "destination", AttributeValue::as_s)?);
    Ok(Family {
        name: FamilyName::new(key("sk", FAMILY_PREFIX)?.to_owned()),
        user: UserId::from_table(key("pk", USER_PREFIX)?.to_owned()),
        destination: destination.ok_or_else(|| malformed("destination"))?,
        created_at: time(item, "created_at")?,
        current: binary(item, "current_digest")?,
        previous: previous(item)?,
        refreshed_at: time(item, "refreshed_at")?,
        expires_at: time(item, "expires_at")?,
        ends_at: time(item, "ends_at")?,
    })
}

fn previous(item: &Item) -> Result<Option<(RefreshDigest, Salt)>, Fault> {
    if !item.contains_key("previous_digest") {
        return Ok(None);
    }
    Ok(Some((
        binary(item, "previous_digest")?,
        binary(item, "salt")?,
    )))
}

fn binary<T: for<'a> TryFrom<&'a [u8]>>(item: &Item, name: &'static str) -> Result<T, Fault> {
    let bytes = field(item, name, AttributeValue::as_b)?.as_ref();
    T::try_from(bytes).map_err(|_| malformed(name))
}
