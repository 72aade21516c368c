//! Where a code goes, and what a login proves.

use std::fmt;

use super::{EmailAddress, PhoneNumber};

/// How a code travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// By Amazon SES.
    Email,
    /// By Amazon SNS, as a text message.
    Sms,
}

impl Channel {
    /// The name on the wire, in the table and in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }
}

/// An e-mail address or a phone number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// A mailbox.
    Email(EmailAddress),
    /// A phone that takes text messages.
    Phone(PhoneNumber),
}

impl Destination {
    /// The channel that reaches this destination.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Phone(_) => Channel::Sms,
        }
    }

    /// The address or number in full. It is personal data: not for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Phone(number) => number.as_str(),
        }
    }

    /// Enough to recognise one's own destination in a log, too little to learn
    /// another's: `a***@e***.com`, `+1***23`.
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
    fn a_masked_destination_hides_all_but_its_edges() {
        let email = Destination::Email(EmailAddress::parse("alice@mail.example.com").unwrap());
        let phone = Destination::Phone(PhoneNumber::parse("+14155550123").unwrap());
        assert_eq!(format!("{email:?} {phone:?}"), "a***@m***.com +1***23");
    }
}
