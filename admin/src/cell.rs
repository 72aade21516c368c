//! Cells that a spreadsheet would run as a formula.
//!
//! An address may begin with `=`. A `'` in front keeps a spreadsheet from running it, and
//! one such `'` is taken off when a file is read.

use std::borrow::Cow;

/// Whether a spreadsheet would run a text, or run it once its leading `'` are gone. Numbers
/// and ids, such as `+14155550123` and `-x`, are no formulas.
fn is_formula(text: &str) -> bool {
    let text = text.trim_start_matches('\'');
    let is_plain = |rest: &str| {
        rest.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    match text.chars().next() {
        Some('=' | '@' | '\t' | '\r') => true,
        Some('+' | '-') => !is_plain(&text[1..]),
        _ => false,
    }
}

/// The text as a cell that a spreadsheet only shows.
pub fn write(text: &str) -> Cow<'_, str> {
    if is_formula(text) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// The text of a cell.
pub fn read(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_gets_a_mark_and_is_read_back() {
        for (text, cell) in [
            ("=1+1@example.com", "'=1+1@example.com"),
            ("+1*2@example.com", "'+1*2@example.com"),
            ("-a@example.com", "'-a@example.com"),
            ("@x", "'@x"),
            ("'=x@example.com", "''=x@example.com"),
            ("+14155550123", "+14155550123"),
            ("-qJ_x", "-qJ_x"),
            ("'x@example.com", "'x@example.com"),
            ("alice@example.com", "alice@example.com"),
            ("", ""),
        ] {
            assert_eq!(write(text), cell);
            assert_eq!(read(cell), text);
        }
    }
}
