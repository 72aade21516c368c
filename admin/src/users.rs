//! The list of all users, as CSV.

use std::io::Write;

use otp_domain::{Destination, DestinationKind, UserRecord};
use otp_service::users::UserService;

use crate::{error::Error, exit::Exit, io::Io, timestamp::rfc3339, who::Who};

const HEADER: [&str; 7] = [
    "user_id",
    "email",
    "phone_number",
    "created_at",
    "last_login_at",
    "disabled",
    "claims",
];

/// Prints all users, each page as soon as it is read.
pub async fn list(users: &UserService, out: &mut dyn Write) -> Result<Exit, Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    let mut pages = users.all();
    while let Some(page) = pages.next().await? {
        for user in page {
            writer.write_record(record(&user))?;
        }
        writer.flush()?;
    }
    Ok(Exit::Done)
}

/// Prints one user. Fails if there is none.
pub async fn show(users: &UserService, of: &Who, io: &mut Io<'_>) -> Result<Exit, Error> {
    let Some(user) = of.find(users).await? else {
        writeln!(io.stderr, "{}: no such user", of.as_str())?;
        return Ok(Exit::Failed);
    };
    let mut writer = csv::Writer::from_writer(&mut *io.stdout);
    writer.write_record(HEADER)?;
    writer.write_record(record(&user))?;
    writer.flush()?;
    Ok(Exit::Done)
}

fn record(user: &UserRecord) -> [String; 7] {
    let destination = |channel| {
        let found = user.destination(channel).map(Destination::as_str);
        found.unwrap_or_default().to_owned()
    };
    [
        user.id.as_str().to_owned(),
        destination(DestinationKind::Email),
        destination(DestinationKind::Phone),
        rfc3339(user.created_at),
        user.last_login_at.map(rfc3339).unwrap_or_default(),
        user.is_disabled().to_string(),
        user.claims.to_json(),
    ]
}

#[cfg(test)]
mod tests {
    use otp_domain::{Claims, OwnDestination, UnixTime, UserId};

    use super::*;

    #[test]
    fn a_user_is_one_line_in_the_headers_order() {
        let created_at = UnixTime::from_secs(1_767_226_200);
        let own = |text: &str| OwnDestination {
            destination: text.parse().unwrap(),
            added_at: created_at,
        };
        let mut user = UserRecord {
            id: UserId::from_table("id".to_owned()),
            destinations: vec![own("alice@example.com"), own("+14155550123")],
            created_at,
            last_login_at: Some(UnixTime::from_millis(1_767_226_200_042)),
            disabled_at: Some(created_at),
            claims: Claims::parse(r#"{"a":1}"#).unwrap(),
            version: 1,
        };
        assert_eq!(
            record(&user).join(","),
            "id,alice@example.com,+14155550123,2026-01-01T00:10:00Z,2026-01-01T00:10:00.042Z,true,{\"a\":1}"
        );
        user.destinations.remove(0);
        user.last_login_at = None;
        user.claims = Claims::default();
        assert_eq!(
            record(&user).join(","),
            "id,,+14155550123,2026-01-01T00:10:00Z,,true,{}"
        );
    }
}
