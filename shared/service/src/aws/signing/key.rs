//! The derived signing key, and what it is good for.

use std::fmt;

use aws_credential_types::Credentials;
use aws_lc_rs::hmac;

/// The seconds of a day.
pub const DAY: u64 = 86_400;

/// What a signing key is derived from.
pub struct Scope<'a> {
    pub credentials: &'a Credentials,
    /// Since 1970-01-01.
    pub day: u64,
    pub region: &'a str,
    pub service: &'a str,
}

/// A signing key, good for one day, region, service and pair of credentials.
pub struct SigningKey {
    key: hmac::Key,
    credentials: Credentials,
    day: u64,
    region: String,
    service: String,
    /// `YYYYMMDD`.
    pub date: String,
    /// `YYYYMMDD/region/service/aws4_request`.
    pub scope: String,
}

impl SigningKey {
    pub fn derive(scope: &Scope<'_>) -> Self {
        let date = date(scope.day);
        let secret = format!("AWS4{}", scope.credentials.secret_access_key());
        let parts = [&*date, scope.region, scope.service, "aws4_request"];
        let key = parts.iter().fold(hmac_key(secret.as_bytes()), |key, part| {
            hmac_key(hmac::sign(&key, part.as_bytes()).as_ref())
        });
        Self {
            key,
            credentials: scope.credentials.clone(),
            day: scope.day,
            region: scope.region.to_owned(),
            service: scope.service.to_owned(),
            scope: parts.join("/"),
            date,
        }
    }

    /// Whether this is the key that `scope` leads to.
    pub fn is_of(&self, scope: &Scope<'_>) -> bool {
        self.day == scope.day
            && self.region == scope.region
            && self.service == scope.service
            && self.credentials == *scope.credentials
    }

    pub fn access_key_id(&self) -> &str {
        self.credentials.access_key_id()
    }

    pub fn session_token(&self) -> Option<&str> {
        self.credentials.session_token()
    }

    pub fn sign(&self, text: &str) -> hmac::Tag {
        hmac::sign(&self.key, text.as_bytes())
    }
}

/// Leaves the key and the credentials out.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

fn hmac_key(secret: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret)
}

/// `YYYYMMDD` of a day since 1970-01-01, in the Gregorian calendar. The year begins
/// in March here, so that a leap day is the last of its year.
fn date(day: u64) -> String {
    const ERA: u64 = 146_097;
    let day = day + 719_468;
    let (era, of_era) = (day / ERA, day % ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}{month:02}{of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_the_calendars_dates() {
        let known = [
            (0, "19700101"),
            (58, "19700228"),
            (59, "19700301"),
            (11_016, "20000229"),
            (11_017, "20000301"),
            (19_782, "20240229"),
            (20_089, "20250101"),
            (20_453, "20251231"),
            (20_454, "20260101"),
            (47_540, "21000228"),
            (47_541, "21000301"),
        ];
        for (day, expected) in known {
            assert_eq!(date(day), expected);
        }
    }
}
