//! A challenge as an item, with the attempts at it.

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{
    CarriedUser, Challenge, ChallengeId, Destination, Device, DigestKeyId, OperationId, Passcode,
    Purpose, Requester, UnixTime, UserId, WayName,
};

use super::entry::{Renewal, Sent};
use crate::{
    fault::Fault,
    table::{
        Clauses, Item,
        attributes::{
            bytes, claims, count, destination, devices, field, key, malformed, millis, number,
            partition, text, time,
        },
    },
};

/// The prefix of the sort key of a login's challenge.
const PREFIX: &str = "challenge#";

/// The prefix of the sort key of a challenge for adding a destination; the user follows. A
/// guess for one purpose therefore never meets a challenge for another.
const ADDING_PREFIX: &str = "adding#";

/// The attribute of the attempts: a set of the operations that spent them.
pub(super) const SPENT_BY: &str = "spent_by";

pub(super) fn sort_key(purpose: &Purpose, id: &ChallengeId) -> String {
    let id = id.as_str();
    match purpose {
        Purpose::Login => format!("{PREFIX}{id}"),
        Purpose::Adding(user) => format!("{ADDING_PREFIX}{}#{id}", user.as_str()),
    }
}

/// What a sort key tells of a challenge.
fn told_by(sort: &str) -> Option<(Purpose, ChallengeId)> {
    let (purpose, id) = if let Some(rest) = sort.strip_prefix(ADDING_PREFIX) {
        let (user, id) = rest.rsplit_once('#')?;
        (Purpose::Adding(UserId::from_table(user.to_owned())), id)
    } else {
        (Purpose::Login, sort.strip_prefix(PREFIX)?)
    };
    Some((purpose, ChallengeId::parse(id)?))
}

/// The partition and the prefix of all challenges of a destination's logins.
pub(super) fn all_of(to: &Destination) -> (AttributeValue, AttributeValue) {
    (partition(to), text(PREFIX))
}

/// An operation as a set, to be added to the attempts.
pub(super) fn only(operation: &OperationId) -> AttributeValue {
    AttributeValue::Ss(vec![operation.as_str().to_owned()])
}

pub(super) fn key_of(to: &Destination, purpose: &Purpose, id: &ChallengeId) -> Item {
    key(to, sort_key(purpose, id))
}

/// The attributes of a fresh challenge.
pub(super) fn attributes(
    challenge: &Challenge,
    sent: &Sent,
) -> Vec<(&'static str, AttributeValue)> {
    let mut attributes = vec![
        ("digits", number(sent.digits)),
        ("requester", bytes(challenge.requester.as_bytes())),
        ("key_id", text(challenge.key_id.as_str())),
        ("issued_at", millis(challenge.issued_at)),
        ("expires_at", millis(challenge.expires_at)),
    ];
    attributes.extend(
        challenge
            .is_fixed
            .then(|| ("fixed", AttributeValue::Bool(true))),
    );
    let device = challenge.device.as_ref();
    attributes.extend(device.map(|device| ("device", bytes(&device.to_bytes()))));
    attributes.extend(carried(&challenge.user).map(|user| ("found_user", user)));
    attributes.extend(counted_at(sent).map(|pages| (COUNTED_AT, pages)));
    attributes.extend(way_of(sent).map(|way| (WAYS, way)));
    attributes
}

/// The attribute of the pages that count the messages of a challenge.
const COUNTED_AT: &str = "counted_at";

fn counted_at(sent: &Sent) -> Option<AttributeValue> {
    let pages = sent.counted_at.clone();
    (!pages.is_empty()).then_some(AttributeValue::Ss(pages))
}

/// The attribute of the ways that the code of a challenge has travelled.
const WAYS: &str = "ways";

fn way_of(sent: &Sent) -> Option<AttributeValue> {
    let way = sent.way.as_ref()?.as_str().to_owned();
    Some(AttributeValue::Ss(vec![way]))
}

/// The ways that the code of a challenge has travelled.
pub(super) fn ways(item: &Item) -> Vec<WayName> {
    let ways = item.get(WAYS).and_then(|set| set.as_ss().ok());
    let ways = ways.into_iter().flatten();
    ways.filter_map(|name| WayName::parse(name)).collect()
}

