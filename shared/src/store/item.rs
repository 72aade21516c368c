//! The only place that names attributes.

use std::fmt::Display;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};

use super::{Item, SWEEP_DELAY};
use crate::{
    domain::{
        Challenge, ChallengeId, Destination, DigestKeyId, Limit, PasscodeDigest, RequestId, Scope,
        UnixTime, User, UserId,
    },
    fault::{Dependency, Fault},
};

/// What the sort keys of challenges begin with.
pub(super) const CHALLENGE_PREFIX: &str = "challenge#";

/// A challenge that may still be guessed at; takes `:now` and `:max`. Expiry is
/// judged here, by our clock: the table's own sweep comes up to days later.
pub(super) const IS_LIVE: &str =
    "expires_at > :now AND (attribute_not_exists(spent_by) OR size(spent_by) < :max)";

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn millis(time: UnixTime) -> AttributeValue {
    number(time.as_millis())
}

/// Request ids as a set, to be added to `spent_by`.
pub(super) fn only(request: &RequestId) -> AttributeValue {
    AttributeValue::Ss(vec![request.as_str().to_owned()])
}

/// When the table may sweep an item that is of no use after `end`: the value of
/// its TTL attribute, which counts seconds.
pub(super) fn sweep_after(end: UnixTime) -> AttributeValue {
    number(end.plus(SWEEP_DELAY).as_secs())
}

pub(super) fn partition(destination: &Destination) -> AttributeValue {
    text(format!(
        "{}#{}",
        destination.channel().as_str(),
        destination.as_str()
    ))
}

fn key(destination: &Destination, sort: String) -> Item {
    Item::from([
        ("pk".to_owned(), partition(destination)),
        ("sk".to_owned(), text(sort)),
    ])
}

pub(super) fn challenge_key(destination: &Destination, id: &ChallengeId) -> Item {
    key(destination, format!("{CHALLENGE_PREFIX}{}", id.as_str()))
}

pub(super) fn cooldown_key(destination: &Destination) -> Item {
    key(destination, "cooldown".to_owned())
}

/// One counter of a limit. Counters of one limit lie in partitions of their
/// own, or spreading it over several would gain nothing.
pub(super) fn counter_key(limit: &Limit, shard: u32, at: UnixTime) -> Item {
    let partition = match &limit.scope {
        Scope::Destination(destination) => partition(destination),
        Scope::Client(client) => text(format!("client#{}", client.as_str())),
        Scope::Prefix(prefix) => text(format!("prefix#{prefix}#{shard}")),
        Scope::Deployment => text(format!("deployment#{shard}")),
    };
    let start = limit.window_start(at).as_secs();
    let sort = text(format!("{}#{start}", limit.name));
    Item::from([("pk".to_owned(), partition), ("sk".to_owned(), sort)])
}

pub(super) fn user_key(destination: &Destination) -> Item {
    key(destination, "user".to_owned())
}

/// The item that stands for a fresh challenge, with the key of the counter that
/// its code's return makes room in, if there is one.
pub(super) fn from_challenge(challenge: &Challenge, unproven: Option<Item>) -> Item {
    let mut item = challenge_key(&challenge.destination, &challenge.id);
    let digest = AttributeValue::B(Blob::new(challenge.digest.as_bytes()));
    item.extend([
        ("digest".to_owned(), digest),
        ("key_id".to_owned(), text(challenge.key_id.as_str())),
        ("issued_at".to_owned(), millis(challenge.issued_at)),
        ("expires_at".to_owned(), millis(challenge.expires_at)),
        (
            "expires_at_seconds".to_owned(),
            sweep_after(challenge.expires_at),
        ),
    ]);
    if let Some(key) = unproven {
        item.insert("unproven".to_owned(), AttributeValue::M(key));
    }
    item
}

/// The key that [`from_challenge`] was given.
pub(super) fn unproven(item: &Item) -> Option<Item> {
    item.get("unproven")?.as_m().ok().cloned()
}

/// Reads a challenge of `destination` back.
pub(super) fn challenge(item: &Item, destination: &Destination) -> Result<Challenge, Fault> {
    let id = field(item, "sk", AttributeValue::as_s)?
        .strip_prefix(CHALLENGE_PREFIX)
        .and_then(ChallengeId::parse)
        .ok_or_else(|| malformed("sk"))?;
    let digest = field(item, "digest", AttributeValue::as_b)?
        .as_ref()
        .to_vec();
    Ok(Challenge {
        id,
        destination: destination.clone(),
        digest: PasscodeDigest::from_bytes(digest),
        key_id: DigestKeyId::new(field(item, "key_id", AttributeValue::as_s)?),
        issued_at: time(item, "issued_at")?,
        expires_at: time(item, "expires_at")?,
    })
}

pub(super) fn user(item: &Item) -> Result<User, Fault> {
    let id = field(item, "user_id", AttributeValue::as_s)?.clone();
    Ok(User {
        id: UserId::from_table(id),
        disabled: item.contains_key("disabled_at"),
    })
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

fn malformed(attribute: &str) -> Fault {
    Fault::new(
        Dependency::Table,
        "read",
        &format!("malformed attribute {attribute}"),
    )
}
