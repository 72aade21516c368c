//! All users, as CSV.

use std::io::{self, Write};

use otp::{
    domain::{Channel, Destination, UserRecord, UnixTime},
    store::Store,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::Stop;

const HEADER: [&str; 6] = [
    "user_id",
    "email",
    "phone_number",
    "created_at",
    "last_login_at",
    "disabled",
];

/// Writes a page as soon as it is read.
pub async fn print(store: &Store, out: &mut dyn Write) -> Result<(), Stop> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER).map_err(io::Error::from)?;
    let mut pages = store.users();
    while let Some(users) = pages.next().await? {
        for user in users {
            writer
                .write_record(record(&user))
                .map_err(io::Error::from)?;
        }
        writer.flush()?;
    }
    Ok(())
}

fn record(user: &UserRecord) -> [String; 6] {
    let destination = |channel| {
        let found = user.destination(channel).map(Destination::as_str);
        found.unwrap_or_default().to_owned()
    };
    [
        user.id.as_str().to_owned(),
        destination(Channel::Email),
        destination(Channel::Sms),
        rfc3339(user.created_at),
        user.last_login_at.map(rfc3339).unwrap_or_default(),
        user.disabled.to_string(),
    ]
}

/// Empty after the year 9999, for which the format has no room.
pub fn rfc3339(time: UnixTime) -> String {
    let nanos = i128::from(time.as_millis()) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use otp::domain::{EmailAddress, PhoneNumber, UserId};

    use super::*;

    #[test]
    fn a_user_is_one_line_in_the_headers_order() {
        let email = EmailAddress::parse("alice@example.com").map(Destination::Email);
        let phone = PhoneNumber::parse("+14155550123").map(Destination::Phone);
        let mut user = UserRecord {
            id: UserId::from_table("id".to_owned()),
            destinations: vec![email.unwrap(), phone.unwrap()],
            created_at: UnixTime::from_secs(1_767_226_200),
            last_login_at: Some(UnixTime::from_millis(1_767_226_200_042)),
            disabled: true,
        };
        assert_eq!(
            record(&user).join(","),
            "id,alice@example.com,+14155550123,2026-01-01T00:10:00Z,2026-01-01T00:10:00.042Z,true"
        );
        user.destinations.remove(0);
        user.last_login_at = None;
        assert_eq!(
            record(&user).join(","),
            "id,,+14155550123,2026-01-01T00:10:00Z,,true"
        );
        assert_eq!(rfc3339(UnixTime::from_millis(u64::MAX)), "");
    }
}
