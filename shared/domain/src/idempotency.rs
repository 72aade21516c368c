//! Idempotency keys: a client's id for one of its requests.

use std::fmt;

use sha2::{Digest, Sha256};

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_long_enough_to_be_one_clients_own() {
        assert!(IdempotencyKey::parse("8e03978e-40d5-43dd-bc93-6894a57f9324").is_some());
        assert!(IdempotencyKey::parse("\"8e03978e40d543ddbc93\"").is_some());
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
