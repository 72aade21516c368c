//! The text of messages. Each has the brand, the code, its lifetime, and the
//! warning that nobody will ever ask for the code.

use std::time::Duration;

use otp_domain::Passcode;

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
}

/// The sentences around a code.
#[derive(Clone, Debug)]
pub struct MessageTemplates {
    brand: Brand,
    origin_host: Option<String>,
    validity: String,
}

impl MessageTemplates {
    /// Templates for codes that are valid for `ttl`.
    #[must_use]
    pub fn new(brand: Brand, origin_host: Option<String>, ttl: Duration) -> Self {
        Self {
            brand,
            origin_host,
            validity: in_words(ttl),
        }
    }

    /// A text message. With an origin host, its last line binds the code to that
    /// site (WICG "Origin-bound one-time codes delivered via SMS").
    #[must_use]
    pub fn sms(&self, code: &Passcode) -> String {
        let Self {
            brand: Brand(brand),
            validity,
            ..
        } = self;
        let digits = code.expose_secret();
        let sentence = format!(
            "{digits} is your {brand} login code. It works for {validity}. \
             Nobody will ever ask you for it."
        );
        match &self.origin_host {
            Some(host) => format!("{sentence}\n\n@{host} #{digits}"),
            None => sentence,
        }
    }

    /// Whether a text message with a code of `length` digits fits one segment:
    /// 160 septets of GSM 03.38. A second segment doubles the price.
    #[must_use]
    pub fn fits_one_sms(&self, length: u8) -> bool {
        let code = "0".repeat(usize::from(length));
        let longest = Passcode::parse(&code, length).map(|code| self.sms(&code));
        longest.is_ok_and(|text| septets(&text).is_some_and(|count| count <= 160))
    }

    /// The subject, without the code: mail systems log subjects.
    #[must_use]
    pub fn email_subject(&self) -> String {
        format!("Your {} login code", self.brand.0)
    }

    /// The plain-text body.
    #[must_use]
    pub fn email_text(&self, code: &Passcode) -> String {
        let Self {
            brand: Brand(brand),
            validity,
            ..
        } = self;
        let digits = code.expose_secret();
        format!(
            "{digits} is your {brand} login code.\n\n\
             It works once, for {validity}.\n\n\
             Nobody will ever ask you for this code, {brand} included. \
             Type it only where you asked for it.\n\
             If you did not ask for it, you need do nothing.\n"
        )
    }

    /// The HTML body. It loads nothing and has no links.
    #[must_use]
    pub fn email_html(&self, code: &Passcode) -> String {
        let brand = escape_html(&self.brand.0);
        let (validity, digits) = (&self.validity, code.expose_secret());
        format!(
            "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif;\
             line-height:1.5\">\
             <p>Your {brand} login code:</p>\
             <p style=\"font-size:2em;font-family:monospace;letter-spacing:.15em\">{digits}</p>\
             <p>It works once, for {validity}.</p>\
             <p>Nobody will ever ask you for this code, {brand} included. \
             Type it only where you asked for it.<br>\
             If you did not ask for it, you need do nothing.</p>\
             </body></html>"
        )
    }
}

fn in_words(life: Duration) -> String {
    let (count, unit) = match life.as_secs() {
        secs if secs % 60 == 0 => (secs / 60, "minute"),
        secs => (secs, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The number of septets of a text in the GSM 03.38 default alphabet; `None` if
/// the alphabet lacks a character.
fn septets(text: &str) -> Option<usize> {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
        ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENDED: &str = "^{}\\[~]|€";
    text.chars().try_fold(0, |count, c| {
        if BASIC.contains(c) {
            Some(count + 1)
        } else {
            EXTENDED.contains(c).then_some(count + 2)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates(brand: &str, host: Option<&str>) -> MessageTemplates {
        let ttl = Duration::from_mins(5);
        MessageTemplates::new(Brand::parse(brand).unwrap(), host.map(Into::into), ttl)
    }

    fn code() -> Passcode {
        Passcode::parse("012345", 6).unwrap()
    }

    #[test]
    fn every_message_says_the_brand_the_code_its_life_and_that_nobody_will_ask() {
        let templates = templates("Example", None);
        for text in [
            templates.sms(&code()),
            templates.email_text(&code()),
            templates.email_html(&code()),
        ] {
            for part in ["Example", "012345", "5 minutes", "Nobody will ever ask you"] {
                assert!(text.contains(part), "{part} is not in: {text}");
            }
        }
    }

    #[test]
    fn the_subject_keeps_the_code_to_itself() {
        assert_eq!(
            templates("Example", None).email_subject(),
            "Your Example login code"
        );
    }

    #[test]
    fn an_origin_host_makes_the_last_line_of_a_text_message() {
        let text = templates("Example", Some("example.com")).sms(&code());
        assert_eq!(text.lines().last(), Some("@example.com #012345"));
    }

    #[test]
    fn a_brand_cannot_write_html() {
        let html = templates("<b>\"A&B\"", None).email_html(&code());
        assert!(html.contains("&lt;b&gt;&quot;A&amp;B&quot;") && !html.contains("<b>"));
    }

    #[test]
    fn one_segment_is_160_septets_of_the_gsm_alphabet() {
        assert_eq!(septets("a@_é"), Some(4));
        assert_eq!(septets("€[]"), Some(6));
        assert_eq!(septets("☕"), None);
        let longest = format!("{}.example.com", "h".repeat(13));
        assert!(templates(&"B".repeat(32), Some(&longest)).fits_one_sms(10));
        assert!(!templates(&"B".repeat(32), Some(&"h".repeat(63))).fits_one_sms(10));
        assert!(!templates("Caffè ☕", None).fits_one_sms(6));
    }

    #[test]
    fn a_life_is_told_in_the_unit_that_divides_it() {
        for (secs, words) in [
            (1, "1 second"),
            (60, "1 minute"),
            (90, "90 seconds"),
            (600, "10 minutes"),
        ] {
            assert_eq!(in_words(Duration::from_secs(secs)), words);
        }
    }
}
