//! Times as operators read them.

use otp_domain::UnixTime;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// RFC 3339, in UTC. Empty after the year 9999, which the format cannot write.
pub fn rfc3339(time: UnixTime) -> String {
    let nanos = i128::from(time.as_millis()) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}
