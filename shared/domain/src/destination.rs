//! Destinations: where a code is sent.

use std::{fmt, str::FromStr};

use super::{EmailAddress, PhoneNumber};

/// What a destination is. How a code travels there is a question of its own: one
/// number that is reached in two ways is one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DestinationKind {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
}

impl DestinationKind {
    /// The name in the table and in what is authenticated.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }

    /// The word for it on the wire and in the log: the member `channel`.
    #[must_use]
    pub const fn channel(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "sms",
        }
    }
}

/// An e-mail address or a phone number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// A mailbox.
    Email(EmailAddress),
    /// A phone.
    Phone(PhoneNumber),
}

impl Destination {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> DestinationKind {
        match self {
            Self::Email(_) => DestinationKind::Email,
            Self::Phone(_) => DestinationKind::Phone,
        }
    }

    /// The address or number in full. It is personal data: never log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Phone(number) => number.as_str(),
        }
    }

    /// The destination whose limits count this one: the mailbox of an e-mail
    /// address, and a phone number itself.
    #[must_use]
    pub fn bucket(&self) -> Self {
        match self {
            Self::Email(email) => Self::Email(email.mailbox()),
            Self::Phone(number) => Self::Phone(number.clone()),
        }
    }

    /// A form for logs, such as `a***@e***.com` or `+1***23`: enough to recognise
    /// a known destination, too little to learn an unknown one.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Email(email) => {
                let (local, domain) = email.as_str().split_once('@').unwrap_or_default();
                let top = domain.rsplit('.').next().unwrap_or_default();
                format!("{}***@{}***.{top}", first(local), first(domain))
            }
            Self::Phone(number) => {
                let text = number.as_str();
                format!("{}***{}", &text[..2], &text[text.len() - 2..])
            }
        }
    }
}

/// The text is neither an e-mail address nor a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedDestination;

impl FromStr for Destination {
    type Err = MalformedDestination;

    /// Reads a phone number if the text begins with `+`, else an e-mail address.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim_start_matches(' ').starts_with('+') {
            let number = PhoneNumber::parse(text).map_err(|_| MalformedDestination)?;
            Ok(Self::Phone(number))
        } else {
            let email = EmailAddress::parse(text).map_err(|_| MalformedDestination)?;
            Ok(Self::Email(email))
        }
    }
}

fn first(text: &str) -> &str {
    text.get(..1).unwrap_or_default()
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_begins_with_a_plus_is_a_number_and_any_other_an_address() {
        for (text, channel, kept) in [
            ("+14155550123", "sms", "+14155550123"),
            ("  +1 415 555 0123", "sms", "+14155550123"),
            ("Alice@Example.com", "email", "alice@example.com"),
            ("a+1@example.com", "email", "a+1@example.com"),
        ] {
            let destination: Destination = text.parse().unwrap();
            assert_eq!(destination.kind().channel(), channel, "{text}");
            assert_eq!(destination.as_str(), kept);
        }
        for text in ["", "+", "+alice@example.com", "14155550123", "alice"] {
            assert_eq!(text.parse::<Destination>(), Err(MalformedDestination));
        }
    }

    #[test]
    fn a_mailbox_counts_all_its_spellings_and_a_number_itself() {
        let bucket = |text: &str| text.parse::<Destination>().unwrap().bucket();
        assert_eq!(bucket("alice+1@example.com"), bucket("alice@example.com"));
        assert_ne!(bucket("alice@example.com"), bucket("bob@example.com"));
        assert_eq!(bucket("+14155550123").as_str(), "+14155550123");
    }

    #[test]
    fn a_masked_destination_hides_all_but_its_edges() {
        let email = Destination::Email(EmailAddress::parse("alice@mail.example.com").unwrap());
        let phone = Destination::Phone(PhoneNumber::parse("+14155550123").unwrap());
        assert_eq!(format!("{email:?} {phone:?}"), "a***@m***.com +1***23");
    }
}
