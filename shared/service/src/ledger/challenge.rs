//! A challenge as an item, with the attempts at it.

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{
    CarriedUser, Challenge, ChallengeId, Destination, DigestKeyId, OperationId, PasscodeDigest,
    Requester, UserId,
};

use super::page::MessagePage;
use crate::{
    fault::Fault,
    table::{
        Clauses, Item,
        attributes::{
            bytes, claims, destination, field, key, malformed, millis, partition, text, time,
        },
    },
};

/// The prefix of a challenge's sort key.
const PREFIX: &str = "challenge#";

/// The attribute of the attempts: a set of the operations that spent them.
pub(super) const SPENT_BY: &str = "spent_by";

pub(super) fn sort_key(id: &ChallengeId) -> String {
    format!("{PREFIX}{}", id.as_str())
}

/// The partition and the prefix of all challenges of a destination.
pub(super) fn all_of(to: &Destination) -> (AttributeValue, AttributeValue) {
    (partition(to), text(PREFIX))
}

/// An operation as a set, to be added to the attempts.
pub(super) fn only(operation: &OperationId) -> AttributeValue {
    AttributeValue::Ss(vec![operation.as_str().to_owned()])
}

pub(super) fn key_of(to: &Destination, id: &ChallengeId) -> Item {
    key(to, sort_key(id))
}

/// The attributes of a fresh challenge, with the page that counts its message.
pub(super) fn attributes(
    challenge: &Challenge,
    message_page: Option<&MessagePage>,
) -> Vec<(&'static str, AttributeValue)> {
    let mut attributes = vec![
        ("digest", bytes(challenge.digest.as_bytes())),
        ("requester", bytes(challenge.requester.as_bytes())),
        ("key_id", text(challenge.key_id.as_str())),
        ("issued_at", millis(challenge.issued_at)),
        ("expires_at", millis(challenge.expires_at)),
    ];
    attributes.extend(carried(&challenge.user).map(|user| ("found_user", user)));
    attributes.extend(message_page.map(|page| ("counted_at", text(&*page.0))));
    attributes
}

/// The user that a challenge carries: a map without a user id stands for nobody.
fn carried(user: &CarriedUser) -> Option<AttributeValue> {
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

fn carried_user(item: &Item) -> Result<CarriedUser, Fault> {
    let Some(found) = item.get("found_user") else {
        return Ok(CarriedUser::Unread);
    };
    let found = found.as_m().map_err(|_| malformed("found_user"))?;
    if !found.contains_key("user_id") {
        return Ok(CarriedUser::Nobody);
    }
    let id = field(found, "user_id", AttributeValue::as_s)?.clone();
    Ok(CarriedUser::Known {
        id: UserId::from_table(id),
        claims: claims(found)?,
    })
}

/// Reads a challenge.
pub(super) fn challenge(item: &Item) -> Result<Challenge, Fault> {
    let id = field(item, "sk", AttributeValue::as_s)?.strip_prefix(PREFIX);
    let to = destination(field(item, "pk", AttributeValue::as_s)?);
    let digest = field(item, "digest", AttributeValue::as_b)?;
    let requester = field(item, "requester", AttributeValue::as_b)?;
    Ok(Challenge {
        id: id
            .and_then(ChallengeId::parse)
            .ok_or_else(|| malformed("sk"))?,
        destination: to.ok_or_else(|| malformed("pk"))?,
        digest: PasscodeDigest::from_bytes(digest.as_ref().to_vec()),
        key_id: DigestKeyId::new(field(item, "key_id", AttributeValue::as_s)?),
        issued_at: time(item, "issued_at")?,
        expires_at: time(item, "expires_at")?,
        user: carried_user(item)?,
        requester: Requester::from_bytes(requester.as_ref().to_vec()),
    })
}

/// The page that counts the message of a challenge, if one does.
pub(super) fn message_page(item: &Item) -> Option<MessagePage> {
    let page = item.get("counted_at")?.as_s().ok()?;
    Some(MessagePage(page.clone()))
}

/// How many attempts have been spent, and whether this operation has spent one of them.
pub(super) fn spent(item: &Item, operation: &OperationId) -> (usize, bool) {
    let ids = item.get(SPENT_BY).and_then(|set| set.as_ss().ok());
    let ids = ids.map(Vec::as_slice).unwrap_or_default();
    (ids.len(), ids.iter().any(|id| id == operation.as_str()))
}

/// Requires that the challenge stands, and that nobody has guessed at it. A send with
/// guesses stays counted; otherwise failing deliveries would add guesses that no limit
/// bounds.
pub(super) fn unguessed(update: &mut Clauses) {
    for condition in ["attribute_exists(pk)", "attribute_not_exists(spent_by)"] {
        update.conditions.push(condition.to_owned());
    }
}
