//! Users, and the destinations that log them in.

use std::time::Duration;

use rand::CryptoRng;

use super::{
    Claims, Destination, DestinationKind, DestinationsRefusal, Devices, UnixTime,
    challenge::draw_id,
};

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
    /// Grows with each change of the user, as [`Self::next_version`] says.
    pub version: u64,
}

/// How many destinations a user has at most.
const MOST_DESTINATIONS: usize = 10;

/// How long a new destination removes no older one, and how long a removal can be undone.
const PROBATION: Duration = Duration::from_hours(3 * 24);

/// A user without one of the destinations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The user with those that are left.
    pub user: UserRecord,
    /// Until when the owner of the removed destination may take it back; `None` if it was
    /// removed by itself or by an older one.
    pub undo_until: Option<UnixTime>,
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
            version: now.as_millis(),
        }
    }

    /// The version after a change: its time in milliseconds, or one more than before if the
    /// clock is behind. So it tells the order of all that happens to the user.
    #[must_use]
    pub fn next_version(&self, now: UnixTime) -> u64 {
        now.as_millis().max(self.version + 1)
    }

    /// Whether the user is disabled.
    #[must_use]
    pub const fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }

    /// The user with one destination more.
    ///
    /// # Errors
    ///
    /// [`DestinationsRefusal::TooMany`].
    pub fn with(
        &self,
        destination: &Destination,
        now: UnixTime,
    ) -> Result<Self, DestinationsRefusal> {
        if self.destinations.len() >= MOST_DESTINATIONS {
            return Err(DestinationsRefusal::TooMany);
        }
        let mut user = self.clone();
        user.destinations.push(OwnDestination {
            destination: destination.clone(),
            added_at: now,
        });
        user.sort();
        Ok(user)
    }

    /// The user without a destination, as a session wants it that began with `proven`.
    ///
    /// # Errors
    ///
    /// [`DestinationsRefusal::Last`] or [`DestinationsRefusal::TooNew`].
    pub fn without(
        &self,
        destination: &Destination,
        proven: &Destination,
        now: UnixTime,
    ) -> Result<Removal, DestinationsRefusal> {
        if self.destinations.len() < 2 {
            return Err(DestinationsRefusal::Last);
        }
        let removed_since = self.added_at(destination);
        // A destination that is the user's no longer removes nothing.
        let since = self.added_at(proven).ok_or(DestinationsRefusal::TooNew)?;
        let is_older = removed_since.is_some_and(|removed| removed < since);
        if is_older && now < since.plus(PROBATION) {
            return Err(DestinationsRefusal::TooNew);
        }
        let mut user = self.clone();
        user.destinations
            .retain(|own| own.destination != *destination);
        Ok(Removal {
            user,
            undo_until: is_older.then(|| now.plus(PROBATION)),
        })
    }

    /// The user after the removal of a destination at `removed_at` is undone: with the
    /// destination, and without those that were added since.
    #[must_use]
    pub fn as_before(&self, restored: OwnDestination, removed_at: UnixTime) -> Self {
        let mut user = self.clone();
        user.destinations
            .retain(|own| own.added_at < removed_at && own.destination != restored.destination);
        user.destinations.push(restored);
        user.sort();
        user
    }

    fn sort(&mut self) {
        let order = |own: &OwnDestination| {
            let text = own.destination.as_str().to_owned();
            (own.destination.kind(), text)
        };
        self.destinations.sort_by_key(order);
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
    fn a_user_has_ten_destinations_at_most() {
        let mut user = record(&[]);
        for n in 0..10 {
            let to = format!("{n}@example.com").parse().unwrap();
            user = user.with(&to, UnixTime::from_secs(n)).unwrap();
            assert_eq!(user.added_at(&to), Some(UnixTime::from_secs(n)));
        }
        let to = "x@example.com".parse().unwrap();
        let refused = user.with(&to, UnixTime::from_secs(10));
        assert_eq!(refused, Err(DestinationsRefusal::TooMany));
    }

    #[test]
    fn a_new_destination_removes_no_older_one_and_the_last_one_stays() {
        let at = UnixTime::from_secs;
        let day = |n: u64| at(n * 86_400);
        let [old, new]: [Destination; 2] =
            ["old@example.com", "new@example.com"].map(|to| to.parse().unwrap());
        let id = UserId::from_table("u".to_owned());
        let alone = UserRecord::signed_up(id, &old, day(1));
        assert_eq!(
            alone.without(&old, &old, day(9)),
            Err(DestinationsRefusal::Last)
        );
        let user = alone.with(&new, day(10)).unwrap();
        let moment = Duration::from_millis(1);
        let early = user.without(&old, &new, day(13).minus(moment));
        assert_eq!(early, Err(DestinationsRefusal::TooNew));
        let removal = user.without(&old, &new, day(13)).unwrap();
        assert_eq!(removal.undo_until, Some(day(16)));
        assert_eq!(removal.user.added_at(&old), None);
        for by in [&old, &new] {
            let removal = user.without(&new, by, day(10)).unwrap();
            assert_eq!((removal.undo_until, removal.user), (None, alone.clone()));
        }
        let gone = "gone@example.com".parse().unwrap();
        let by_gone = user.without(&new, &gone, day(20));
        assert_eq!(by_gone, Err(DestinationsRefusal::TooNew));
    }

    #[test]
    fn an_undo_restores_a_destination_and_takes_off_what_was_added_since() {
        let at = UnixTime::from_secs;
        let [old, new, late]: [Destination; 3] =
            ["c@example.com", "b@example.com", "a@example.com"].map(|to| to.parse().unwrap());
        let id = UserId::from_table("u".to_owned());
        let before = UserRecord::signed_up(id, &old, at(1))
            .with(&new, at(2))
            .unwrap();
        let removed = before.without(&old, &new, at(9_999_999)).unwrap().user;
        let later = removed.with(&late, at(10_000_000)).unwrap();
        let restored = OwnDestination {
            destination: old,
            added_at: at(1),
        };
        let undone = later.as_before(restored, at(9_999_999));
        assert_eq!(undone, before);
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
