//! Destinations as operators type them: parsing, with a message for each error.

use otp_domain::{Destination, EmailAddress, PhoneNumber};

/// Parses an e-mail address or a phone number.
pub fn parse(text: &str) -> Result<Destination, String> {
    text.parse().map_err(|_| {
        format!(
            "{text:?} is neither an e-mail address such as alice@example.com \
             nor a phone number such as +14155550123"
        )
    })
}

/// Parses an e-mail address.
pub fn email(text: &str) -> Result<Destination, String> {
    let parsed = EmailAddress::parse(text).map(Destination::Email);
    parsed.map_err(|_| format!("{text:?} is not an e-mail address such as alice@example.com"))
}

/// Parses a phone number.
pub fn phone(text: &str) -> Result<Destination, String> {
    number(text).map(Destination::Phone)
}

/// Parses a phone number, as such.
pub fn number(text: &str) -> Result<PhoneNumber, String> {
    PhoneNumber::parse(text)
        .map_err(|_| format!("{text:?} is not a phone number such as +14155550123"))
}
