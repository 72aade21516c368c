//! Users, and the destinations that log them in.

use rand::CryptoRng;

use super::{Claims, Destination, DestinationKind, Devices, UnixTime, challenge::draw_id};

/// Identifies one user permanently. It is opaque and unrelated to the
/// destinations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserId(String);

impl UserId {
    /// Draws a new id of 128 random bits.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        Self(draw_id(rng))
    }

    /// Wraps an id from the table.
    #[must_use]
    pub const fn from_table(id: String) -> Self {
        Self(id)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The part of a user that a login needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// Whether an operator has disabled the user.
    pub disabled: bool,
    /// The last login by the destination that the user was found by. It can be
    /// the login of an earlier user of that destination.
    pub last_login_at: Option<UnixTime>,
    /// What an operator says of the user in access tokens.
    pub claims: Claims,
    /// The known devices at the destination that the user was found by.
    pub devices: Devices,
}

impl User {
    /// Whether a login has used or voided the codes that were issued at `time`.
    #[must_use]
    pub fn has_logged_in_since(&self, time: UnixTime) -> bool {
        self.last_login_at.is_some_and(|at| at >= time)
    }
}

/// Everything that the table keeps of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    /// The user's id.
    pub id: UserId,
    /// The destinations that log the user in, the e-mail address first.
    pub destinations: Vec<Destination>,
    /// When the user was created.
    pub created_at: UnixTime,
    /// The last login, if there was one.
    pub last_login_at: Option<UnixTime>,
    /// Whether an operator has disabled the user.
    pub disabled: bool,
    /// What an operator says of the user in access tokens.
    pub claims: Claims,
}

impl UserRecord {
    /// The user's destination of this kind, if there is one.
    #[must_use]
    pub fn destination(&self, kind: DestinationKind) -> Option<&Destination> {
        let mut destinations = self.destinations.iter();
        destinations.find(|destination| destination.kind() == kind)
    }
}

/// The user that a validation logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolvedUser {
    /// The user exists.
    Existing(UserId),
    /// This validation creates the user.
    New(UserId),
}

impl ResolvedUser {
    /// The user's id.
    #[must_use]
    pub const fn id(&self) -> &UserId {
        match self {
            Self::Existing(id) | Self::New(id) => id,
        }
    }

    /// Whether this validation creates the user.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_login_voids_the_codes_that_were_issued_before_it() {
        let at = UnixTime::from_secs(1_000);
        let moment = Duration::from_millis(1);
        let user = |last_login_at| User {
            id: UserId::from_table("u".to_owned()),
            disabled: false,
            last_login_at,
            claims: Claims::default(),
            devices: Devices::default(),
        };
        let known = user(Some(at));
        assert!(known.has_logged_in_since(at) && known.has_logged_in_since(at.minus(moment)));
        assert!(!known.has_logged_in_since(at.plus(moment)));
        assert!(!user(None).has_logged_in_since(UnixTime::from_secs(0)));
    }

    #[test]
    fn a_user_has_one_destination_on_each_channel() {
        let record = |destinations: &[&str]| UserRecord {
            id: UserId::from_table("u".to_owned()),
            destinations: destinations.iter().map(|it| it.parse().unwrap()).collect(),
            created_at: UnixTime::from_secs(0),
            last_login_at: None,
            disabled: false,
            claims: Claims::default(),
        };
        let both = record(&["alice@example.com", "+14155550123"]);
        let on = |record: &UserRecord, channel| {
            record.destination(channel).map(|it| it.as_str().to_owned())
        };
        assert_eq!(
            on(&both, DestinationKind::Email).as_deref(),
            Some("alice@example.com")
        );
        assert_eq!(
            on(&both, DestinationKind::Phone).as_deref(),
            Some("+14155550123")
        );
        assert_eq!(on(&record(&["+14155550123"]), DestinationKind::Email), None);
    }
}
