//! What takes the removal of a destination back.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac;
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretBox};

use super::DigestKey;

/// A token that takes the removal of a destination back: 128 random bits. It logs nobody in.
pub struct UndoToken(SecretBox<[u8; 16]>);

impl UndoToken {
    /// Draws a token.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// Reads a token that a client presents. `None` if the text is not the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(SecretBox::new(Box::new(bytes.try_into().ok()?))))
    }

    /// The token as text, for the one message that carries it.
    #[must_use]
    pub fn expose_secret(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.expose_secret())
    }
}

impl DigestKey {
    /// What the table keeps of a token: its MAC.
    #[must_use]
    pub fn undo_id(&self, token: &UndoToken) -> String {
        let mac = self.mac(&[b"undo/v1", token.0.expose_secret()]);
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

impl fmt::Debug for UndoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UndoToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::DigestKeyId;

    #[test]
    fn a_token_reads_back_and_is_kept_as_a_mac_under_the_key() {
        let token = UndoToken::draw(&mut StdRng::seed_from_u64(1));
        let text = token.expose_secret();
        assert_eq!(text.len(), 22);
        let key = |byte| DigestKey::new(DigestKeyId::new("key"), Box::new([byte; 32]));
        let again = UndoToken::parse(&text).unwrap();
        assert_eq!(key(1).undo_id(&again), key(1).undo_id(&token));
        assert_ne!(key(1).undo_id(&token), key(2).undo_id(&token));
        assert!(!key(1).undo_id(&token).contains(&text));
        assert_eq!(format!("{token:?}"), "UndoToken(..)");
        for text in [
            "",
            "x",
            &text[..21],
            &format!("{text}A"),
            "AAAAAAAAAAAAAAAAAAAA==",
        ] {
            assert!(UndoToken::parse(text).is_none(), "{text:?}");
        }
    }
}
