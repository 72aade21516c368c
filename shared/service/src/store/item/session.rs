//! Sessions as items.

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{
    DeviceLabel, DigestKeyId, RefreshTokenDigest, RotationSalt, Seal, Session, SessionId, UserId,
};

use crate::{
    fault::Fault,
    table::{
        Item,
        attributes::{
            bytes, destination, field, key_in, malformed, millis, partition, sweep_after, text,
            time,
        },
    },
};

/// The prefix of the partition key of a user and of the user's sessions.
pub(in crate::store) const USER_PREFIX: &str = "user#";

/// The prefix of a session's sort key.
pub(in crate::store) const SESSION_PREFIX: &str = "session#";

/// The partition of all sessions of one user.
pub(in crate::store) fn sessions(user: &UserId) -> AttributeValue {
    text(format!("{USER_PREFIX}{}", user.as_str()))
}

pub(in crate::store) fn session_key(user: &UserId, id: &SessionId) -> Item {
    key_in(sessions(user), format!("{SESSION_PREFIX}{}", id.as_str()))
}

/// The id of the key of a session's seal, for the table.
pub(in crate::store) fn seal_key(seal: &Seal) -> AttributeValue {
    text(seal.key_id.as_str())
}

/// The bytes of a session's seal, for the table.
pub(in crate::store) fn seal_mac(seal: &Seal) -> AttributeValue {
    bytes(&seal.as_bytes())
}

/// The item of a session whose first token is unused.
pub(in crate::store) fn from_session(session: &Session) -> Item {
    let mut item = session_key(&session.user, &session.id);
    item.extend([
        ("destination".to_owned(), partition(&session.destination)),
        ("created_at".to_owned(), millis(session.created_at)),
        (
            "new_user".to_owned(),
            AttributeValue::Bool(session.new_user),
        ),
        ("current_digest".to_owned(), bytes(&session.current)),
        ("refreshed_at".to_owned(), millis(session.refreshed_at)),
        ("expires_at".to_owned(), millis(session.expires_at)),
        ("ends_at".to_owned(), millis(session.ends_at)),
        (
            "expires_at_seconds".to_owned(),
            sweep_after(session.expires_at),
        ),
    ]);
    if let Some(label) = &session.label {
        item.insert("device".to_owned(), text(label.as_str()));
    }
    if let Some(seal) = &session.seal {
        item.insert("seal".to_owned(), seal_mac(seal));
        item.insert("seal_key_id".to_owned(), seal_key(seal));
    }
    item
}

/// Reads a session.
pub(in crate::store) fn session(item: &Item) -> Result<Session, Fault> {
    let key = |name, prefix| {
        let text = field(item, name, AttributeValue::as_s)?;
        text.strip_prefix(prefix).ok_or_else(|| malformed(name))
    };
    let destination = destination(field(item, "destination", AttributeValue::as_s)?);
    Ok(Session {
        id: SessionId::new(key("sk", SESSION_PREFIX)?.to_owned()),
        user: UserId::from_table(key("pk", USER_PREFIX)?.to_owned()),
        destination: destination.ok_or_else(|| malformed("destination"))?,
        label: label(item)?,
        created_at: time(item, "created_at")?,
        new_user: *field(item, "new_user", AttributeValue::as_bool)?,
        current: binary(item, "current_digest")?,
        previous: previous(item)?,
        refreshed_at: time(item, "refreshed_at")?,
        expires_at: time(item, "expires_at")?,
        ends_at: time(item, "ends_at")?,
        seal: seal(item)?,
    })
}

fn label(item: &Item) -> Result<Option<DeviceLabel>, Fault> {
    if !item.contains_key("device") {
        return Ok(None);
    }
    let text = field(item, "device", AttributeValue::as_s)?.clone();
    Ok(Some(DeviceLabel::from_table(text)))
}

fn seal(item: &Item) -> Result<Option<Seal>, Fault> {
    if !item.contains_key("seal") {
        return Ok(None);
    }
    let key_id = DigestKeyId::new(field(item, "seal_key_id", AttributeValue::as_s)?);
    let mac = field(item, "seal", AttributeValue::as_b)?.as_ref().to_vec();
    Ok(Some(Seal::from_table(key_id, mac)))
}

fn previous(item: &Item) -> Result<Option<(RefreshTokenDigest, RotationSalt)>, Fault> {
    if !item.contains_key("previous_digest") {
        return Ok(None);
    }
    Ok(Some((
        binary(item, "previous_digest")?,
        binary(item, "salt")?,
    )))
}

fn binary<T: for<'a> TryFrom<&'a [u8]>>(item: &Item, name: &'static str) -> Result<T, Fault> {
    let bytes = field(item, name, AttributeValue::as_b)?.as_ref();
    T::try_from(bytes).map_err(|_| malformed(name))
}
