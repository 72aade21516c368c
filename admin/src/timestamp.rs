//! Times as operators read them.

use otp_domain::UnixTime;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Formats a time per RFC 3339, which ends with the year 9999: a later time
/// gives an empty text.
pub fn rfc3339(time: UnixTime) -> String {
    let nanos = i128::from(time.as_millis()) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// Reads a time per RFC 3339, from 1970 on.
pub fn parse(text: &str) -> Option<UnixTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let millis = time.unix_timestamp_nanos() / 1_000_000;
    u64::try_from(millis).ok().map(UnixTime::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_utc_with_the_milliseconds_that_it_has() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_767_226_200_042, "2026-01-01T00:10:00.042Z"),
            (u64::MAX, ""),
        ] {
            let time = UnixTime::from_millis(millis);
            assert_eq!(rfc3339(time), text);
            assert_eq!(parse(text), (!text.is_empty()).then_some(time));
        }
    }
}
