//! Challenges: issued by a login, judged by a validation.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::CryptoRng;

use super::{
    Asker, CarriedUser, ClientAddress, Destination, Device, DigestKey, DigestKeyId, Passcode,
    Policy, Purpose, Requester, TestIdentities, UnixTime,
};

/// Draws 128 bits and writes them as an id.
pub(super) fn draw_id(rng: &mut impl CryptoRng) -> String {
    let mut bytes = [0u8; 16];
    rng.fill_bytes(&mut bytes);
    id_of(bytes)
}

/// Writes 128 bits in the URL-safe alphabet of RFC 4648 section 5, without
/// padding: 22 characters.
fn id_of(bytes: [u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The length of an id: 128 bits, six in each character.
const LENGTH: usize = 22;

/// Identifies one challenge. Only the client that requested the code learns the id,
/// and a guess with an id is compared with that challenge alone. A stranger's guess has
/// no id, and never spends the last attempt of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeId(String);

impl ChallengeId {
    /// Draws a new id of 128 random bits.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        Self(draw_id(rng))
    }

    /// Reads an id from a client or from the table. `None` if the text is not
    /// the form of an id: 22 characters of its alphabet.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let in_alphabet = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let well_formed = text.len() == LENGTH && text.bytes().all(in_alphabet);
        well_formed.then(|| Self(text.to_owned()))
    }

    /// An id that no challenge has.
    #[must_use]
    pub fn of_none() -> Self {
        Self(id_of([0; 16]))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Identifies one operation, so that a repeat of it is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationId(String);

impl OperationId {
    /// Draws a new id of 128 random bits.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        Self(draw_id(rng))
    }

    /// Wraps an id from the table.
    #[must_use]
    pub const fn from_table(id: String) -> Self {
        Self(id)
    }

    /// The id of an operation that others cannot foresee from its parts.
    pub(super) fn derived(bytes: [u8; 16]) -> Self {
        Self(id_of(bytes))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A requested code. Entering the code within its lifetime proves control of
/// the destination.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The challenge's id.
    pub id: ChallengeId,
    /// What the code is for.
    pub purpose: Purpose,
    /// Where the code was sent.
    pub destination: Destination,
    /// The number of digits of the code.
    pub digits: u8,
    /// Whether the code is the fixed one of a test identity.
    pub is_fixed: bool,
    /// The key that derives the code.
    pub key_id: DigestKeyId,
    /// When the code was sent first.
    pub issued_at: UnixTime,
    /// The instant at which the code expires.
    pub expires_at: UnixTime,
    /// The user that the login found.
    pub user: CarriedUser,
    /// The client that requested the code.
    pub requester: Requester,
    /// The known device that requested the code, if one did.
    pub device: Option<Device>,
}

/// Whether a guess is the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The guess is the code, and the code has not expired.
    Right,
    /// The guess is another code, or the code has expired.
    Wrong,
}

/// Creates a challenge of `to`, as `asker` requests, for a login. It carries no user yet, and
/// its code has as many digits as the policy asks of all.
pub fn issue(
    to: &Destination,
    asker: &Asker,
    is_fixed: bool,
    policy: &Policy,
    key: &DigestKey,
    now: UnixTime,
    rng: &mut impl CryptoRng,
) -> Challenge {
    let id = ChallengeId::draw(rng);
    Challenge {
        requester: key.requester(&id, &asker.client),
        device: asker.device.clone(),
        digits: policy.code_length,
        is_fixed,
        key_id: key.id().clone(),
        purpose: Purpose::Login,
        id,
        destination: to.clone(),
        issued_at: now,
        expires_at: now.plus(policy.code_ttl),
        user: CarriedUser::Unread,
    }
}

impl Challenge {
    /// The longest lifetime of a code (NIST SP 800-63B-4 section 3.1.3.2).
    pub const LONGEST_LIFE: Duration = Duration::from_mins(10);

    /// The code; `None` if it is a fixed one that is no longer listed. `key` is the
    /// challenge's own.
    #[must_use]
    pub fn code(&self, key: &DigestKey, fixed: &TestIdentities) -> Option<Passcode> {
        let (to, at) = (&self.destination, self.issued_at);
        if self.is_fixed {
            return fixed.code_for(to, at);
        }
        Some(key.passcode(&self.id, &self.purpose, to, at, self.digits))
    }

    /// Compares a guess with the code, in constant time. The caller spends an
    /// attempt first.
    #[must_use]
    pub fn judge(
        &self,
        guess: &Passcode,
        key: &DigestKey,
        fixed: &TestIdentities,
        now: UnixTime,
    ) -> Verdict {
        let code = self.code(key, fixed);
        let matches = code.is_some_and(|code| code.is(guess));
        let is_live = now < self.expires_at && now < self.issued_at.plus(Self::LONGEST_LIFE);
        if matches && is_live && self.key_id == *key.id() {
            Verdict::Right
        } else {
            Verdict::Wrong
        }
    }

    /// The end of the code's life if the code is sent again now, which only who requested
    /// it may extend; `None` if that is less than half of a life.
    #[must_use]
    pub fn end_if_sent_again(
        &self,
        life: Duration,
        may_extend: bool,
        now: UnixTime,
    ) -> Option<UnixTime> {
        let longest = self.issued_at.plus(Self::LONGEST_LIFE);
        let end = if may_extend {
            self.expires_at.max(now.plus(life).min(longest))
        } else {
            self.expires_at
        };
        let is_live = now < self.expires_at;
        (is_live && now.until(end) * 2 >= life).then_some(end)
    }

    /// Whether this client requested the code. `key` is the challenge's own.
    #[must_use]
    pub fn is_requested_by(&self, client: &ClientAddress, key: &DigestKey) -> bool {
        self.requester == key.requester(&self.id, client)
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PhoneNumber;
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    fn key() -> DigestKey {
        DigestKey::new(DigestKeyId::new("key"), Box::new([3; 32]))
    }

    fn phone() -> Destination {
        Destination::Phone(PhoneNumber::parse("+14155550123").unwrap())
    }

    #[test]
    fn only_an_id_of_128_bits_names_a_challenge() {
        let id = ChallengeId::draw(&mut StdRng::seed_from_u64(1));
        assert_eq!(ChallengeId::parse(id.as_str()), Some(id));
        for text in [
            "",
            "x",
            "AAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAA=",
            "AAAAAAAAAAAAAAAAAAAA#A",
        ] {
            assert_eq!(ChallengeId::parse(text), None, "accepted {text:?}");
        }
    }

    fn issued_to_phone(policy: &Policy, at: UnixTime, seed: u64) -> (Challenge, Passcode) {
        let rng = &mut StdRng::seed_from_u64(seed);
        let asker = Asker::from(ClientAddress::from_gateway(Some("203.0.113.7")));
        let challenge = issue(&phone(), &asker, false, policy, &key(), at, rng);
        let code = challenge.code(&key(), &TestIdentities::default());
        (challenge, code.unwrap())
    }

    fn judge(challenge: &Challenge, guess: &Passcode, key: &DigestKey, at: UnixTime) -> Verdict {
        challenge.judge(guess, key, &TestIdentities::default(), at)
    }

    #[test]
    fn a_fixed_code_is_right_as_long_as_it_is_listed() {
        let now = UnixTime::from_secs(1_000);
        let (mut challenge, derived) = issued_to_phone(&Policy::default(), now, 1);
        challenge.is_fixed = true;
        let until = Some(now.plus(Duration::from_hours(1)));
        let listed = TestIdentities::parse("+14155550123=123456", 6, until, now).unwrap();
        let fixed = Passcode::parse("123456", 6).unwrap();
        let judged =
            |code: &Passcode, listed: &TestIdentities| challenge.judge(code, &key(), listed, now);
        assert_eq!(judged(&fixed, &listed), Verdict::Right);
        assert_eq!(judged(&derived, &listed), Verdict::Wrong);
        for code in [&fixed, &derived] {
            assert_eq!(judged(code, &TestIdentities::default()), Verdict::Wrong);
        }
    }

    #[test]
    fn a_code_that_is_sent_again_lives_ten_minutes_from_its_first_issue_at_most() {
        let issued = UnixTime::from_secs(1_000);
        let (mut challenge, code) = issued_to_phone(&Policy::default(), issued, 1);
        let at = |seconds| issued.plus(Duration::from_secs(seconds));
        let life = Duration::from_mins(5);
        for (now, may_extend, end) in [
            (10, true, Some(310)),
            (299, true, Some(599)),
            (300, true, None),
            (10, false, Some(300)),
            (150, false, Some(300)),
            (151, false, None),
        ] {
            let ends = challenge.end_if_sent_again(life, may_extend, at(now));
            assert_eq!(ends, end.map(at), "{now} {may_extend}");
        }
        challenge.expires_at = at(590);
        for (now, end) in [(300, Some(600)), (450, Some(600)), (451, None)] {
            let ends = challenge.end_if_sent_again(life, true, at(now));
            assert_eq!(ends, end.map(at), "{now}");
        }
        challenge.expires_at = at(3600);
        assert_eq!(judge(&challenge, &code, &key(), at(599)), Verdict::Right);
        assert_eq!(judge(&challenge, &code, &key(), at(600)), Verdict::Wrong);
    }

    #[test]
    fn a_code_is_wrong_from_the_moment_at_which_it_expires() {
        let now = UnixTime::from_secs(1_000);
        let (challenge, code) = issued_to_phone(&Policy::default(), now, 1);
        let moment = Duration::from_millis(1);
        let judged = |at| judge(&challenge, &code, &key(), at);
        assert_eq!(judged(challenge.expires_at.minus(moment)), Verdict::Right);
        assert_eq!(judged(challenge.expires_at), Verdict::Wrong);
    }

    #[test]
    fn a_code_is_right_only_under_the_key_that_the_challenge_names() {
        let now = UnixTime::from_secs(1_000);
        let (challenge, code) = issued_to_phone(&Policy::default(), now, 1);
        let renamed = DigestKey::new(DigestKeyId::new("another"), Box::new([3; 32]));
        assert_eq!(judge(&challenge, &code, &renamed, now), Verdict::Wrong);
    }

    #[test]
    fn a_challenge_knows_the_client_that_requested_it_and_no_other() {
        let (challenge, _) = issued_to_phone(&Policy::default(), UnixTime::from_secs(1_000), 1);
        let client = |text| ClientAddress::from_gateway(Some(text));
        assert!(challenge.is_requested_by(&client("203.0.113.7"), &key()));
        assert!(!challenge.is_requested_by(&client("203.0.113.8"), &key()));
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn every_id_that_is_drawn_names_its_challenge(seed: u64) {
            let id = ChallengeId::draw(&mut StdRng::seed_from_u64(seed));
            prop_assert_eq!(ChallengeId::parse(id.as_str()), Some(id));
        }

        #[test]
        fn what_names_a_challenge_is_kept_as_it_was_written(
            text in fuzz::text(&["r5BuMb9vjKaMlD76sIa5SQ", "AAAAAAAAAAAAAAAAAAAAAA"]),
        ) {
            if let Some(id) = ChallengeId::parse(&text) {
                prop_assert_eq!(id.as_str(), &text);
                prop_assert_eq!(text.len(), 22);
                prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            }
        }

        #[test]
        fn the_code_is_right_from_its_issue_to_the_last_moment_of_its_life_and_never_after(
            seed: u64, issued in 0u64..1 << 50, ttl in 1u64..=600, later in 0u64..1_200_000,
        ) {
            let issued = UnixTime::from_millis(issued);
            let policy = Policy { code_ttl: Duration::from_secs(ttl), ..Policy::default() };
            let (challenge, code) = issued_to_phone(&policy, issued, seed);

            let now = issued.plus(Duration::from_millis(later));
            let expected = if later < ttl * 1000 { Verdict::Right } else { Verdict::Wrong };
            prop_assert_eq!(judge(&challenge, &code, &key(), now), expected);
        }

        #[test]
        fn no_other_code_is_ever_right(seed: u64, guess in 0u32..1_000_000) {
            let now = UnixTime::from_secs(1_000);
            let (challenge, code) = issued_to_phone(&Policy::default(), now, seed);
            let guess = Passcode::parse(&format!("{guess:06}"), 6).unwrap();
            let right = guess.expose_secret() == code.expose_secret();
            prop_assert_eq!(judge(&challenge, &guess, &key(), now) == Verdict::Right, right);
        }
    }
}
