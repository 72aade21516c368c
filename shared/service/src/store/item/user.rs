//! Users as items: one item per destination.

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{Destination, User, UserId, UserRecord};

use crate::{
    fault::Fault,
    table::{
        Item,
        attributes::{claims, destination, devices, field, key, malformed, partition_name, time},
    },
};

pub(in crate::store) fn user_key(destination: &Destination) -> Item {
    key(destination, "user")
}

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

/// The partitions of all destinations of a user. Each of the user's items holds
/// them, so that one item leads to the others.
pub(in crate::store) fn partitions(user: &UserRecord) -> AttributeValue {
    AttributeValue::Ss(user.destinations.iter().map(partition_name).collect())
}

/// Whether the item is a user and not a tombstone.
pub(in crate::store) fn is_user(item: &Item) -> bool {
    item.contains_key("user_id")
}

/// Reads a user from any of the user's items. The last login is that of this
/// item's destination.
pub(in crate::store) fn user_record(item: &Item) -> Result<UserRecord, Fault> {
    let mut partitions = match item.get("destinations") {
        Some(_) => field(item, "destinations", AttributeValue::as_ss)?.clone(),
        None => vec![field(item, "pk", AttributeValue::as_s)?.clone()],
    };
    // A set has no order. Sorting puts `email#` before `phone#`.
    partitions.sort();
    let user = user(item)?;
    Ok(UserRecord {
        id: user.id,
        destinations: partitions
            .iter()
            .map(|name| destination(name).ok_or_else(|| malformed("destinations")))
            .collect::<Result<_, _>>()?,
        created_at: time(item, "created_at")?,
        // Without `last_login_by`, the last login belongs to a tombstone's user.
        last_login_at: item
            .contains_key("last_login_by")
            .then(|| time(item, "last_login_at"))
            .transpose()?,
        disabled: user.disabled,
        claims: user.claims,
    })
}
