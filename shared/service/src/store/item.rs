//! The only place that names attributes.

mod session;

use std::fmt::Display;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use otp_domain::{
    Challenge, ChallengeId, Destination, DigestKeyId, EmailAddress, IdempotencyKey, Limit,
    OperationId, PasscodeDigest, PhoneNumber, Scope, UnixTime, User, UserId, UserRecord,
};

pub(super) use session::{SESSION_PREFIX, bytes, from_session, session, session_key, sessions};

use super::{Item, ReplayedLogin, SWEEP_DELAY};
use crate::fault::{Dependency, Fault};

/// The prefix of challenges' sort keys.
pub(super) const CHALLENGE_PREFIX: &str = "challenge#";

/// The condition of a live challenge; takes `:now` and `:max`. Our clock decides
/// expiry here: the table's TTL may delete the item days later.
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

/// An operation id as a set, to be added to `spent_by`.
pub(super) fn only(operation: &OperationId) -> AttributeValue {
    AttributeValue::Ss(vec![operation.as_str().to_owned()])
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

pub(super) fn challenge_key(destination: &Destination, id: &ChallengeId) -> Item {
    key(destination, format!("{CHALLENGE_PREFIX}{}", id.as_str()))
}

pub(super) fn cooldown_key(destination: &Destination) -> Item {
    key(destination, "cooldown".to_owned())
}

/// One shard of a limit's counter. Each shard has a partition of its own, because
/// a partition's throughput is limited.
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

/// The key of the item for an idempotency key.
pub(super) fn request_key(key: &IdempotencyKey) -> Item {
    let name = format!("request#{}", URL_SAFE_NO_PAD.encode(key.hash()));
    Item::from([
        ("pk".to_owned(), text(name)),
        ("sk".to_owned(), text("request")),
    ])
}

/// The item that maps an idempotency key to the challenge that it led to.
pub(super) fn from_request(key: &IdempotencyKey, challenge: &Challenge) -> Item {
    let mut item = request_key(key);
    item.extend([
        ("destination".to_owned(), partition(&challenge.destination)),
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

/// The challenge that the key's first request led to; `None` if that request had
/// another destination.
pub(super) fn replayed_login(
    item: &Item,
    destination: &Destination,
) -> Result<Option<ReplayedLogin>, Fault> {
    if item.get("destination") != Some(&partition(destination)) {
        return Ok(None);
    }
    let id = field(item, "challenge_id", AttributeValue::as_s)?;
    Ok(Some(ReplayedLogin {
        challenge_id: ChallengeId::parse(id).ok_or_else(|| malformed("challenge_id"))?,
        issued_at: time(item, "issued_at")?,
        expires_at: time(item, "expires_at")?,
    }))
}

pub(super) fn user_key(destination: &Destination) -> Item {
    key(destination, "user".to_owned())
}

/// The item of a fresh challenge, with the key of the conversion counter that
/// counts its message, if there is one.
pub(super) fn from_challenge(challenge: &Challenge, conversion_counter: Option<Item>) -> Item {
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
    if let Some(key) = conversion_counter {
        item.insert("unproven".to_owned(), AttributeValue::M(key));
    }
    item
}

/// The key of the conversion counter that [`from_challenge`] was given.
pub(super) fn conversion_counter(item: &Item) -> Option<Item> {
    item.get("unproven")?.as_m().ok().cloned()
}

/// Reads a challenge of `destination`.
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

/// The partitions of all destinations of a user. Each of the user's items keeps
/// them, so that one item leads to the others.
pub(super) fn partitions(user: &UserRecord) -> AttributeValue {
    AttributeValue::Ss(user.destinations.iter().map(partition_name).collect())
}

/// Whether the item is a user's, not the tombstone of a removed user.
pub(super) fn is_user(item: &Item) -> bool {
    item.contains_key("user_id")
}

/// Reads a user's record from any of the user's items. The last login is that of
/// this item's destination.
pub(super) fn user_record(item: &Item) -> Result<UserRecord, Fault> {
    let mut partitions = match item.get("destinations") {
        Some(_) => field(item, "destinations", AttributeValue::as_ss)?.clone(),
        None => vec![field(item, "pk", AttributeValue::as_s)?.clone()],
    };
    // A set has no order, and `email#` sorts before `sms#`.
    partitions.sort();
    let user = user(item)?;
    Ok(UserRecord {
        id: user.id,
        destinations: partitions
            .iter()
            .map(|name| destination(name).ok_or_else(|| malformed("destinations")))
            .collect::<Result<_, _>>()?,
        created_at: time(item, "created_at")?,
        // Without the operation, the last login is a removed user's tombstone.
        last_login_at: item
            .contains_key("last_login_by")
            .then(|| time(item, "last_login_at"))
            .transpose()?,
        disabled: user.disabled,
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

fn malformed(attribute: &str) -> Fault {
    Fault::new(
        Dependency::Table,
        "read",
        &format!("malformed attribute {attribute}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{prelude::*, sample::select};

    /// Every attribute that is read.
    const NAMES: &[&str] = &[
        "pk",
        "sk",
        "challenge_id",
        "created_at",
        "destination",
        "destinations",
        "digest",
        "disabled_at",
        "expires_at",
        "issued_at",
        "key_id",
        "last_login_at",
        "last_login_by",
        "unproven",
        "user_id",
    ];

    const TEXTS: &[&str] = &[
        "challenge#r5BuMb9vjKaMlD76sIa5SQ",
        "r5BuMb9vjKaMlD76sIa5SQ",
        "email#alice@example.com",
        "sms#+14155550123",
        "18446744073709551615",
        "1767226200000",
        "-1",
        "1E3",
        "#",
    ];

    fn value() -> impl Strategy<Value = AttributeValue> {
        let text = || fuzz::text(TEXTS);
        let texts = || prop::collection::vec(text(), 0..4);
        let leaf = prop_oneof![
            4 => text().prop_map(AttributeValue::S),
            4 => text().prop_map(AttributeValue::N),
            2 => prop::collection::vec(any::<u8>(), 0..40).prop_map(|b| AttributeValue::B(Blob::new(b))),
            2 => texts().prop_map(AttributeValue::Ss),
            1 => texts().prop_map(AttributeValue::Ns),
            1 => any::<bool>().prop_map(AttributeValue::Bool),
            1 => any::<bool>().prop_map(AttributeValue::Null),
        ];
        leaf.prop_recursive(2, 8, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
                prop::collection::hash_map(select(NAMES).prop_map(str::to_owned), inner, 0..4)
                    .prop_map(AttributeValue::M),
            ]
        })
    }

    /// The attributes of a challenge and of a user, in one item.
    fn well_formed() -> Item {
        let pairs = [
            ("pk", text("email#alice@example.com")),
            ("sk", text("challenge#r5BuMb9vjKaMlD76sIa5SQ")),
            ("challenge_id", text("r5BuMb9vjKaMlD76sIa5SQ")),
            ("destination", text("email#alice@example.com")),
            ("digest", AttributeValue::B(Blob::new([7; 32]))),
            ("key_id", text("key")),
            ("user_id", text("0Yb1uTQ1VZt9cJ7mXxk2Ew")),
            ("issued_at", number(1_767_226_200_000u64)),
            ("expires_at", number(1_767_226_500_000u64)),
            ("created_at", number(1_767_226_200_000u64)),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).into()
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn an_item_that_is_not_as_we_wrote_it_is_a_fault_of_the_table_that_tells_no_data(
            changes in prop::collection::hash_map(select(NAMES), value(), 0..5),
            lost in prop::collection::vec(select(NAMES), 0..3),
        ) {
            let alice = Destination::Email(EmailAddress::parse("alice@example.com").unwrap());
            let mut item = well_formed();
            item.extend(changes.into_iter().map(|(name, value)| (name.to_owned(), value)));
            for name in lost {
                item.remove(name);
            }
            let faults = [
                challenge(&item, &alice).err(),
                replayed_login(&item, &alice).err(),
                user(&item).err(),
                user_record(&item).err(),
            ];
            for fault in faults.into_iter().flatten() {
                prop_assert_eq!(fault.dependency, Dependency::Table);
                let name = fault.cause.strip_prefix("malformed attribute ");
                prop_assert!(name.is_some_and(|name| NAMES.contains(&name)), "{}", fault);
            }
            if let Ok(challenge) = challenge(&item, &alice) {
                prop_assert_eq!(challenge.id.as_str().len(), 22);
            }
            let _ = (conversion_counter(&item), is_user(&item));
        }
    }
}
