//! Segments of text messages. A second segment doubles the price.

use std::fmt;

/// How a text is encoded, and how many units it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// The encoding.
    pub encoding: Encoding,
    /// Septets of GSM 03.38, or code units of UCS-2.
    pub count: usize,
}

/// The encoding of a text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The default alphabet of GSM 03.38.
    Gsm,
    /// UCS-2, for every text with another character.
    Ucs2,
}

impl Encoding {
    /// The units of one segment.
    #[must_use]
    pub const fn segment(self) -> usize {
        match self {
            Self::Gsm => 160,
            Self::Ucs2 => 70,
        }
    }

    /// What the units are called.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Gsm => "septets of GSM 03.38",
            Self::Ucs2 => "units of UCS-2",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gsm => "GSM 03.38",
            Self::Ucs2 => "UCS-2",
        })
    }
}

impl Units {
    /// Counts the units of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let septets = text
            .chars()
            .try_fold(0, |count, c| Some(count + septets(c)?));
        septets.map_or_else(
            || Self {
                encoding: Encoding::Ucs2,
                count: text.encode_utf16().count(),
            },
            |count| Self {
                encoding: Encoding::Gsm,
                count,
            },
        )
    }

    /// How many units are too many for one segment; 0 if the text fits.
    #[must_use]
    pub const fn excess(self) -> usize {
        self.count.saturating_sub(self.encoding.segment())
    }
}

/// The septets of a character in the default alphabet and its extension; `None` if
/// both lack it.
const fn septets(c: char) -> Option<usize> {
    match c {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        '\n'
        | '\r'
        | ' '..='_'
        | 'a'..='z'
        | '£'
        | '¥'
        | 'è'
        | 'é'
        | 'ù'
        | 'ì'
        | 'ò'
        | 'Ç'
        | 'Ø'
        | 'ø'
        | 'Å'
        | 'å'
        | 'Δ'
        | 'Φ'
        | 'Γ'
        | 'Λ'
        | 'Ω'
        | 'Π'
        | 'Ψ'
        | 'Σ'
        | 'Θ'
        | 'Ξ'
        | 'Æ'
        | 'æ'
        | 'ß'
        | 'É'
        | '¤'
        | '¡'
        | 'Ä'
        | 'Ö'
        | 'Ñ'
        | 'Ü'
        | '§'
        | '¿'
        | 'ä'
        | 'ö'
        | 'ñ'
        | 'ü'
        | 'à' => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The alphabet as the standard's table prints it.
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
        ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENDED: &str = "^{}\\[~]|€";

    #[test]
    fn the_alphabet_is_that_of_the_standard() {
        for c in '\0'..='\u{ffff}' {
            let expected = match c {
                c if BASIC.contains(c) => Some(1),
                c if EXTENDED.contains(c) => Some(2),
                _ => None,
            };
            assert_eq!(septets(c), expected, "{c:?}");
        }
        assert_eq!(BASIC.chars().count(), 127);
    }

    #[test]
    fn a_segment_is_160_septets_or_70_units_of_ucs_2() {
        let units = |text: &str| (Units::of(text).encoding, Units::of(text).count);
        assert_eq!(units("a@_é"), (Encoding::Gsm, 4));
        assert_eq!(units("€[]"), (Encoding::Gsm, 6));
        assert_eq!(units("ç"), (Encoding::Ucs2, 1));
        assert_eq!(units("a🔑"), (Encoding::Ucs2, 3));
        assert_eq!(Units::of(&"a".repeat(160)).excess(), 0);
        assert_eq!(Units::of(&"a".repeat(162)).excess(), 2);
        assert_eq!(Units::of(&"я".repeat(70)).excess(), 0);
        assert_eq!(Units::of(&"я".repeat(71)).excess(), 1);
    }
}
