//! The active sessions of one user: listed as CSV, and ended.

use std::io::Write;

use otp_domain::{SessionId, UnixTime, UserRecord};
use otp_service::users::UserService;

use crate::{cell, error::Error, exit::Exit, io::Io, timestamp::rfc3339, who::Who};

const HEADER: [&str; 5] = [
    "session",
    "destination",
    "created_at",
    "refreshed_at",
    "expires_at",
];

/// Prints the active sessions of the user `of`, the oldest first.
/// Fails if there is none.
pub async fn list(
    users: &UserService,
    of: &Who,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<Exit, Error> {
    let Some(user) = find_user(users, of, io.stderr).await? else {
        return Ok(Exit::Failed);
    };
    let sessions = users.sessions(&user.id, now).await?;
    let mut writer = csv::Writer::from_writer(&mut *io.stdout);
    writer.write_record(HEADER)?;
    for session in sessions {
        writer.write_record([
            session.id.as_str(),
            &cell::write(session.destination.as_str()),
            &rfc3339(session.created_at),
            &rfc3339(session.refreshed_at),
            &rfc3339(session.expires_at),
        ])?;
    }
    writer.flush()?;
    Ok(Exit::Done)
}

/// Ends the session `id` of the user `of`, or all of them without an
/// id. Fails if there is no such user or session.
pub async fn end(
    users: &UserService,
    of: &Who,
    id: Option<&SessionId>,
    now: UnixTime,
    err: &mut dyn Write,
) -> Result<Exit, Error> {
    let Some(user) = find_user(users, of, err).await? else {
        return Ok(Exit::Failed);
    };
    let ended = match id {
        None => users.end_sessions(&user.id, now).await?,
        Some(id) if users.end_session(&user.id, id, now).await? => 1,
        Some(_) => {
            writeln!(err, "{}: no such session", of.as_str())?;
            return Ok(Exit::Failed);
        }
    };
    writeln!(err, "{}: sessions ended: {ended}", of.as_str())?;
    Ok(Exit::Done)
}

async fn find_user(
    users: &UserService,
    of: &Who,
    err: &mut dyn Write,
) -> Result<Option<UserRecord>, Error> {
    let user = of.find(users).await?;
    if user.is_none() {
        writeln!(err, "{}: no such user", of.as_str())?;
    }
    Ok(user)
}
