//! Users as items: the user's own, and a copy of what a login needs at each destination.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{Destination, OwnDestination, UnixTime, User, UserId, UserRecord};

use super::session::{USER_PREFIX, sessions};
use crate::{
    fault::Fault,
    table::{
        Item,
        attributes::{
            claims, count, destination, devices, field, key, key_in, malformed, millis, number,
            partition_name, text, time,
        },
    },
};

/// The sort key of a user's own item, and of its copy at a destination.
pub(in crate::store) const SORT_KEY: &str = "user";

/// The key of the copy at a destination.
pub(in crate::store) fn user_key(destination: &Destination) -> Item {
    key(destination, SORT_KEY)
}

/// The key of a user's own item, beside the user's sessions.
pub(in crate::store) fn own_key(user: &UserId) -> Item {
    key_in(sessions(user), SORT_KEY)
}

/// Reads the copy at a destination.
pub(in crate::store) fn user(item: &Item) -> Result<User, Fault> {
    let id = field(item, "user_id", AttributeValue::as_s)?.clone();
    Ok(User {
        id: UserId::from_table(id),
        disabled: item.contains_key("disabled_at"),
        last_login_at: item
            .contains_key("last_login_at")
            .then(|| time(item, "last_login_at"))
            .transpose()?,
        claims: claims(item)?,
        devices: devices(item)?,
    })
}

/// The last login at a destination by the user whose it is. Without `last_login_by`, it is
/// that of a tombstone's user.
pub(in crate::store) fn last_login(item: &Item) -> Result<Option<UnixTime>, Fault> {
    item.contains_key("last_login_by")
        .then(|| time(item, "last_login_at"))
        .transpose()
}

/// Whether an item at a destination is the copy of a user, and not a tombstone.
pub(in crate::store) fn is_user(item: &Item) -> bool {
    item.contains_key("user_id")
}

/// A user's own item.
pub(in crate::store) fn from_record(user: &UserRecord) -> Item {
    let all = user.destinations.iter();
    let all = all.map(|own| (partition_name(&own.destination), millis(own.added_at)));
    let mut item = own_key(&user.id);
    item.extend([
        ("destinations".to_owned(), AttributeValue::M(all.collect())),
        ("created_at".to_owned(), millis(user.created_at)),
        ("version".to_owned(), number(user.version)),
    ]);
    item.extend(copied(user).map(|(name, value)| (name.to_owned(), value)));
    item
}

/// What a user's own item and each copy have.
pub(in crate::store) const COPIED: [&str; 2] = ["disabled_at", "claims"];

/// As much of [`COPIED`] as there is.
pub(in crate::store) fn copied(
    user: &UserRecord,
) -> impl Iterator<Item = (&'static str, AttributeValue)> {
    let disabled = user.disabled_at.map(|at| ("disabled_at", millis(at)));
    let claims = user.claims.written();
    let claims = (!claims.is_empty()).then(|| ("claims", text(claims)));
    disabled.into_iter().chain(claims)
}

/// Reads a user's own item.
pub(in crate::store) fn record(item: &Item) -> Result<UserRecord, Fault> {
    let id = field(item, "pk", AttributeValue::as_s)?;
    let id = id
        .strip_prefix(USER_PREFIX)
        .ok_or_else(|| malformed("pk"))?;
    let all: &HashMap<_, _> = field(item, "destinations", AttributeValue::as_m)?;
    let mut names: Vec<&String> = all.keys().collect();
    // A map has no order. Sorting puts `email#` before `phone#`.
    names.sort();
    let own = |name: &String| {
        let times = Item::from([("added_at".to_owned(), all[name].clone())]);
        Ok(OwnDestination {
            destination: destination(name).ok_or_else(|| malformed("destinations"))?,
            added_at: time(&times, "added_at")?,
        })
    };
    let version = u64::try_from(count(item, "version")?);
    Ok(UserRecord {
        id: UserId::from_table(id.to_owned()),
        destinations: names.into_iter().map(own).collect::<Result<_, Fault>>()?,
        created_at: time(item, "created_at")?,
        last_login_at: None,
        disabled_at: item
            .contains_key("disabled_at")
            .then(|| time(item, "disabled_at"))
            .transpose()?,
        claims: claims(item)?,
        version: version.map_err(|_| malformed("version"))?,
    })
}
