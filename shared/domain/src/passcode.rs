//! Passcodes, and the keyed digests that the table stores instead.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use rand::{CryptoRng, RngExt};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;

use super::{ChallengeId, Destination};

/// A one-time code: decimal digits, with leading zeros. The wire calls it `otp`.
#[derive(Clone)]
pub struct Passcode(SecretString);

/// The text is not a code of the expected length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedPasscode;

impl Passcode {
    /// Draws a code of `length` digits, each value equally likely.
    pub fn draw(length: u8, rng: &mut impl CryptoRng) -> Self {
        let digits: String = (0..length)
            .map(|_| char::from(rng.random_range(b'0'..=b'9')))
            .collect();
        Self(digits.into())
    }

    /// Reads exactly `length` ASCII digits.
    ///
    /// # Errors
    ///
    /// Any other length or character. Such a code is never correct, so it spends
    /// no attempt.
    pub fn parse(text: &str, length: u8) -> Result<Self, MalformedPasscode> {
        if text.len() == usize::from(length) && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(MalformedPasscode)
        }
    }

    /// The digits, for the one message that carries them.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The id of the key that made a digest, so that keys can rotate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestKeyId(String);

impl DigestKeyId {
    /// Wraps a key's id from the table.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key of the digests. It never leaves memory. Without it, a reader of the
/// table cannot find a code by trying all codes against a digest.
pub struct DigestKey {
    id: DigestKeyId,
    secret: SecretBox<[u8]>,
}

impl DigestKey {
    /// A key of at least 256 bits.
    #[must_use]
    pub fn new(id: DigestKeyId, secret: Box<[u8]>) -> Self {
        Self {
            id,
            secret: SecretBox::new(secret),
        }
    }

    /// The id under which items refer to this key.
    #[must_use]
    pub const fn id(&self) -> &DigestKeyId {
        &self.id
    }

    /// The digest of a code, bound to its challenge and destination.
    #[must_use]
    pub fn digest(&self, id: &ChallengeId, to: &Destination, code: &Passcode) -> PasscodeDigest {
        let mac = self.mac_of_code(id, to, code);
        PasscodeDigest(mac.finalize().into_bytes().to_vec())
    }

    /// Whether `digest` is the digest of `code`, in constant time.
    #[must_use]
    pub fn matches(
        &self,
        digest: &PasscodeDigest,
        id: &ChallengeId,
        to: &Destination,
        code: &Passcode,
    ) -> bool {
        self.mac_of_code(id, to, code)
            .verify_slice(&digest.0)
            .is_ok()
    }

    fn mac_of_code(&self, id: &ChallengeId, to: &Destination, code: &Passcode) -> Hmac<Sha256> {
        self.mac(&[
            b"passcode/v1",
            id.as_str().as_bytes(),
            to.kind().as_str().as_bytes(),
            to.as_str().as_bytes(),
            code.expose_secret().as_bytes(),
        ])
    }

