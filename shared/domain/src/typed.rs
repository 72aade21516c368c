//! The characters that people mean, in place of those that devices type and paste.

use icu_properties::{CodePointMapData, props::GeneralCategory};

/// The text without characters that nobody sees (bidi marks, zero-width spaces), with
/// fullwidth forms as ASCII, and with each kind of space as the ordinary one.
pub fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| category(*c) != GeneralCategory::Format)
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => ascii(u32::from(c) - 0xfee0),
            c if category(c) == GeneralCategory::SpaceSeparator => ' ',
            c => c,
        })
        .collect()
}

/// A digit of any script as the ASCII digit, and a dash of any kind as `-`.
pub fn dialled(c: char) -> char {
    match category(c) {
        GeneralCategory::DecimalNumber => {
            // In Unicode, the ten digits of a script follow each other.
            let before = (1..).map_while(|n| char::from_u32(u32::from(c) - n));
            let is_digit = |c: &char| category(*c) == GeneralCategory::DecimalNumber;
            let value = before.take_while(is_digit).zip(1..).last();
            ascii(u32::from('0') + value.map_or(0, |(_, value)| value) % 10)
        }
        GeneralCategory::DashPunctuation => '-',
        // The minus, and the sign of long vowels that Japanese keyboards give for a dash.
        _ if ['\u{2212}', 'ー'].contains(&c) => '-',
        _ => c,
    }
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn ascii(code: u32) -> char {
    char::from_u32(code).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_goes_and_what_looks_like_ascii_is_ascii() {
        for (text, seen) in [
            ("\u{202a}+49\u{a0}170\u{202c}", "+49 170"),
            ("\u{feff}\u{2066}a@b\u{200b}\u{2069}", "a@b"),
            ("ａ＠ｂ．ｅ～\u{3000}！", "a@b.e~ !"),
            // These are other letters, and no spaces.
            ("\u{212a}ä。\t\n\u{2028}", "\u{212a}ä。\t\n\u{2028}"),
        ] {
            assert_eq!(visible(text), seen);
        }
    }

    #[test]
    fn a_digit_of_any_script_is_a_digit() {
        for ten in [
            "0123456789",
            "٠١٢٣٤٥٦٧٨٩",
            "०१२३४५६७८९",
            "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
            "𝟢𝟣𝟤𝟥𝟦𝟧𝟨𝟩𝟪𝟫",
        ] {
            let read: String = ten.chars().map(dialled).collect();
            assert_eq!(read, "0123456789", "{ten}");
        }
        let others: String = "²Ⅷ一‐–−ー".chars().map(dialled).collect();
        assert_eq!(others, "²Ⅷ一----");
    }
}
