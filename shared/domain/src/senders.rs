//! Who text messages come from, as carriers demand it.

use super::{NumberRange, PhoneNumber};

/// The senders of text messages by prefix or country. The most specific one that
/// contains a number decides; a number without one gets the account's default sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsSenders(Vec<(NumberRange, Sender)>);

/// Who a text message comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// What the phone shows.
    pub identity: SenderIdentity,
    /// The wording that a carrier has registered. Every message must be that wording.
    pub registration: Option<Registration>,
}

/// What a phone shows as the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SenderIdentity {
    /// A sender id: 1 to 11 letters, digits and hyphens, with at least one letter.
    Id(String),
    /// An origination number: a long code, a toll-free number or a short code.
    Number(String),
}

/// A registration with India's operators: the ids of the sender and of the wording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The id of the sender (principal entity).
    pub entity_id: String,
    /// The id of the wording.
    pub template_id: String,
}

/// The text is not a list of senders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedSender;

impl SmsSenders {
    /// Reads a comma-separated list such as
    /// `+44=Example,US=+18005550100,IN=EXMPLE;1101234;110712345`: a [`NumberRange`],
    /// then a sender id or an origination number, then an entity id with its template
    /// id.
    ///
    /// # Errors
    ///
    /// An entry that is repeated or malformed.
    pub fn parse(text: &str) -> Result<Self, MalformedSender> {
        let mut senders: Vec<(NumberRange, Sender)> = Vec::new();
        for entry in text.split(',').map(str::trim) {
            let (range, sender) = entry.split_once('=').ok_or(MalformedSender)?;
            let range = NumberRange::parse(range).ok_or(MalformedSender)?;
            if senders.iter().any(|(known, _)| *known == range) {
                return Err(MalformedSender);
            }
            senders.push((range, Sender::parse(sender)?));
        }
        Ok(Self(senders))
    }

    /// Every registered wording's id.
    pub fn template_ids(&self) -> impl Iterator<Item = &str> {
        let registrations = self
            .0
            .iter()
            .filter_map(|(_, sender)| sender.registration.as_ref());
        registrations.map(|registration| registration.template_id.as_str())
    }

    /// The sender of messages to this number.
    #[must_use]
    pub fn of(&self, number: &PhoneNumber) -> Option<&Sender> {
        self.0
            .iter()
            .filter(|(range, _)| range.contains(number))
            .max_by_key(|(range, _)| range.precedence())
            .map(|(_, sender)| sender)
    }
}

impl Sender {
    fn parse(text: &str) -> Result<Self, MalformedSender> {
        let parts: Vec<&str> = text.split(';').collect();
        let (identity, registration) = match parts.as_slice() {
            [identity] => (identity, None),
            [identity, entity_id, template_id] if is_id(entity_id) && is_id(template_id) => {
                let registration = Registration {
                    entity_id: (*entity_id).to_owned(),
                    template_id: (*template_id).to_owned(),
                };
                (identity, Some(registration))
            }
            _ => return Err(MalformedSender),
        };
        Ok(Self {
            identity: SenderIdentity::parse(identity)?,
            registration,
        })
    }
}

impl SenderIdentity {
    fn parse(text: &str) -> Result<Self, MalformedSender> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
        if all_digits && (3..=15).contains(&digits.len()) {
            return Ok(Self::Number(text.to_owned()));
        }
        let id_like = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let is_id = (1..=11).contains(&text.len())
            && text.bytes().all(id_like)
            && text.bytes().any(|b| b.is_ascii_alphabetic());
        if is_id {
            Ok(Self::Id(text.to_owned()))
        } else {
            Err(MalformedSender)
        }
    }
}

/// Entity and template ids are numbers of up to 19 digits in practice; SNS takes up to
/// 50 letters and digits.
fn is_id(text: &str) -> bool {
    (1..=50).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).unwrap()
    }

    #[test]
    fn the_most_specific_range_decides_who_a_message_comes_from() {
        let list = "+44=Example, US=+18005550100,+1=Other,+1868=72975,IN=EXMPLE;1101234;110712345";
        let senders = SmsSenders::parse(list).unwrap();
        let identity = |text| {
            senders
                .of(&number(text))
                .map(|sender| sender.identity.clone())
        };
        let id = |text: &str| Some(SenderIdentity::Id(text.into()));
        let from = |text: &str| Some(SenderIdentity::Number(text.into()));
        assert_eq!(identity("+447911123456"), id("Example"));
        assert_eq!(identity("+14155550123"), from("+18005550100"));
        assert_eq!(identity("+14165550123"), id("Other"));
        assert_eq!(identity("+18685550123"), from("72975"));
        assert_eq!(identity("+4915112345678"), None);
        let india = senders.of(&number("+919876543210")).unwrap();
        let expected = Registration {
            entity_id: "1101234".into(),
            template_id: "110712345".into(),
        };
        assert_eq!(india.registration.as_ref(), Some(&expected));
        assert_eq!(senders.template_ids().collect::<Vec<_>>(), ["110712345"]);
    }

    #[test]
    fn a_sender_and_its_registration_are_as_long_as_sns_takes_them() {
        let is_taken = |sender: &str| SmsSenders::parse(&format!("+44={sender}")).is_ok();
        for (sender, expected) in [
            ("123", true),
            ("12", false),
            ("123456789012345", true),
            ("+123456789012345", true),
            ("1234567890123456", false),
            ("A", true),
            ("eleven-char", true),
            ("twelve-chars", false),
            ("123-456", false),
        ] {
            assert_eq!(is_taken(sender), expected, "{sender}");
        }
        for (length, expected) in [(1, true), (50, true), (51, false)] {
            let id = "7".repeat(length);
            assert_eq!(is_taken(&format!("EXMPLE;{id};1")), expected, "{length}");
            assert_eq!(is_taken(&format!("EXMPLE;1;{id}")), expected, "{length}");
        }
    }

    #[test]
    fn a_malformed_list_is_refused() {
        for text in [
            "",
            "+44",
            "+44=",
            "=Example",
            "44=Example",
            "+44=Example,",
            "+44=Example,+44=Other",
            "US=Example,US=Other",
            "us=Example",
            "XX=Example",
            "+44=twelve-chars",
            "+44=My Shop",
            "+44=-",
            "+44=12",
            "+44=++123456",
            "+44=Größe",
            "+91=EXMPLE;1101234",
            "+91=EXMPLE;1101234;",
            "+91=EXMPLE;1101234;110712345;1",
            "+91=EXMPLE;11 01;110712345",
            "+91=EXMPLE;1101234;11 07",
            "+0=Example",
        ] {
            assert_eq!(
                SmsSenders::parse(text),
                Err(MalformedSender),
                "accepted {text:?}"
            );
        }
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn a_list_that_is_accepted_has_senders_that_sns_takes(
            text in fuzz::text(&["+44=Example,US=+18005550100", "+91=EXMPLE;1101234;110712345"]),
        ) {
            if let Ok(SmsSenders(senders)) = SmsSenders::parse(&text) {
                for (range, sender) in senders {
                    prop_assert!(text.contains(range.name()));
                    let (SenderIdentity::Id(text) | SenderIdentity::Number(text)) = sender.identity;
                    prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-".contains(&b)));
                }
            }
        }
    }
}
