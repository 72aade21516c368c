/// The address of the page that a login link opens. The code travels in the
/// fragment, which browsers send to no server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInUrl(String);

impl SignInUrl {
    /// Reads an `https` URL without a fragment; plain `http` only for this machine.
    /// `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let local = ["localhost", "127.0.0.1", "[::1]"];
        let after_host = |rest: &str| rest.is_empty() || rest.starts_with([':', '/', '?']);
        let is_https = text
            .strip_prefix("https://")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['));
        let is_local = text.strip_prefix("http://").is_some_and(|rest| {
            local
                .iter()
                .any(|host| rest.strip_prefix(host).is_some_and(after_host))
        });
        let plain = text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"\"'<>#\\^`{|}".contains(&b));
        let fits = (is_https || is_local) && plain && text.len() <= 512;
        fits.then(|| Self(text.to_owned()))
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_https_without_a_fragment_or_leads_to_this_machine() {
        let of = |length: usize| format!("https://{}", "a".repeat(length - 8));
        for text in [
            "https://www.example.com/login",
            "https://example.com/login?lang=de&x=1",
            "http://localhost:8080",
            "http://127.0.0.1:8080/login",
            "http://[::1]/",
            "http://localhost?lang=de",
            "http://localhost",
            "https://[2001:db8::1]/login",
            &of(512),
        ] {
            assert!(SignInUrl::parse(text).is_some(), "refused {text}");
        }
        for text in [
            "",
            "https://",
            "www.example.com",
            "http://www.example.com",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "https://example.com/#login",
            "https://example.com/a b",
            "https://example.com/\"onclick=",
            "https://exämple.com",
            "javascript:alert(1)",
            "https:///login",
            "https://?lang=de",
            "http://localhost8080",
            &of(513),
        ] {
            assert!(SignInUrl::parse(text).is_none(), "accepted {text}");
        }
        // What a URL writes as an escape, and what would end an attribute.
        for c in "\"'<>#\\^`{|} \n\u{7f}".chars() {
            let text = format!("https://example.com/{c}");
            assert!(SignInUrl::parse(&text).is_none(), "accepted {text:?}");
        }
    }
}
