//! Idempotency keys: a client's id for one of its requests.

use std::fmt;

use hmac::Mac;
use sha2::{Digest, Sha256};

use super::{ChallengeId, Destination, DigestKey, OperationId, Passcode, RefreshToken, UserId};

/// The value of `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
/// It identifies a request that the client repeats after a lost answer. Only the
/// hash is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey([u8; 32]);

impl IdempotencyKey {
    /// Reads 16 to 128 visible ASCII characters; `None` for anything else.
    /// Shorter keys could collide with another client's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(Sha256::digest(text).into()))
    }

    /// The hash of the key.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(..)")
    }
}

/// A guess under an idempotency key. The same guess under the same key is the
/// same request, however often it arrives: it spends one attempt, and starts one
/// session. All of it derives from the guess under a digest key, so nothing has
/// to be stored for a repeat.
#[derive(Clone, Copy, Debug)]
pub struct RepeatableGuess<'a> {
    /// The client's key.
    pub key: &'a IdempotencyKey,
    /// The challenge that the guess answers.
    pub challenge: &'a ChallengeId,
    /// The destination of the challenge.
    pub destination: &'a Destination,
    /// The guess. It belongs to the request: a key that served for several codes
    /// would buy free guesses.
    pub code: &'a Passcode,
}

impl RepeatableGuess<'_> {
    /// The id of the attempt that the guess spends.
    #[must_use]
    pub fn attempt(&self, key: &DigestKey) -> OperationId {
        OperationId::derived(first_half(self.derive("validation-attempt/v1", key)))
    }

    /// The first refresh token of the session that the guess starts, if it is
    /// right.
    #[must_use]
    pub fn first_token(&self, key: &DigestKey, user: UserId) -> RefreshToken {
        let session = first_half(self.derive("validation-session/v1", key));
        let secret = self.derive("validation-refresh-token/v1", key);
        RefreshToken::derived(user, session, secret)
    }

    fn derive(&self, label: &str, key: &DigestKey) -> [u8; 32] {
        let mac = key.mac(&[
            label.as_bytes(),
            self.key.hash(),
            self.challenge.as_str().as_bytes(),
            self.destination.kind().as_str().as_bytes(),
            self.destination.as_str().as_bytes(),
            self.code.expose_secret().as_bytes(),
        ]);
        mac.finalize().into_bytes().into()
    }
}

fn first_half(bytes: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&bytes[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DigestKeyId, EmailAddress};
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};
    use std::collections::HashSet;

    #[test]
    fn a_key_is_long_enough_to_be_one_clients_own() {
        assert!(IdempotencyKey::parse("8e03978e-40d5-43dd-bc93-6894a57f9324").is_some());
        assert!(IdempotencyKey::parse("\"8e03978e40d543ddbc93\"").is_some());
        assert!(IdempotencyKey::parse("sixteen---------").is_some());
        assert!(IdempotencyKey::parse(&"k".repeat(128)).is_some());
        let long = "k".repeat(129);
        for text in [
            "",
            "1",
            "fifteen--------",
            "sixteen with a space",
            "sechzehn-zeichen-ä",
            &long,
        ] {
            assert_eq!(IdempotencyKey::parse(text), None, "accepted {text:?}");
        }
    }

    #[test]
    fn what_a_guess_leads_to_changes_with_each_of_its_parts_and_with_nothing_else() {
        let rng = &mut StdRng::seed_from_u64(1);
        let keys = ["first-key-of-a-client", "second-key-of-a-client"];
        let keys = keys.map(|text| IdempotencyKey::parse(text).unwrap());
        let challenges = [ChallengeId::draw(rng), ChallengeId::draw(rng)];
        let to = ["alice@example.com", "bob@example.com"];
        let to = to.map(|text| Destination::Email(EmailAddress::parse(text).unwrap()));
        let codes = ["123456", "123457"].map(|text| Passcode::parse(text, 6).unwrap());
        let digest_keys =
            [1, 2].map(|byte| DigestKey::new(DigestKeyId::new("key"), Box::new([byte; 32])));
        let user = UserId::draw(rng);

        let lead_to = |n: usize| {
            let bit = |at: usize| n >> at & 1;
            let guess = RepeatableGuess {
                key: &keys[bit(0)],
                challenge: &challenges[bit(1)],
                destination: &to[bit(2)],
                code: &codes[bit(3)],
            };
            let key = &digest_keys[bit(4)];
            let token = guess.first_token(key, user.clone());
            let attempt = guess.attempt(key).as_str().to_owned();
            [
                attempt,
                token.session_id().as_str().to_owned(),
                token.expose_secret(),
            ]
        };
        let all: HashSet<String> = (0..32).flat_map(lead_to).collect();
        assert_eq!(all.len(), 3 * 32);
        assert_eq!(lead_to(0), lead_to(0));
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn a_key_is_visible_ascii_of_its_length_and_nothing_else(
            text in fuzz::text(&["8e03978e-40d5-43dd-bc93-6894a57f9324", "sixteen---------"]),
        ) {
            let visible = text.chars().all(|c| ('!'..='~').contains(&c));
            let is_key = visible && (16..=128).contains(&text.len());
            prop_assert_eq!(IdempotencyKey::parse(&text).is_some(), is_key);
        }
    }
}
