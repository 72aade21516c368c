//! Reads whom a body names: an address, or a number and the country of who typed it.

use otp_domain::{Country, Destination, EmailAddress, MalformedPhoneNumber, PhoneNumber};

use crate::body::{Members, Shape};

const EMAIL: Shape<EmailAddress> = Shape::text("a plain e-mail address in ASCII", |text| {
    EmailAddress::parse(text).ok()
});
/// How a number must be written depends on the country beside it.
const PHONE_NUMBER: Shape<String> = Shape::text(
    "a string of `+` and 7 to 15 digits, the country code first (E.164)",
    |text| Some(text.to_owned()),
);
const COUNTRY: Shape<Country> = Shape::text("a country code of ISO 3166, such as DE", |text| {
    Country::parse(&text.to_ascii_uppercase())
});

/// Reads `email`, or `phone_number` and `country`.
pub(super) fn read(members: &mut Members) -> Option<Destination> {
    let email = members.optional("email", &EMAIL);
    let number = phone_number(members);
    match (members.has("email"), members.has("phone_number")) {
        (true, false) => email.map(Destination::Email),
        (false, true) => number.map(Destination::Phone),
        (true, true) => {
            members.note("The body must hold exactly one of `email` and `phone_number`, not both.");
            None
        }
        (false, false) => {
            members
                .note("The body must hold exactly one of `email` and `phone_number`; it has none.");
            None
        }
    }
}

fn phone_number(members: &mut Members) -> Option<PhoneNumber> {
    let typed = members.optional("phone_number", &PHONE_NUMBER);
    let country = members.optional("country", &COUNTRY);
    if members.has("country") && !members.has("phone_number") {
        members.note("`country` says how `phone_number` is written; send it with one.");
    }
    let number = match country {
        Some(country) => country.read_number(&typed?),
        None if members.has("country") => return None,
        None => PhoneNumber::parse(&typed?),
    };
    number.map_err(|why| members.note(explain(why))).ok()
}

const fn explain(why: MalformedPhoneNumber) -> &'static str {
    match why {
        MalformedPhoneNumber::NotInternational => {
            "`phone_number` must be a string of `+` and 7 to 15 digits, the country code first \
             (E.164)."
        }
        MalformedPhoneNumber::TrunkZero => {
            "`phone_number` must be without the 0 behind the country code: it is dialled only \
             within the country."
        }
        MalformedPhoneNumber::Extension => {
            "`phone_number` must be without an extension: no code reaches one."
        }
        MalformedPhoneNumber::NotUnderstood => {
            "`phone_number` must be a whole number of `country` with its area code, or begin with \
             `+` and another country code."
        }
        MalformedPhoneNumber::Ambiguous => {
            "`phone_number` can be read as two numbers; it must begin with `+` and the country \
             code, without a 0 in parentheses."
        }
    }
}
