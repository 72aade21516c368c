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

    /// Reads an id that another service has given: 1 to 64 visible ASCII characters, none of
    /// them `#`, `,` or a quote. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"#,'\"`".contains(&b));
        fits.then(|| Self(text.to_owned()))
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

/// A user, as the user's own item has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    /// The user's id.
    pub id: UserId,
    /// The destinations that log the user in, e-mail addresses first.
    pub destinations: Vec<OwnDestination>,
    /// When the user was created.
    pub created_at: UnixTime,
    /// The last login, if it was looked for and there was one.
    pub last_login_at: Option<UnixTime>,
    /// Since when the user is disabled.
    pub disabled_at: Option<UnixTime>,
    /// What an operator says of the user in access tokens.
    pub claims: Claims,
    /// The number of the user's last change, from 1 on.
    pub version: u64,
}

/// A destination of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnDestination {
    /// The destination.
    pub destination: Destination,
    /// Since when it logs the user in.
    pub added_at: UnixTime,
}

impl UserRecord {
    /// A user with one destination, whom a first login creates.
    #[must_use]
    pub fn signed_up(id: UserId, by: &Destination, now: UnixTime) -> Self {
        Self {
            id,
            destinations: vec![OwnDestination {
                destination: by.clone(),
                added_at: now,
            }],
            created_at: now,
            last_login_at: None,
            disabled_at: None,
            claims: Claims::default(),
            version: 1,
        }
    }

    /// Whether the user is disabled.
    #[must_use]
    pub const fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }

    /// Since when this destination is the user's, if it is.
    #[must_use]
    pub fn added_at(&self, destination: &Destination) -> Option<UnixTime> {
        let mut own = self.destinations.iter();
        let found = own.find(|own| own.destination == *destination);
        found.map(|own| own.added_at)
    }

    /// The user's first destination of this kind, if there is one.
    #[must_use]
    pub fn destination(&self, kind: DestinationKind) -> Option<&Destination> {
        let mut destinations = self.destinations.iter().map(|own| &own.destination);
        destinations.find(|destination| destination.kind() == kind)
    }

    /// The destination that a token of the user names, if its session began with `proven`:
    /// that one as long as it is the user's, then another.
    #[must_use]
    pub fn named(&self, proven: &Destination) -> Option<&Destination> {
        let all = || self.destinations.iter().map(|own| &own.destination);
        all()
            .find(|destination| *destination == proven)
            .or_else(|| self.destination(proven.kind()))
            .or_else(|| all().next())
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
    fn an_id_of_another_service_is_visible_ascii_without_separators() {
        let long = "x".repeat(64);
        for text in ["auth0|5f7c8ec7", "c0a8-12", "-", &long] {
            assert_eq!(UserId::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "a b",
            "a#b",
            "a,b",
            "a\"",
            "a'b",
            "\u{e9}",
            &format!("{long}x"),
        ] {
            assert_eq!(UserId::parse(text), None, "{text}");
        }
    }

    fn record(destinations: &[&str]) -> UserRecord {
        let at = UnixTime::from_secs(0);
        let own = |text: &&str| OwnDestination {
            destination: text.parse().unwrap(),
            added_at: at,
        };
        let id = UserId::from_table("u".to_owned());
        UserRecord {
            destinations: destinations.iter().map(own).collect(),
            ..UserRecord::signed_up(id, &"x@example.com".parse().unwrap(), at)
        }
    }

    #[test]
    fn a_user_shows_one_destination_of_each_kind() {
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

    #[test]
    fn a_token_names_what_was_proven_as_long_as_it_is_the_users() {
        let user = record(&["a@example.com", "b@example.com", "+14155550123"]);
        for (proven, named) in [
            ("b@example.com", "b@example.com"),
            ("+14155550123", "+14155550123"),
            ("gone@example.com", "a@example.com"),
            ("+14155550199", "+14155550123"),
        ] {
            let found = user.named(&proven.parse().unwrap()).unwrap();
            assert_eq!(found.as_str(), named, "{proven}");
        }
        let only = record(&["a@example.com"]);
        let found = only.named(&"+14155550199".parse().unwrap()).unwrap();
        assert_eq!(found.as_str(), "a@example.com");
    }
}
