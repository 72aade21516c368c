//! The sender of e-mails.

use base64::{Engine, prelude::BASE64_STANDARD};
use otp_domain::EmailAddress;

/// The most characters of a name.
const MOST: usize = 64;
/// The bytes of a text in one encoded word, of 75 characters with its frame (RFC 2047).
const IN_A_WORD: usize = 45;

/// An address, and the name that inboxes show in its place.
#[derive(Clone, Debug)]
pub struct EmailFrom {
    name: Option<String>,
    address: EmailAddress,
}

impl EmailFrom {
    /// Reads `login@example.com` or `Name <login@example.com>`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some(named) = text.trim_end().strip_suffix('>') else {
            let address = EmailAddress::parse(text).ok()?;
            return Some(Self {
                name: None,
                address,
            });
        };
        let (name, address) = named.split_once('<')?;
        let name = name.trim();
        let fits = (1..=MOST).contains(&name.chars().count());
        let plain = |c: char| !c.is_control() && !"\"\\<>@".contains(c);
        (fits && name.chars().all(plain)).then_some(Self {
            name: Some(name.to_owned()),
            address: EmailAddress::parse(address).ok()?,
        })
    }

    /// The header `From`. Without a name of its own, it has the brand's.
    pub(super) fn header(&self, brand: &str) -> String {
        let name = self.name.as_deref().unwrap_or(brand);
        format!("{} <{}>", display_name(name), self.address.as_str())
    }
}

/// A name as a header has it: in quotes (RFC 5322), or encoded if it is not ASCII.
fn display_name(name: &str) -> String {
    if name.is_ascii() {
        return format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    }
    let mut words = vec![String::new()];
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= IN_A_WORD => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let encoded = words
        .iter()
        .map(|word| format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inboxes_show_the_senders_name_or_the_brand() {
        let long = "é".repeat(32);
        let encoded = |bytes: usize| BASE64_STANDARD.encode("é".repeat(bytes / 2));
        let words = format!(
            "=?UTF-8?B?{}?= =?UTF-8?B?{}?= <a@b.example>",
            encoded(44),
            encoded(20)
        );
        for (from, brand, header) in [
            ("a@b.example", "Shop", "\"Shop\" <a@b.example>"),
            (
                "Team, Shop <a@b.example>",
                "Shop",
                "\"Team, Shop\" <a@b.example>",
            ),
            ("Shop<A@B.Example> ", "x", "\"Shop\" <a@b.example>"),
            (
                "a@b.example",
                "A \"B\" \\ <c@d>",
                "\"A \\\"B\\\" \\\\ <c@d>\" <a@b.example>",
            ),
            ("a@b.example", &long, &words),
        ] {
            assert_eq!(EmailFrom::parse(from).unwrap().header(brand), header);
        }
    }

    #[test]
    fn a_sender_is_an_address_that_may_have_a_name_in_front() {
        let of = |length: usize| format!("{} <a@b.example>", "x".repeat(length));
        assert!(EmailFrom::parse(&of(64)).is_some());
        for text in [
            "",
            "Shop",
            "<a@b.example>",
            " <a@b.example>",
            "Shop <a@b.example> x",
            "Shop <a>",
            "Shop <<a@b.example>>",
            "c@d.example <a@b.example>",
            "\"Shop\" <a@b.example>",
            "Sh\nop <a@b.example>",
            "a@b.example, c@d.example",
            &of(65),
        ] {
            assert!(EmailFrom::parse(text).is_none(), "accepted {text:?}");
        }
    }
}
