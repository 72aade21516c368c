//! Pseudonyms of destinations, for the log.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac;

use super::{Destination, DigestKey};

/// Stands for a destination in the log, so that one victim's lines can be found
/// together: 128 bits of a MAC. Only the digest key leads from a destination to
/// its pseudonym, and nothing leads back. A new digest key makes new pseudonyms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// The pseudonym as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl DigestKey {
    /// The pseudonym of a destination under this key.
    #[must_use]
    pub fn pseudonym(&self, of: &Destination) -> Pseudonym {
        let mac = self.mac(&[
            b"pseudonym/v1",
            of.kind().as_str().as_bytes(),
            of.as_str().as_bytes(),
        ]);
        let bytes = mac.finalize().into_bytes();
        Pseudonym(URL_SAFE_NO_PAD.encode(&bytes[..16]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DigestKeyId;
    use proptest::prelude::*;

    fn key(byte: u8) -> DigestKey {
        DigestKey::new(DigestKeyId::new("key"), Box::new([byte; 32]))
    }

    proptest! {
        #[test]
        fn a_pseudonym_is_bound_to_its_destination_and_its_key_and_shows_neither(
            one in "[a-z]{8}", other in "[a-z]{8}", byte: u8,
        ) {
            let to = |name: &str| format!("{name}@example.com").parse::<Destination>().unwrap();
            let pseudonym = key(byte).pseudonym(&to(&one));
            prop_assert_eq!(pseudonym.as_str().len(), 22);
            prop_assert_eq!(&key(byte).pseudonym(&to(&one)), &pseudonym);
            prop_assert_eq!(key(byte).pseudonym(&to(&other)) == pseudonym, one == other);
            prop_assert!(key(byte.wrapping_add(1)).pseudonym(&to(&one)) != pseudonym);
            prop_assert!(!pseudonym.as_str().contains(&one));
        }
    }
}
