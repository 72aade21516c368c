//! Destinations as operators type them.

use otp_domain::{Destination, EmailAddress, PhoneNumber};

/// Reads an e-mail address.
pub fn email(text: &str) -> Result<Destination, String> {
    let parsed = EmailAddress::parse(text).map(Destination::Email);
    parsed.map_err(|_| format!("{text:?} is not a plain e-mail address"))
}

/// Reads a phone number.
pub fn phone(text: &str) -> Result<Destination, String> {
    let parsed = PhoneNumber::parse(text).map(Destination::Phone);
    parsed.map_err(|_| format!("{text:?} is not a phone number such as +14155550123"))
}

/// Reads either; a phone number begins with `+`.
pub fn either(text: &str) -> Result<Destination, String> {
    if text.starts_with('+') {
        phone(text)
    } else {
        email(text)
    }
}

/// Addresses and numbers as one text.
pub fn join(destinations: &[Destination]) -> String {
    let texts: Vec<_> = destinations.iter().map(Destination::as_str).collect();
    texts.join(", ")
}
