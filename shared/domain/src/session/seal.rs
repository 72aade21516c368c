//! Seals of sessions. A seal proves that this service started the session, so
//! that a writer of the table who has no digest key cannot make one.
//!
//! The seal binds what never changes during a session. The refresh tokens need no
//! seal: only the holder of a token knows the bits that name its session.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::Session;
use crate::{DigestKey, DigestKeyId};

/// HMAC-SHA-256 over (user, session, destination, start, end).
#[derive(Clone, PartialEq, Eq)]
pub struct Seal {
    /// The digest key that made the seal.
    pub key_id: DigestKeyId,
    mac: Vec<u8>,
}

impl Seal {
    /// Wraps a seal from the table.
    #[must_use]
    pub const fn from_table(key_id: DigestKeyId, mac: Vec<u8>) -> Self {
        Self { key_id, mac }
    }

    /// The bytes for the table.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.mac
    }
}

impl Session {
    /// A seal of the session under `key`.
    #[must_use]
    pub fn seal(&self, key: &DigestKey) -> Seal {
        Seal {
            key_id: key.id().clone(),
            mac: self.mac(key).finalize().into_bytes().to_vec(),
        }
    }

    /// The session with a seal under `key`.
    #[must_use]
    pub fn sealed(self, key: &DigestKey) -> Self {
        Self {
            seal: Some(self.seal(key)),
            ..self
        }
    }

    /// Whether the seal is this service's. `key` is the key that the seal names; a
    /// seal under a key that is gone is worth nothing, like none.
    #[must_use]
    pub fn is_genuine(&self, key: &DigestKey) -> bool {
        self.seal.as_ref().is_some_and(|seal| {
            seal.key_id == *key.id() && self.mac(key).verify_slice(&seal.mac).is_ok()
        })
    }

    fn mac(&self, key: &DigestKey) -> Hmac<Sha256> {
        key.mac(&[
            b"session-seal/v1",
            self.user.as_str().as_bytes(),
            self.id.as_str().as_bytes(),
            self.destination.kind().as_str().as_bytes(),
            self.destination.as_str().as_bytes(),
            &self.created_at.as_millis().to_be_bytes(),
            &self.ends_at.as_millis().to_be_bytes(),
        ])
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Destination, EmailAddress, RefreshToken, SessionLifetimes, UnixTime, UserId,
        session::SessionId,
    };
    use rand::{SeedableRng, rngs::StdRng};
    use std::time::Duration;

    fn key(id: &str, byte: u8) -> DigestKey {
        DigestKey::new(DigestKeyId::new(id), Box::new([byte; 32]))
    }

    fn email(text: &str) -> Destination {
        Destination::Email(EmailAddress::parse(text).unwrap())
    }

    fn session() -> Session {
        let rng = &mut StdRng::seed_from_u64(1);
        let token = RefreshToken::draw(UserId::draw(rng), rng);
        let lifetimes = SessionLifetimes {
            absolute: Duration::from_hours(720),
            idle: Duration::from_hours(168),
            grace: Duration::from_hours(24),
        };
        let now = UnixTime::from_secs(1_767_226_200);
        Session::start(&token, &email("alice@example.com"), lifetimes, now)
    }

    #[test]
    fn a_seal_holds_what_says_whose_session_it_is_and_for_how_long() {
        let key = key("one", 1);
        let sealed = session().sealed(&key);
        assert!(sealed.is_genuine(&key));
        let stolen = |change: fn(&mut Session)| {
            let mut session = sealed.clone();
            change(&mut session);
            session.is_genuine(&key)
        };
        assert!(!stolen(|it| it.user = UserId::from_table("another".into())));
        assert!(!stolen(|it| it.id = SessionId::new("another".into())));
        assert!(!stolen(|it| it.destination = email("bob@example.com")));
        assert!(!stolen(|it| it.created_at = UnixTime::from_secs(1)));
        assert!(!stolen(
            |it| it.ends_at = it.ends_at.plus(Duration::from_secs(1))
        ));
        // These change with each refresh.
        assert!(stolen(|it| it.expires_at = it.ends_at));
    }

    #[test]
    fn only_the_key_that_the_seal_names_opens_it() {
        let sealed = session().sealed(&key("one", 1));
        assert!(!sealed.is_genuine(&key("two", 1)));
        assert!(!sealed.is_genuine(&key("one", 2)));
        let sealed = sealed.sealed(&key("two", 2));
        assert!(sealed.is_genuine(&key("two", 2)));
    }

    #[test]
    fn a_seal_reads_back_from_the_table() {
        let key = key("one", 1);
        let seal = session().seal(&key);
        let back = Seal::from_table(seal.key_id.clone(), seal.as_bytes().to_vec());
        let mut read = session();
        read.seal = Some(back);
        assert!(read.is_genuine(&key));
    }

    #[test]
    fn a_session_without_a_seal_is_nobodys() {
        assert!(!session().is_genuine(&key("one", 1)));
    }
}
