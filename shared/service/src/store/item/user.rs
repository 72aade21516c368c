//! Users as items: one item per destination.

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{CarriedUser, Claims, Destination, User, UserId, UserRecord};

use super::{super::Item, destination, field, key, malformed, partition_name, text, time};
use crate::fault::Fault;

pub(in crate::store) fn user_key(destination: &Destination) -> Item {
    key(destination, "user".to_owned())
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
    })
}

/// The user that a challenge carries: a map without a user id stands for nobody.
pub(super) fn from_carried_user(user: &CarriedUser) -> Option<AttributeValue> {
    let mut found = Item::new();
    match user {
        CarriedUser::Unread => return None,
        CarriedUser::Nobody => {}
        CarriedUser::Known { id, claims } => {
            found.insert("user_id".to_owned(), text(id.as_str()));
            if !claims.written().is_empty() {
                found.insert("claims".to_owned(), text(claims.written()));
            }
        }
    }
    Some(AttributeValue::M(found))
}

/// Reads the user that a challenge carries, if its login wrote one.
pub(super) fn carried_user(found: Option<&AttributeValue>) -> Result<CarriedUser, Fault> {
    let Some(found) = found else {
        return Ok(CarriedUser::Unread);
    };
    let found = found.as_m().map_err(|_| malformed("found_user"))?;
    if !is_user(found) {
        return Ok(CarriedUser::Nobody);
    }
    let user = user(found)?;
    Ok(CarriedUser::Known {
        id: user.id,
        claims: user.claims,
    })
}

/// Reads the claims from an item of the user; without the attribute, there are
/// none.
pub(in crate::store) fn claims(item: &Item) -> Result<Claims, Fault> {
    if !item.contains_key("claims") {
        return Ok(Claims::default());
    }
    let text = field(item, "claims", AttributeValue::as_s)?;
    Claims::from_table(text).ok_or_else(|| malformed("claims"))
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
    // A set has no order. Sorting puts `email#` before `sms#`.
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
