//! E-mail addresses that codes are sent to.

use std::fmt;

use email_address::{EmailAddress as Parsed, Options};

use super::typed;

/// An e-mail address in ASCII and lower case, so that each mailbox has one
/// spelling.
///
/// RFC 5321 section 2.4 lets a mail host distinguish the case of local parts.
/// This service does not: a person who types a capital means the same mailbox,
/// and a second spelling would double the mailbox's limits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// The text is not an e-mail address that this service sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedEmail;

/// RFC 5321 section 4.5.3.1.3: a path is at most 256 octets with its brackets.
const MAX_LENGTH: usize = 254;

impl EmailAddress {
    /// Reads `local@domain`: a dot-atom local part and a dotted host name, both
    /// ASCII (an international domain in its `xn--` form). What looks right is right:
    /// spaces around it are dropped, because keyboards that complete an address add
    /// one, and characters that nobody sees; fullwidth forms are read as ASCII.
    ///
    /// # Errors
    ///
    /// Anything else: display names, lists, quoted local parts, comments,
    /// address literals, white space within, control characters, non-ASCII text.
    pub fn parse(text: &str) -> Result<Self, MalformedEmail> {
        let text = typed::visible(text);
        let text = text.trim_matches(' ');
        let options = Options::default()
            .with_required_tld()
            .without_domain_literal()
            .without_display_text();
        let plain = text.len() <= MAX_LENGTH && text.bytes().all(|b| b.is_ascii_graphic());
        let parsed = plain
            .then(|| Parsed::parse_with_options(text, options).ok())
            .flatten()
            .ok_or(MalformedEmail)?;
        // `%` and `!` are obsolete routing syntax. `=?` begins an encoded word
        // (RFC 2047), which some mail software decodes into another address.
        let local = parsed.local_part();
        let plain_local = !local.contains(['"', '(', ')', '\\', '%', '!']) && !local.contains("=?");
        if plain_local && is_host_name(parsed.domain()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(MalformedEmail)
        }
    }

    /// The mailbox that messages to this address reach, as far as the address
    /// tells: without a sub-address (`name+anything`, RFC 5233), and for Gmail
    /// without dots in the name.
    ///
    /// It serves limits only. Two addresses of a mailbox remain two users, because
    /// elsewhere `+` and dots may distinguish people.
    #[must_use]
    pub fn mailbox(&self) -> Self {
        let (local, domain) = self.0.split_once('@').unwrap_or_default();
        let name = local.split('+').next().unwrap_or_default();
        let name = name.trim_end_matches('.');
        let name = if name.is_empty() { local } else { name };
        Self(match domain {
            "gmail.com" | "googlemail.com" => format!("{}@gmail.com", name.replace('.', "")),
            _ => format!("{name}@{domain}"),
        })
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split_once('@').unwrap_or_default().1
    }

