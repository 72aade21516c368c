//! Challenges as attributes of the item that counts a mailbox's sends.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use otp_domain::{
    Challenge, ChallengeId, Destination, DigestKeyId, OperationId, PasscodeDigest, Requester,
    UnixTime,
};

use super::{
    super::Item,
    destination, field, key, malformed, millis, partition, text, time,
    user::{carried_user, from_carried_user},
};
use crate::fault::Fault;

const CHALLENGE_PREFIX: &str = "challenge#";

/// The key of the item that counts the sends of a UTC day to a destination's mailbox,
/// and holds the challenges of them.
pub(in crate::store) fn sends_key(destination: &Destination, day: UnixTime) -> Item {
    let start = day.utc_day().as_secs();
    key(&destination.bucket(), format!("sends#{start}"))
}

/// The attribute of a challenge.
pub(in crate::store) fn challenge_name(id: &ChallengeId) -> String {
    format!("{CHALLENGE_PREFIX}{}", id.as_str())
}

/// The attribute of the attempts at a challenge.
pub(in crate::store) fn spent_name(id: &ChallengeId) -> String {
    format!("spent#{}", id.as_str())
}

/// An operation id as a set, to be added to the attempts.
pub(in crate::store) fn only(operation: &OperationId) -> AttributeValue {
    AttributeValue::Ss(vec![operation.as_str().to_owned()])
}

/// The value of a fresh challenge, with the key of the conversion counter that counts
/// its message, if there is one.
pub(in crate::store) fn from_challenge(
    challenge: &Challenge,
    conversion_counter: Option<Item>,
) -> AttributeValue {
    let bytes = |bytes: &[u8]| AttributeValue::B(Blob::new(bytes));
    let digest = bytes(challenge.digest.as_bytes());
    let requester = bytes(challenge.requester.as_bytes());
    let mut value = Item::from([
        ("sent_to".to_owned(), partition(&challenge.destination)),
        ("digest".to_owned(), digest),
        ("requester".to_owned(), requester),
        ("key_id".to_owned(), text(challenge.key_id.as_str())),
        ("issued_at".to_owned(), millis(challenge.issued_at)),
        ("expires_at".to_owned(), millis(challenge.expires_at)),
    ]);
    if let Some(user) = from_carried_user(&challenge.user) {
        value.insert("found_user".to_owned(), user);
    }
    if let Some(key) = conversion_counter {
        value.insert("unproven".to_owned(), AttributeValue::M(key));
    }
    AttributeValue::M(value)
}

/// Reads a challenge of an item, if the item holds it.
pub(in crate::store) fn challenge(
    sends: &Item,
    id: &ChallengeId,
) -> Result<Option<Challenge>, Fault> {
    let value = sends.get(&challenge_name(id));
    value.map(|value| read(id.clone(), value)).transpose()
}

/// Reads every challenge of an item.
pub(in crate::store) fn challenges(sends: &Item) -> Result<Vec<Challenge>, Fault> {
    let challenges = sends.iter().filter_map(|(name, value)| {
        let id = name.strip_prefix(CHALLENGE_PREFIX)?;
        Some((id, value))
    });
    challenges
        .map(|(id, value)| {
            read(
                ChallengeId::parse(id).ok_or_else(|| malformed("id"))?,
                value,
            )
        })
        .collect()
}

fn read(id: ChallengeId, value: &AttributeValue) -> Result<Challenge, Fault> {
    let value = value.as_m().map_err(|_| malformed("challenge"))?;
    let to = field(value, "sent_to", AttributeValue::as_s)?;
    let digest = field(value, "digest", AttributeValue::as_b)?;
    let requester = field(value, "requester", AttributeValue::as_b)?;
    Ok(Challenge {
        id,
        destination: destination(to).ok_or_else(|| malformed("sent_to"))?,
        digest: PasscodeDigest::from_bytes(digest.as_ref().to_vec()),
        key_id: DigestKeyId::new(field(value, "key_id", AttributeValue::as_s)?),
        issued_at: time(value, "issued_at")?,
        expires_at: time(value, "expires_at")?,
        user: carried_user(value.get("found_user"))?,
        requester: Requester::from_bytes(requester.as_ref().to_vec()),
    })
}

/// The key of the conversion counter that [`from_challenge`] was given.
pub(in crate::store) fn conversion_counter(sends: &Item, id: &ChallengeId) -> Option<Item> {
    let challenge = sends.get(&challenge_name(id))?.as_m().ok()?;
    challenge.get("unproven")?.as_m().ok().cloned()
}

/// The attempts that a challenge's guesses have spent.
pub(in crate::store) fn spent_by(sends: &Item, id: &ChallengeId) -> Vec<OperationId> {
    let ids = sends.get(&spent_name(id)).and_then(|set| set.as_ss().ok());
    let ids = ids.into_iter().flatten();
    ids.map(|id| OperationId::from_table(id.clone())).collect()
}
