//! How values and keys are written as attributes, and read again.

use std::{fmt::Display, time::Duration};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use otp_domain::{Claims, Destination, Devices, EmailAddress, PhoneNumber, UnixTime};

use super::{Item, fault};
use crate::fault::Fault;

/// How long the table keeps an item after its use. A clock may be a minute off, so the last
/// of two that write may be two minutes behind the other.
const SWEEP_DELAY: Duration = Duration::from_mins(3);

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn millis(time: UnixTime) -> AttributeValue {
    number(time.as_millis())
}

/// The value of an item's TTL attribute, in seconds, if the item is of no use
/// after `end`.
pub(crate) fn sweep_after(end: UnixTime) -> AttributeValue {
    number(end.plus(SWEEP_DELAY).as_secs())
}

pub(crate) fn partition(destination: &Destination) -> AttributeValue {
    text(partition_name(destination))
}

pub(crate) fn partition_name(destination: &Destination) -> String {
    format!("{}#{}", destination.kind().as_str(), destination.as_str())
}

pub(crate) fn bytes(value: &(impl AsRef<[u8]> + ?Sized)) -> AttributeValue {
    AttributeValue::B(Blob::new(value.as_ref()))
}

/// The key of an item of a destination.
pub(crate) fn key(destination: &Destination, sort: impl Into<String>) -> Item {
    key_in(partition(destination), sort)
}

/// The key of an item in a partition.
pub(crate) fn key_in(partition: AttributeValue, sort: impl Into<String>) -> Item {
    Item::from([("pk".to_owned(), partition), ("sk".to_owned(), text(sort))])
}

/// What tells an item, or a key, from every other one.
pub(crate) fn key_of(item: &Item) -> [Option<String>; 2] {
    ["pk", "sk"].map(|name| item.get(name).and_then(|it| it.as_s().ok()).cloned())
}

/// Reads the name of a destination's partition.
pub(crate) fn destination(partition: &str) -> Option<Destination> {
    match partition.split_once('#')? {
        ("email", text) => EmailAddress::parse(text).ok().map(Destination::Email),
        ("phone", text) => PhoneNumber::parse(text).ok().map(Destination::Phone),
        _ => None,
    }
}

pub(crate) fn time(item: &Item, name: &'static str) -> Result<UnixTime, Fault> {
    field(item, name, AttributeValue::as_n)?
        .parse()
        .map(UnixTime::from_millis)
        .map_err(|_| malformed(name))
}

pub(crate) fn field<'a, T: ?Sized>(
    item: &'a Item,
    name: &'static str,
    read: impl FnOnce(&'a AttributeValue) -> Result<&'a T, &'a AttributeValue>,
) -> Result<&'a T, Fault> {
    item.get(name)
        .and_then(|value| read(value).ok())
        .ok_or_else(|| malformed(name))
}

/// Reads a whole number. One that is absent is zero.
pub(crate) fn count(item: &Item, name: &str) -> Result<i64, Fault> {
    let Some(value) = item.get(name) else {
        return Ok(0);
    };
    let number = value.as_n().ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| malformed("count"))
}

/// Reads the claims from an item of a user; without the attribute, there are none.
pub(crate) fn claims(item: &Item) -> Result<Claims, Fault> {
    if !item.contains_key("claims") {
        return Ok(Claims::default());
    }
    let text = field(item, "claims", AttributeValue::as_s)?;
    Claims::from_table(text).ok_or_else(|| malformed("claims"))
}

/// Reads how many devices a user has had; without the attributes, none.
pub(crate) fn devices(item: &Item) -> Result<Devices, Fault> {
    let read = |name| {
        let number = u32::try_from(count(item, name)?);
        number.map_err(|_| malformed(name))
    };
    Ok(Devices {
        issued: read("devices")?,
        ended: read("devices_ended")?,
    })
}

pub(crate) fn malformed(attribute: &str) -> Fault {
    let words = format!("malformed attribute {attribute}");
    fault("read", words.as_str())
}
