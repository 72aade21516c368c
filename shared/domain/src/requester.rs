//! The client that requested a challenge.

use hmac::Mac;

use super::{ChallengeId, ClientAddress, DigestKey};

/// Stands for the client that requested a challenge: 128 bits of a MAC, bound to the
/// challenge. The table does not tell who asked for a code, nor that one client asked
/// for two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requester(Vec<u8>);

impl Requester {
    /// Wraps bytes from the table.
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

impl DigestKey {
    /// What the challenge with this id keeps of the client that requests it.
    #[must_use]
    pub fn requester(&self, id: &ChallengeId, client: &ClientAddress) -> Requester {
        let mac = self.mac(&[
            b"requester/v1",
            id.as_str().as_bytes(),
            client.as_str().as_bytes(),
        ]);
        Requester(mac.finalize().into_bytes()[..16].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DigestKeyId;

    #[test]
    fn a_requester_is_bound_to_its_challenge_its_client_and_its_key() {
        let key = |byte| DigestKey::new(DigestKeyId::new("key"), Box::new([byte; 32]));
        let id = |text| ChallengeId::parse(text).expect("an id");
        let client = |text| ClientAddress::from_gateway(Some(text));
        let (one, two) = (id("AAAAAAAAAAAAAAAAAAAAAA"), id("AAAAAAAAAAAAAAAAAAAAAB"));
        let first = key(1).requester(&one, &client("192.0.2.1"));
        assert_eq!(first.as_bytes().len(), 16);
        assert_eq!(Requester::from_bytes(first.as_bytes().to_vec()), first);
        assert_eq!(first, key(1).requester(&one, &client("192.0.2.1")));
        for other in [
            key(1).requester(&two, &client("192.0.2.1")),
            key(1).requester(&one, &client("192.0.2.2")),
            key(2).requester(&one, &client("192.0.2.1")),
        ] {
            assert_ne!(first, other);
        }
    }
}