    /// The address in full. It is personal data: never log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the text is a DNS host name (RFC 1123 section 2.1).
///
/// It has at least two labels of letters, digits and inner hyphens, at most 63
/// characters each. The last label has a letter, so that no IPv4 address passes.
#[must_use]
pub fn is_host_name(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.')
        && domain.split('.').all(is_label)
        && last.bytes().any(|b| b.is_ascii_alphabetic())
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z0-9.@+\"() <>-]{0,24}",
            fuzz::text(&[
                "a@b.example",
                "Alice.B+tag@Example.COM",
                "a@[127.0.0.1]",
                "\"a b\"@example.com",
                " a@b.example  "
            ]),
        ]
    }

    #[test]
    fn one_mailbox_has_one_spelling() {
        for text in [
            "Alice.B+tag@Example.COM",
            "alice.b+tag@example.com",
            "alice.b+tag@example.com ",
            "  Alice.b+tag@example.com",
            "\u{a0}alice.b+tag@example.com\u{3000}",
            "\u{200b}alice.b+tag@example.com\u{feff}",
            "\u{202a}alice.b+tag\u{200b}@example.com\u{202c}",
            "\u{2066}alice.b+tag@example.com\u{2069}",
            "ａｌｉｃｅ．ｂ＋ｔａｇ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        ] {
            let email = EmailAddress::parse(text).expect(text);
            assert_eq!(email.as_str(), "alice.b+tag@example.com");
        }
    }

    #[test]
    fn sub_addresses_and_the_dots_of_gmail_are_one_mailbox() {
        for (address, mailbox) in [
            ("alice@example.com", "alice@example.com"),
            ("alice+1@example.com", "alice@example.com"),
            ("alice+1+2@example.com", "alice@example.com"),
            ("a.lice@example.com", "a.lice@example.com"),
            ("alice.+1@example.com", "alice@example.com"),
            ("+@example.com", "+@example.com"),
            ("+1@example.com", "+1@example.com"),
            ("a.l.ice+x@gmail.com", "alice@gmail.com"),
            ("Alice@GoogleMail.com", "alice@gmail.com"),
            ("a.lice@gmail.com.example", "a.lice@gmail.com.example"),
        ] {
            let parsed = EmailAddress::parse(address).expect(address);
            assert_eq!(parsed.mailbox().as_str(), mailbox);
        }
    }

    #[test]
    fn a_character_of_quotes_or_comments_is_refused_even_alone() {
        for c in "\"()\\".chars() {
            let text = format!("a{c}b@example.com");
            assert!(EmailAddress::parse(&text).is_err(), "accepted {text:?}");
        }
    }

    #[test]
    fn an_address_has_at_most_254_characters() {
        let of = |length: usize| {
            let label = "b".repeat(63);
            let rest = "c".repeat(length - 3 * 64 - 6);
            format!("a@{label}.{label}.{label}.{rest}.com")
        };
        assert_eq!(of(254).len(), 254);
        assert!(EmailAddress::parse(&of(254)).is_ok());
        assert!(EmailAddress::parse(&of(255)).is_err());
    }

    #[test]
    fn a_host_name_has_two_labels_and_no_digits_alone_at_its_end() {
        let longest = format!("{}.example", "a".repeat(63));
        for text in [
            "example.com",
            "a.b",
            "1.2x",
            "xn--exmple-cua.com",
            "a-b.c-d",
            &longest,
        ] {
            assert!(is_host_name(text), "refused {text}");
        }
        let too_long = format!("{}.example", "a".repeat(64));
        for text in [
            "",
            "localhost",
            ".",
            "a.",
            ".b",
            "a..b",
            "-a.b",
            "a-.b",
            "a.-b",
            "a.b-",
            "a_b.c",
            "a b.c",
            "127.0.0.1",
            "a.1",
            "exämple.com",
            &too_long,
        ] {
            assert!(!is_host_name(text), "accepted {text}");
        }
    }

    #[test]
    fn what_is_not_one_plain_ascii_mailbox_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("a@{}.com", "b".repeat(64));
        let long_all = format!("a@{}com", "bcdefghi.".repeat(30));
        for text in [
            "",
            "@",
            "a@",
            "@example.com",
            "plain",
            "a@localhost",
            "a@example",
            "a@.com",
            "a@example.com.",
            "a@example..com",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "a@-x.com",
            "a@x-.com",
            "a@ex_ample.com",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "\"a\"@example.com",
            "\"a b\"@example.com",
            "Alice <a@example.com>",
            "<a@example.com>",
            "a@example.com,b@example.com",
            "a@example.com;b@example.com",
            "a@example.com b@example.com",
            "a@b@example.com",
            "a(comment)@example.com",
            "a@(comment)example.com",
            " ",
            "a @example.com",
            "a@ example.com",
            "a@example.com\n",
            "a@example.com \n ",
            "\ta@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "a\u{0}@example.com",
            "ä@example.com",
            "a@exämple.com",
            "\u{212A}@example.com",
            "a\u{a0}b@example.com",
            "\u{2028}a@example.com",
            "a@example。com",
            "mailto:a@example.com",
            "a@example.com?x=y",
            "a@ex%61mple.com",
            "=?utf-8?q?a=40evil.example?=@example.com",
            "a%evil.example@example.com",
            "evil.example!a@example.com",
            &long_local,
            &long_label,
            &long_all,
        ] {
            assert!(EmailAddress::parse(text).is_err(), "accepted {text:?}");
        }
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn whatever_is_accepted_is_canonical_ascii(text in text()) {
            if let Ok(email) = EmailAddress::parse(&text) {
                let kept = email.as_str();
                prop_assert!(kept.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase()));
                prop_assert_eq!(kept.matches('@').count(), 1);
                prop_assert_eq!(EmailAddress::parse(kept), Ok(email.clone()));
                prop_assert!(kept.eq_ignore_ascii_case(typed::visible(&text).trim()));
                let mailbox = email.mailbox();
                prop_assert_eq!(EmailAddress::parse(mailbox.as_str()), Ok(mailbox.clone()));
                prop_assert_eq!(mailbox.mailbox(), mailbox);
            }
        }

        #[test]
        fn ordinary_addresses_are_accepted(
            local in "[a-z0-9_+-]{1,20}(\\.[a-z0-9]{1,10}){0,2}",
            domain in "[a-z0-9]{1,20}(-[a-z0-9]{1,5})?\\.[a-z]{2,10}",
        ) {
            let email = format!("{local}@{domain}");
            prop_assert!(EmailAddress::parse(&email).is_ok(), "{}", email);
        }
    }
}