/// Sends the code of a live challenge again.
pub(super) fn send_again(renewal: Renewal, now: UnixTime, sent: &Sent, update: &mut Clauses) {
    let now = update.value(millis(now));
    update.conditions.push(format!("expires_at > {now}"));
    let most = update.value(number(renewal.attempts));
    update.conditions.push(format!(
        "(attribute_not_exists(spent_by) OR size(spent_by) < {most})"
    ));
    update
        .conditions
        .push(format!("attribute_not_exists({USED_AT})"));
    if let Some(end) = renewal.until {
        let until = update.value(millis(end));
        update.conditions.push(format!("expires_at <= {until}"));
        update.set("expires_at", millis(end));
    }
    if let Some(page) = counted_at(sent) {
        let page = update.value(page);
        update.add.push(format!("{COUNTED_AT} {page}"));
    }
    if let Some(way) = way_of(sent) {
        let (name, way) = (update.name(WAYS.to_owned()), update.value(way));
        update.add.push(format!("{name} {way}"));
    }
}

/// Takes a message of the challenge back that was not sent.
pub(super) fn not_sent(sent: &Sent, update: &mut Clauses) {
    if let Some(page) = counted_at(sent) {
        let page = update.value(page);
        update.subtract.push(format!("{COUNTED_AT} {page}"));
        update.conditions.push("attribute_exists(pk)".to_owned());
    }
}

/// The attribute that tells that the code has done what it is for.
const USED_AT: &str = "used_at";

/// Marks a challenge as used.
pub(super) fn used(now: UnixTime, update: &mut Clauses) {
    update.set(USED_AT, millis(now));
    for condition in ["attribute_exists(pk)", "attribute_not_exists(used_at)"] {
        update.conditions.push(condition.to_owned());
    }
}

/// Whether the challenge is used, or has no attempt left.
pub(super) fn is_spent(item: &Item, attempts: u8) -> bool {
    item.contains_key(USED_AT) || spent_by(item).len() >= usize::from(attempts)
}

/// The user that a challenge carries: a map without a user id stands for nobody.
fn carried(user: &CarriedUser) -> Option<AttributeValue> {
    let mut found = Item::new();
    match user {
        CarriedUser::Unread => return None,
        CarriedUser::Nobody => {}
        CarriedUser::Known {
            id,
            claims,
            devices,
        } => {
            found.insert("user_id".to_owned(), text(id.as_str()));
            found.insert("devices".to_owned(), number(devices.issued));
            found.insert("devices_ended".to_owned(), number(devices.ended));
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
        devices: devices(found)?,
    })
}

/// Reads a challenge.
pub(super) fn challenge(item: &Item) -> Result<Challenge, Fault> {
    let told = told_by(field(item, "sk", AttributeValue::as_s)?);
    let (purpose, id) = told.ok_or_else(|| malformed("sk"))?;
    let to = destination(field(item, "pk", AttributeValue::as_s)?);
    let digits = u8::try_from(count(item, "digits")?).ok();
    // Whoever writes the table must not make a code short.
    let digits =
        digits.filter(|digits| (Passcode::LEAST_DIGITS..=Passcode::MOST_DIGITS).contains(digits));
    let device = item.get("device").map(|device| {
        let bytes = device.as_b().ok()?;
        Device::from_bytes(bytes.as_ref())
    });
    let requester = field(item, "requester", AttributeValue::as_b)?;
    Ok(Challenge {
        id,
        purpose,
        destination: to.ok_or_else(|| malformed("pk"))?,
        digits: digits.ok_or_else(|| malformed("digits"))?,
        is_fixed: item.contains_key("fixed"),
        device: device
            .map(|device| device.ok_or_else(|| malformed("device")))
            .transpose()?,
        key_id: DigestKeyId::new(field(item, "key_id", AttributeValue::as_s)?),
        issued_at: time(item, "issued_at")?,
        expires_at: time(item, "expires_at")?,
        user: carried_user(item)?,
        requester: Requester::from_bytes(requester.as_ref().to_vec()),
    })
}

/// The pages that count the messages of a challenge.
pub(super) fn message_pages(item: &Item) -> Vec<String> {
    let pages = item.get(COUNTED_AT).and_then(|set| set.as_ss().ok());
    pages.cloned().unwrap_or_default()
}

/// How many attempts have been spent, and whether this operation has spent one of them.
pub(super) fn spent(item: &Item, operation: &OperationId) -> (usize, bool) {
    let ids = spent_by(item);
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

fn spent_by(item: &Item) -> &[String] {
    let ids = item.get(SPENT_BY).and_then(|set| set.as_ss().ok());
    ids.map(Vec::as_slice).unwrap_or_default()
}
