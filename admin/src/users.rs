//! The list of all users, as CSV.

use otp_domain::{Destination, DestinationKind, UserRecord};
use otp_service::users::UserService;

use crate::{cell, error::Error, exit::Exit, io::Io, timestamp::rfc3339, who::Who};

const HEADER: [&str; 7] = [
    "user_id",
    "email",
    "phone_number",
    "created_at",
    "last_login_at",
    "disabled",
    "claims",
];

/// Prints all users, or those in which a text is found, each page as soon as it is read. Fails
/// if the text is found in none.
pub async fn list(
    users: &UserService,
    found_by: Option<&str>,
    io: &mut Io<'_>,
) -> Result<Exit, Error> {
    let mut has_begun = false;
    let mut pages = users.all();
    while let Some(page) = pages.next().await? {
        let mut writer = csv::Writer::from_writer(&mut *io.stdout);
        let is_found = |user: &&UserRecord| found_by.is_none_or(|text| has(user, text));
        let mut found = page.iter().filter(is_found).peekable();
        if !has_begun && (found_by.is_none() || found.peek().is_some()) {
            writer.write_record(HEADER)?;
            has_begun = true;
        }
        for user in found {
            writer.write_record(record(user))?;
        }
        writer.flush()?;
    }
    match found_by {
        Some(text) if !has_begun => {
            writeln!(io.stderr, "{text}: no such user")?;
            Ok(Exit::Failed)
        }
        _ => Ok(Exit::Done),
    }
}

/// Whether a text is a part of the user's id, of a destination or of the claims.
fn has(user: &UserRecord, text: &str) -> bool {
    let text = text.to_lowercase();
    let has = |whole: &str| whole.to_lowercase().contains(&text);
    has(user.id.as_str())
        || user
            .destinations
            .iter()
            .any(|own| has(own.destination.as_str()))
        || has(&user.claims.to_json())
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
        cell::write(found.unwrap_or_default()).into_owned()
    };
    [
        cell::write(user.id.as_str()).into_owned(),
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