    /// The MAC of `parts`. The first part is a label, one for each use of the key.
    /// A length precedes each part, so that different tuples never give the same
    /// bytes.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes keys of every length (RFC 2104)"
        )]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret())
            .expect("HMAC takes keys of every length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

/// HMAC-SHA-256 over (challenge, channel, destination, code).
#[derive(Clone, PartialEq, Eq)]
pub struct PasscodeDigest(Vec<u8>);

impl PasscodeDigest {
    /// Wraps a digest from the table.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes for the table.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passcode(..)")
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PasscodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasscodeDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        ClientAddress, EmailAddress, IdempotencyKey, RefreshToken, RepeatableGuess, Session,
        SessionId, SessionLifetimes, UnixTime, UserId,
    };
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    fn key(byte: u8) -> DigestKey {
        DigestKey::new(DigestKeyId::new("key"), Box::new([byte; 32]))
    }

    fn email(text: &str) -> Destination {
        Destination::Email(EmailAddress::parse(text).unwrap())
    }

    #[test]
    fn every_digit_is_equally_likely_in_every_place() {
        let mut rng = StdRng::seed_from_u64(7);
        let draws = 60_000;
        let mut counts = [[0u32; 10]; 6];
        for _ in 0..draws {
            let code = Passcode::draw(6, &mut rng);
            for (place, digit) in code.expose_secret().bytes().enumerate() {
                counts[place][usize::from(digit - b'0')] += 1;
            }
        }
        // Chi-squared with 9 degrees of freedom stays below 33.7 in all but one
        // of 10,000 fair draws (and the seed is fixed).
        for place in counts {
            let expected = f64::from(draws) / 10.0;
            let chi: f64 = place
                .iter()
                .map(|&n| (f64::from(n) - expected).powi(2) / expected)
                .sum();
            assert!(chi < 33.7, "chi-squared {chi}");
        }
    }

    #[test]
    fn only_ascii_digits_of_the_right_length_are_a_code() {
        for text in [
            "",
            "12345",
            "1234567",
            " 23456",
            "12345 ",
            "+12345",
            "-12345",
            "12345a",
            "１２３４５６",
            "١٢٣٤٥٦",
            "1.2345",
            "0x1234",
        ] {
            assert!(Passcode::parse(text, 6).is_err(), "accepted {text:?}");
        }
        assert_eq!(
            Passcode::parse("000000", 6).unwrap().expose_secret(),
            "000000"
        );
    }

    #[test]
    fn a_digest_is_bound_to_its_challenge_its_destination_and_its_key() {
        let rng = &mut StdRng::seed_from_u64(1);
        let (here, there) = (ChallengeId::draw(rng), ChallengeId::draw(rng));
        let (alice, bob) = (email("alice@example.com"), email("bob@example.com"));
        let code = Passcode::parse("123456", 6).unwrap();
        let digest = key(1).digest(&here, &alice, &code);

        assert!(key(1).matches(&digest, &here, &alice, &code));
        assert!(!key(1).matches(&digest, &there, &alice, &code));
        assert!(!key(1).matches(&digest, &here, &bob, &code));
        assert!(!key(2).matches(&digest, &here, &alice, &code));
    }

    /// Each use of a key has a label of its own, so that no use tells another's values.
    /// The values were computed by another program: the table is full of them.
    #[test]
    fn a_key_gives_the_values_that_stand_in_the_table() {
        let key = key(1);
        let written = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let id = ChallengeId::parse("r5BuMb9vjKaMlD76sIa5SQ").unwrap();
        let to = email("alice@example.com");
        let code = Passcode::parse("123456", 6).unwrap();
        assert_eq!(
            written(key.digest(&id, &to, &code).as_bytes()),
            "G__jzoi_zHKQ89YwsW-zhYmVv7OFvzpNoSqdtg0DP0o"
        );
        assert_eq!(key.pseudonym(&to).as_str(), "mC_JJhjRzIl3boC8KUUUqQ");
        let client = ClientAddress::from_gateway(Some("203.0.113.7"));
        let requester = key.requester(&id, &client);
        assert_eq!(written(requester.as_bytes()), "Ocgd3m2bq_yra5OZenHxMQ");
        let guess = RepeatableGuess {
            key: &IdempotencyKey::parse("8e03978e-40d5-43dd-bc93-6894a57f9324").unwrap(),
            challenge: &id,
            destination: &to,
            code: &code,
        };
        assert_eq!(guess.attempt(&key).as_str(), "pH1GTW2dhSrsogRZtl8yYg");
        let token = guess.first_token(&key, UserId::from_table("u".to_owned()));
        assert_eq!(
            token.expose_secret(),
            "gMPFdgQ4fwpeotqf9lZpfcXD0hr4W0S85PncANp3rN64KHty-FdkgihwiazS7hAxdQ"
        );
        let session = Session {
            id: SessionId::new("s".to_owned()),
            created_at: UnixTime::from_millis(1000),
            ends_at: UnixTime::from_millis(2000),
            ..started_by(&token, &to)
        };
        assert_eq!(
            written(session.seal(&key).as_bytes()),
            "LwGSrbZmameLVXOtwVtkZUqiMyoUzv3MG9V7FOytZFk"
        );
    }

    fn started_by(token: &RefreshToken, to: &Destination) -> Session {
        let lifetimes = SessionLifetimes {
            absolute: Duration::from_hours(1),
            idle: Duration::from_hours(1),
            grace: Duration::ZERO,
        };
        Session::start(token, to, lifetimes, UnixTime::from_millis(0))
    }

    #[test]
    fn what_the_table_keeps_of_a_code_and_its_key_reads_back() {
        let rng = &mut StdRng::seed_from_u64(1);
        let (id, to) = (ChallengeId::draw(rng), email("alice@example.com"));
        let code = Passcode::parse("123456", 6).unwrap();
        let digest = key(1).digest(&id, &to, &code);
        let back = PasscodeDigest::from_bytes(digest.as_bytes().to_vec());
        assert!(key(1).matches(&back, &id, &to, &code));
        assert_eq!(DigestKeyId::new("key").as_str(), "key");
        assert_eq!(DigestKeyId::new(key(1).id().as_str()), *key(1).id());
    }

    proptest! {
        #[test]
        fn a_drawn_code_reads_back_and_no_other_code_matches(
            seed: u64, length in 6u8..=10, guess in 0u64..10_000_000_000,
        ) {
            let rng = &mut StdRng::seed_from_u64(seed);
            let (id, to) = (ChallengeId::draw(rng), email("alice@example.com"));
            let code = Passcode::draw(length, rng);
            prop_assert!(Passcode::parse(code.expose_secret(), length).is_ok());

            let digest = key(1).digest(&id, &to, &code);
            let width = usize::from(length);
            let guess = format!("{:0width$}", guess % 10u64.pow(u32::from(length)));
            let right = guess == code.expose_secret();
            let guess = Passcode::parse(&guess, length).unwrap();
            prop_assert_eq!(key(1).matches(&digest, &id, &to, &guess), right);
            prop_assert!(key(1).matches(&digest, &id, &to, &code));
        }

        #[test]
        fn no_debug_form_shows_the_digits(seed: u64) {
            let code = Passcode::draw(6, &mut StdRng::seed_from_u64(seed));
            prop_assert_eq!(format!("{code:?}"), "Passcode(..)");
        }
    }
}
