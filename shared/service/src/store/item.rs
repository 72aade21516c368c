//! The only place that names attributes.

mod challenge;
mod counters;
mod session;
mod user;

use std::{fmt::Display, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use otp_domain::{
    Challenge, ChallengeId, Delivery, Destination, EmailAddress, IdempotencyKey, PhoneNumber,
    UnixTime,
};

pub(super) use challenge::{
    challenge, challenge_name, challenges, conversion_counter, from_challenge, only, sends_key,
    spent_by, spent_name,
};
pub(super) use counters::{
    count, count_of, counter_key, guard_count, guard_key, guard_sweep, is_counted_for, key_of,
    lasting_key, sent_at,
};
pub(super) use session::{
    SESSION_PREFIX, bytes, claims_key, from_session, seal_key, seal_mac, session, session_key,
    sessions,
};
pub(super) use user::{claims, is_user, partitions, user, user_key, user_record};

use super::{Item, ReplayedLogin, SWEEP_DELAY};
use crate::fault::{Dependency, Fault};

/// After this long, a login that is not completed never will be: the function
/// has timed out (`Timeout` in template.yaml).
const ABANDONED_AFTER: Duration = Duration::from_secs(25);

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn millis(time: UnixTime) -> AttributeValue {
    number(time.as_millis())
}

/// The value of an item's TTL attribute, in seconds, if the item is of no use
/// after `end`.
pub(super) fn sweep_after(end: UnixTime) -> AttributeValue {
    number(end.plus(SWEEP_DELAY).as_secs())
}

pub(super) fn partition(destination: &Destination) -> AttributeValue {
    text(partition_name(destination))
}

fn partition_name(destination: &Destination) -> String {
    format!(
        "{}#{}",
        destination.channel().as_str(),
        destination.as_str()
    )
}

fn key(destination: &Destination, sort: String) -> Item {
    Item::from([
        ("pk".to_owned(), partition(destination)),
        ("sk".to_owned(), text(sort)),
    ])
}

/// The key of the item for an idempotency key. Each destination has its own keys.
pub(super) fn request_key(destination: &Destination, idempotency: &IdempotencyKey) -> Item {
    let hash = URL_SAFE_NO_PAD.encode(idempotency.hash());
    key(destination, format!("request#{hash}"))
}

/// The item that maps an idempotency key to the challenge that it led to.
pub(super) fn from_request(key: &IdempotencyKey, challenge: &Challenge) -> Item {
    let mut item = request_key(&challenge.destination, key);
    item.extend([
        ("challenge_id".to_owned(), text(challenge.id.as_str())),
        ("issued_at".to_owned(), millis(challenge.issued_at)),
        ("expires_at".to_owned(), millis(challenge.expires_at)),
        (
            "expires_at_seconds".to_owned(),
            sweep_after(challenge.expires_at),
        ),
    ]);
    item
}

/// Logins that are not completed were issued at or before this instant never will
/// be.
pub(super) fn abandoned_before(now: UnixTime) -> AttributeValue {
    millis(now.minus(ABANDONED_AFTER))
}

/// Whether the key's first request may still be answered: its code is live, and
/// it was completed or still may be.
pub(super) fn is_live_request(item: &Item, now: UnixTime) -> bool {
    let is_live = time(item, "expires_at").is_ok_and(|at| now < at);
    let is_young = || time(item, "issued_at").is_ok_and(|at| now.minus(ABANDONED_AFTER) < at);
    is_live && (item.contains_key("seen_through") || is_young())
}

/// The challenge that the key's first request led to.
pub(super) fn replayed_login(item: &Item) -> Result<ReplayedLogin, Fault> {
    let id = field(item, "challenge_id", AttributeValue::as_s)?;
    Ok(ReplayedLogin {
        challenge_id: ChallengeId::parse(id).ok_or_else(|| malformed("challenge_id"))?,
        issued_at: time(item, "issued_at")?,
        expires_at: time(item, "expires_at")?,
        delivery: item.get("delivery").map(|value| match value.as_s() {
            Ok(word) if word == Delivery::Confirmed.as_str() => Delivery::Confirmed,
            _ => Delivery::Unconfirmed,
        }),
    })
}

/// Reads the name of a destination's partition.
fn destination(partition: &str) -> Option<Destination> {
    match partition.split_once('#')? {
        ("email", text) => EmailAddress::parse(text).ok().map(Destination::Email),
        ("sms", text) => PhoneNumber::parse(text).ok().map(Destination::Phone),
        _ => None,
    }
}

pub(super) fn time(item: &Item, name: &'static str) -> Result<UnixTime, Fault> {
    field(item, name, AttributeValue::as_n)?
        .parse()
        .map(UnixTime::from_millis)
        .map_err(|_| malformed(name))
}

fn field<'a, T: ?Sized>(
    item: &'a Item,
    name: &'static str,
    read: impl FnOnce(&'a AttributeValue) -> Result<&'a T, &'a AttributeValue>,
) -> Result<&'a T, Fault> {
    item.get(name)
        .and_then(|value| read(value).ok())
        .ok_or_else(|| malformed(name))
}

fn optional<T>(
    item: &Item,
    name: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Fault> {
    let number = item.get(name).map(AttributeValue::as_n).transpose();
    let number = number.map_err(|_| malformed(name))?;
    let value = number.map(|text| parse(text).ok_or_else(|| malformed(name)));
    value.transpose()
}

fn malformed(attribute: &str) -> Fault {
    Fault::new(
        Dependency::Table,
        "read",
        &format!("malformed attribute {attribute}"),
    )
}

#[cfg(test)]
mod tests;
