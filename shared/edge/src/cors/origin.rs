//! The origins that the setting may name.

use std::fmt;

/// The schemes of web pages, and of the pages inside apps made with Capacitor, Ionic or
/// Tauri and inside Chrome's extensions. Other browsers give each installation of an
/// extension an origin of its own, which no list can name.
const SCHEMES: [&str; 6] = [
    "https",
    "http",
    "capacitor",
    "ionic",
    "tauri",
    "chrome-extension",
];

/// An origin, or all origins that differ in their first label only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginPattern {
    /// `scheme://host` or `scheme://host:port` in lower case, as browsers write it.
    Exactly(String),
    /// `https://*.preview.example.com`: exactly one label stands for the `*`.
    AnyLabel {
        /// What stands before the label, such as `https://`.
        before: String,
        /// What stands after it, such as `.preview.example.com`.
        after: String,
    },
}

/// Why the text is not an origin. It says what is expected, and does not repeat the
/// text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedOrigin {
    /// The list has an entry without text.
    Empty,
    /// The scheme is not known.
    Scheme,
    /// The host or the port is not as browsers write it.
    Host,
    /// The `*` is not the whole first label in front of two others.
    Wildcard,
}

impl fmt::Display for MalformedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "must not have an empty entry",
            Self::Scheme => {
                "must have origins that begin with https://, http://, capacitor://, ionic://, \
                 tauri:// or chrome-extension://"
            }
            Self::Host => {
                "must have origins such as https://www.example.com or http://localhost:5173, \
                 in lower case and without a path or a slash at the end"
            }
            Self::Wildcard => {
                "may have * as a whole first label only, in front of two labels or more, such \
                 as https://*.preview.example.com"
            }
        })
    }
}

impl OriginPattern {
    /// Reads one origin, with or without a wildcard.
    ///
    /// # Errors
    ///
    /// Says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, MalformedOrigin> {
        if text.is_empty() {
            return Err(MalformedOrigin::Empty);
        }
        let (scheme, host) = text.split_once("://").ok_or(MalformedOrigin::Scheme)?;
        if !SCHEMES.contains(&scheme) {
            return Err(MalformedOrigin::Scheme);
        }
        if host.contains('*') {
            return Self::wildcard(scheme, host);
        }
        let is_host = match host.strip_prefix('[') {
            Some(address) => is_ipv6(address),
            None => !host.is_empty() && host.bytes().all(|b| is_in_label(b) || b".:".contains(&b)),
        };
        let origin = is_host.then(|| Self::Exactly(text.to_owned()));
        origin.ok_or(MalformedOrigin::Host)
    }

    /// Never a whole top-level domain: that would be anyone.
    fn wildcard(scheme: &str, host: &str) -> Result<Self, MalformedOrigin> {
        let rest = host.strip_prefix("*.").ok_or(MalformedOrigin::Wildcard)?;
        let (domain, port) = rest.split_once(':').unwrap_or((rest, "0"));
        let mut labels: Vec<_> = domain.split('.').collect();
        let is_web = scheme == "https" || scheme == "http";
        let are_labels = labels.iter().copied().all(is_label);
        // An IP address has no letters.
        let is_name = labels
            .pop()
            .is_some_and(|top| top.bytes().any(|b| b.is_ascii_lowercase()));
        if is_web && is_port(port) && are_labels && is_name && !labels.is_empty() {
            Ok(Self::AnyLabel {
                before: format!("{scheme}://"),
                after: format!(".{rest}"),
            })
        } else {
            Err(MalformedOrigin::Wildcard)
        }
    }

    /// Whether it is one origin.
    #[must_use]
    pub const fn is_one(&self) -> bool {
        matches!(self, Self::Exactly(_))
    }

    /// Whether it covers the origin of a request.
    #[must_use]
    pub fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Exactly(known) => known == origin,
            Self::AnyLabel { before, after } => origin
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .is_some_and(is_label),
        }
    }
}

/// One label of a host name, as browsers write it.
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(is_in_label)
}

const fn is_in_label(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_'
}

