/// The sender's name in messages: 1 to 32 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand(String);

impl Brand {
    /// Reads a brand; `None` if it is empty, is too long or has a control
    /// character.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = (1..=32).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    /// Replaces an invalid brand, so that the settings can report every mistake.
    #[must_use]
    pub fn placeholder() -> Self {
        Self("Login".to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_has_1_to_32_characters_and_none_that_controls() {
        let longest = "ä".repeat(32);
        for (text, kept) in [("X", "X"), ("  My Shop ", "My Shop"), (&longest, &longest)] {
            assert_eq!(Brand::parse(text).unwrap().as_str(), kept);
        }
        let too_long = "ä".repeat(33);
        for text in ["", "  ", "My\nShop", "My\u{7f}Shop", "x\u{85}x", &too_long] {
            assert_eq!(Brand::parse(text), None, "accepted {text:?}");
        }
        assert_eq!(Brand::parse("Login"), Some(Brand::placeholder()));
    }
}
