/// The address of the page that a login link opens. The code travels in the
/// fragment, which browsers send to no server: alone, or behind the route of an app
/// that keeps its routes there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInUrl {
    /// The address, and what separates it from the parameters of the link.
    stem: String,
}

impl SignInUrl {
    /// Reads an `https` URL, whose only fragment may be a route such as `#/login`; plain
    /// `http` only for this machine. `None` for anything else.
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
        let (page, route) = text.split_once('#').unwrap_or((text, "/"));
        let plain = |b: u8| b.is_ascii_graphic() && !b"\"'<>#\\^`{|}".contains(&b);
        let is_plain = page.bytes().chain(route.bytes()).all(plain);
        let fits = (is_https || is_local) && is_plain && text.len() <= 512;
        let then = match (text.contains('#'), route.contains('?')) {
            (false, _) => '#',
            (true, false) => '?',
            (true, true) => '&',
        };
        (fits && route.starts_with('/')).then(|| Self {
            stem: format!("{text}{then}"),
        })
    }

    /// The address of the page.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.stem[..self.stem.len() - 1]
    }

    /// What the parameters of a link follow: `https://www.example.com/sign-in#`, or
    /// `https://app.example.com/#/login?`.
    #[must_use]
    pub fn stem(&self) -> &str {
        &self.stem
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
            "https://app.example.com/#/login",
            "https://app.example.com/a?b=1#/login?c=2",
            "http://localhost:5173#/",
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
            "https://example.com/#",
            "https://example.com/#/login#x",
            "https://example.com/#/lo gin",
            "https://#/login",
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

    #[test]
    fn the_parameters_of_a_link_are_in_the_fragment_behind_the_route_of_an_app() {
        for (url, stem) in [
            ("https://example.com/a?b=1", "https://example.com/a?b=1#"),
            (
                "https://example.com/?b=1#/login",
                "https://example.com/?b=1#/login?",
            ),
            (
                "https://example.com/#/login?c=2",
                "https://example.com/#/login?c=2&",
            ),
        ] {
            assert_eq!(SignInUrl::parse(url).unwrap().stem(), stem);
        }
    }
}