/// What follows the `[` of an IPv6 address: it, the `]`, and perhaps a port.
fn is_ipv6(text: &str) -> bool {
    let in_address = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b':' | b'.');
    text.split_once(']').is_some_and(|(address, rest)| {
        let has_port = rest.strip_prefix(':').is_some_and(is_port);
        !address.is_empty() && address.bytes().all(in_address) && (rest.is_empty() || has_port)
    })
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_browser_writes_is_an_origin() {
        use MalformedOrigin::{Empty, Host, Scheme};
        for text in [
            "https://www.example.com",
            "http://localhost:5173",
            "capacitor://localhost",
            "ionic://localhost",
            "tauri://localhost",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "https://a-1.example.com",
            "https://my_shop.example.com",
            "http://[::1]:5173",
            "http://[2001:db8::1]",
            "http://127.0.0.1:8080",
        ] {
            let pattern = OriginPattern::parse(text).unwrap();
            assert!(pattern.matches(text) && pattern.is_one());
            assert!(!pattern.matches(&format!("{text}x")));
        }
        for (text, why) in [
            ("", Empty),
            ("*", Scheme),
            ("null", Scheme),
            ("www.example.com", Scheme),
            ("ftp://example.com", Scheme),
            ("https://", Host),
            ("https://www.example.com/", Host),
            ("https://WWW.example.com", Host),
            ("https://exa mple.com", Host),
            ("https://user@example.com", Host),
            ("http://[::1", Host),
            ("http://[]", Host),
            ("http://[::1]5173", Host),
            ("http://[::1]:", Host),
            ("http://[::1]:655350", Host),
            ("http://[::G]", Host),
        ] {
            assert_eq!(OriginPattern::parse(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn a_label_and_a_port_are_as_long_as_they_can_be() {
        let pattern = OriginPattern::parse("https://*.example.com").unwrap();
        for (length, matches) in [(1, true), (63, true), (64, false)] {
            let origin = format!("https://{}.example.com", "a".repeat(length));
            assert_eq!(pattern.matches(&origin), matches, "{length}");
        }
        let long = format!("https://*.{}.com", "a".repeat(63));
        for text in [
            "http://*.a-1.example:1",
            "https://*.example.com:65535",
            &long,
        ] {
            assert!(OriginPattern::parse(text).is_ok(), "refused {text}");
        }
        let why = OriginPattern::parse("https://*.example.com:655350");
        assert_eq!(why, Err(MalformedOrigin::Wildcard));
    }

    #[test]
    fn an_operator_reads_what_an_origin_must_be() {
        for (text, told) in [
            ("", "must not have an empty entry"),
            (
                "x",
                "must have origins that begin with https://, http://, capacitor://, ionic://, \
                 tauri:// or chrome-extension://",
            ),
            (
                "https://x/",
                "must have origins such as https://www.example.com or http://localhost:5173, \
                 in lower case and without a path or a slash at the end",
            ),
            (
                "https://*",
                "may have * as a whole first label only, in front of two labels or more, such \
                 as https://*.preview.example.com",
            ),
        ] {
            assert_eq!(OriginPattern::parse(text).unwrap_err().to_string(), told);
        }
    }

    #[test]
    fn a_wildcard_is_one_label_and_never_a_top_level_domain() {
        let pattern = OriginPattern::parse("https://*.preview.example.com").unwrap();
        assert!(pattern.matches("https://pr-42.preview.example.com"));
        assert!(pattern.matches("https://feature_x.preview.example.com"));
        for other in [
            "https://preview.example.com",
            "https://.preview.example.com",
            "https://a.b.preview.example.com",
            "http://pr-42.preview.example.com",
            "https://pr-42.preview.example.com:8443",
            "https://pr-42.preview.example.com.evil.example",
            "https://evil.example/.preview.example.com",
            "https://evil.example#.preview.example.com",
            "https://PR.preview.example.com",
            "https://*.preview.example.com",
        ] {
            assert!(!pattern.matches(other), "{other}");
        }
        let port = OriginPattern::parse("http://*.example.test:8080").unwrap();
        assert!(port.matches("http://a.example.test:8080"));
        assert!(!port.matches("http://a.example.test"));
        for text in [
            "https://*",
            "https://*.com",
            "https://*.",
            "https://*.localhost",
            "https://*.*.example.com",
            "https://a.*.example.com",
            "https://pr-*.example.com",
            "https://*example.com",
            "https://*.example.com.",
            "https://*..example.com",
            "https://*.example.com/",
            "https://*.example.com:",
            "https://*.example.com:x",
            "https://*.0.0.1",
            "capacitor://*.example.com",
        ] {
            let why = OriginPattern::parse(text);
            assert_eq!(why, Err(MalformedOrigin::Wildcard), "{text}");
        }
    }
}
