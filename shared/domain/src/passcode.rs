//! Passcodes, and the key that derives them.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{ChallengeId, Destination, Purpose, UnixTime};

/// A one-time code: decimal digits, with leading zeros. The wire calls it `otp`.
#[derive(Clone)]
pub struct Passcode(SecretString);

/// The text is not a code of the expected length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedPasscode;

impl Passcode {
    /// Reads exactly `length` ASCII digits.
    ///
    /// # Errors
    ///
    /// Any other length or character.
    pub fn parse(text: &str, length: u8) -> Result<Self, MalformedPasscode> {
        if text.len() == usize::from(length) && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(MalformedPasscode)
        }
    }

    /// The fewest digits of a code (NIST SP 800-63B-4 section 3.1.3.2).
    pub const LEAST_DIGITS: u8 = 6;
    /// The most digits of a code.
    pub const MOST_DIGITS: u8 = 10;

    /// Reads a guess: as many ASCII digits as a code may have.
    ///
    /// # Errors
    ///
    /// Any other length or character. Such a guess is never right, so it spends no attempt.
    pub fn parse_guess(text: &str) -> Result<Self, MalformedPasscode> {
        let digits = u8::try_from(text.len()).map_err(|_| MalformedPasscode)?;
        if (Self::LEAST_DIGITS..=Self::MOST_DIGITS).contains(&digits) {
            Self::parse(text, digits)
        } else {
            Err(MalformedPasscode)
        }
    }

    /// The number of digits.
    #[must_use]
    pub fn digits(&self) -> u8 {
        u8::try_from(self.expose_secret().len()).unwrap_or(u8::MAX)
    }

    /// Whether two codes are the same, in constant time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let (own, other) = (self.expose_secret(), other.expose_secret());
        own.as_bytes().ct_eq(other.as_bytes()).into()
    }

    /// The digits, for the one message that carries them.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The id of the key that derives a code, so that keys can rotate.
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

/// The key of every MAC in the table. It never leaves memory. Without it, a reader of
/// the table can compute no code.
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

    /// The code of a challenge: each value of so many digits is equally likely.
    ///
    /// It is a pseudorandom function of all that it is bound to. Of 2^128 values, those
    /// that would make some codes likelier than others are passed over.
    #[must_use]
    pub fn passcode(
        &self,
        id: &ChallengeId,
        purpose: &Purpose,
        to: &Destination,
        issued_at: UnixTime,
        digits: u8,
    ) -> Passcode {
        let purpose = purpose.name();
        let codes = 10u128.pow(u32::from(digits));
        let fair = u128::MAX - u128::MAX % codes;
        let values = (0u32..).map(|nth| {
            let mac = self.mac(&[
                b"passcode/v2",
                purpose.as_bytes(),
                id.as_str().as_bytes(),
                to.kind().as_str().as_bytes(),
                to.as_str().as_bytes(),
                &issued_at.as_millis().to_be_bytes(),
                &[digits],
                &nth.to_be_bytes(),
            ]);
            let mac = mac.finalize().into_bytes();
            let half = mac.iter().take(16);
            half.fold(0, |value, byte| value << 8 | u128::from(*byte))
        });
        let mut fair_values = values.filter(|value| *value < fair);
        let value = fair_values.next().unwrap_or_default() % codes;
        let width = usize::from(digits);
        Passcode(format!("{value:0width$}").into())
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

    fn alice() -> Destination {
        email("alice@example.com")
    }

    fn adding(user: &str) -> Purpose {
        Purpose::Adding(UserId::from_table(user.to_owned()))
    }

    const AT: UnixTime = UnixTime::from_secs(1_767_226_200);

    #[test]
    fn every_digit_is_equally_likely_in_every_place() {
        let rng = &mut StdRng::seed_from_u64(7);
        let draws = 60_000;
        let mut counts = [[0u32; 10]; 6];
        for _ in 0..draws {
            let code = key(1).passcode(&ChallengeId::draw(rng), &Purpose::Login, &alice(), AT, 6);
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
        for (guess, is_one) in [
            ("12345", false),
            ("123456", true),
            ("0123456789", true),
            ("01234567890", false),
            ("12345x", false),
        ] {
            assert_eq!(Passcode::parse_guess(guess).is_ok(), is_one, "{guess}");
        }
    }

    #[test]
    fn a_code_is_bound_to_its_challenge_its_destination_its_time_its_length_and_its_key() {
        let rng = &mut StdRng::seed_from_u64(1);
        let (here, there) = (ChallengeId::draw(rng), ChallengeId::draw(rng));
        let later = AT.plus(Duration::from_millis(1));
        let code = key(1).passcode(&here, &Purpose::Login, &alice(), AT, 8);
        assert!(code.is(&key(1).passcode(&here, &Purpose::Login, &alice(), AT, 8)));
        for other in [
            key(1).passcode(&there, &Purpose::Login, &alice(), AT, 8),
            key(1).passcode(&here, &Purpose::Login, &email("bob@example.com"), AT, 8),
            key(1).passcode(&here, &Purpose::Login, &alice(), later, 8),
            key(2).passcode(&here, &Purpose::Login, &alice(), AT, 8),
            key(1).passcode(&here, &adding("u"), &alice(), AT, 8),
            key(1).passcode(&here, &adding("v"), &alice(), AT, 8),
        ] {
            assert!(!code.is(&other));
        }
        let shorter = key(1).passcode(&here, &Purpose::Login, &alice(), AT, 6);
        assert!(!code.expose_secret().contains(shorter.expose_secret()));
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
        let derived = key.passcode(&id, &Purpose::Login, &to, AT, 6);
        assert_eq!(derived.expose_secret(), "732690");
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

    proptest! {
        #[test]
        fn a_derived_code_reads_back_and_no_other_code_is_the_same(
            seed: u64, length in 6u8..=10, guess in 0u64..10_000_000_000,
        ) {
            let id = ChallengeId::draw(&mut StdRng::seed_from_u64(seed));
            let code = key(1).passcode(&id, &Purpose::Login, &alice(), AT, length);
            prop_assert_eq!(code.digits(), length);
            let again = Passcode::parse(code.expose_secret(), length);
            prop_assert!(again.is_ok_and(|again| again.is(&code)));
            let width = usize::from(length);
            let guess = format!("{:0width$}", guess % 10u64.pow(u32::from(length)));
            let right = guess == code.expose_secret();
            prop_assert_eq!(Passcode::parse(&guess, length).unwrap().is(&code), right);
        }

        #[test]
        fn no_debug_form_shows_the_digits(seed: u64) {
            let id = ChallengeId::draw(&mut StdRng::seed_from_u64(seed));
            let code = key(1).passcode(&id, &Purpose::Login, &alice(), AT, 6);
            prop_assert_eq!(format!("{code:?}"), "Passcode(..)");
        }
    }
}
