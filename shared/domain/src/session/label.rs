use std::fmt;

/// What a client calls its device, for the list of a user's sessions.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceLabel(String);

impl DeviceLabel {
    /// Reads 1 to 64 characters without control characters; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    /// Wraps a label from the table.
    #[must_use]
    pub const fn from_table(text: String) -> Self {
        Self(text)
    }

    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DeviceLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceLabel(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_1_to_64_characters_and_no_control_character() {
        let long = "\u{e9}".repeat(64);
        for text in ["x", "Alice's phone", &long] {
            assert_eq!(DeviceLabel::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "a\nb", "a\u{85}", "\0", &format!("{long}x")] {
            assert_eq!(DeviceLabel::parse(text), None, "{text:?}");
        }
        let told = format!("{:?}", DeviceLabel::parse("Alice's phone").unwrap());
        assert!(!told.contains("Alice"), "{told}");
    }
}
