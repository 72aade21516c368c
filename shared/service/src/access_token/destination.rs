//! The claims about the destination that a login proved.

use otp_domain::Destination;
use serde::Serialize;

/// The claims for the proven destination (`OpenID` Connect Core section 5.1).
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum DestinationClaims<'a> {
    Email {
        email: &'a str,
        email_verified: bool,
    },
    Phone {
        phone_number: &'a str,
        phone_number_verified: bool,
    },
}

impl<'a> DestinationClaims<'a> {
    /// The claims and the authentication methods (RFC 8176).
    pub(super) fn by(destination: &'a Destination) -> (Self, &'static [&'static str]) {
        let text = destination.as_str();
        match destination {
            Destination::Email(_) => (
                Self::Email {
                    email: text,
                    email_verified: true,
                },
                &["otp"],
            ),
            Destination::Phone(_) => (
                Self::Phone {
                    phone_number: text,
                    phone_number_verified: true,
                },
                &["otp", "sms"],
            ),
        }
    }
}
