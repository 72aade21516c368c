//! The sessions of one user.

use std::io::{self, Write};

use otp_domain::{Destination, SessionId, UnixTime, UserRecord};
use otp_service::store::Store;

use crate::{
    io::{Io, Stop},
    timestamp::rfc3339,
};

const HEADER: [&str; 5] = [
    "session",
    "destination",
    "created_at",
    "refreshed_at",
    "expires_at",
];

/// Prints the live sessions of the user of this destination, the oldest first.
/// `false` if there is no such user.
pub async fn print(
    store: &Store,
    of: &Destination,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<bool, Stop> {
    let Some(user) = find(store, of, io.stderr).await? else {
        return Ok(false);
    };
    let mut sessions = store.sessions(&user.id).await?;
    sessions.retain(|session| session.expires_at > now);
    sessions.sort_by_key(|session| session.created_at);
    let mut writer = csv::Writer::from_writer(&mut *io.stdout);
    writer.write_record(HEADER).map_err(io::Error::from)?;
    for session in sessions {
        let record = [
            session.id.as_str(),
            session.destination.as_str(),
            &rfc3339(session.created_at),
            &rfc3339(session.refreshed_at),
            &rfc3339(session.expires_at),
        ];
        writer.write_record(record).map_err(io::Error::from)?;
    }
    writer.flush()?;
    Ok(true)
}

/// Ends every session of the user of this destination, or the one with this id.
/// `false` if there is no such user or session.
pub async fn end(
    store: &Store,
    of: &Destination,
    session: Option<&SessionId>,
    err: &mut dyn Write,
) -> Result<bool, Stop> {
    let Some(user) = find(store, of, err).await? else {
        return Ok(false);
    };
    let ended = match session {
        None => store.end_sessions(&user.id, None).await?,
        Some(id) => {
            if store.find_session(&user.id, id).await?.is_none() {
                writeln!(err, "{}: no such session", of.as_str())?;
                return Ok(false);
            }
            store.end_session(&user.id, id).await?;
            1
        }
    };
    writeln!(err, "{ended} ended")?;
    Ok(true)
}

async fn find(
    store: &Store,
    of: &Destination,
    err: &mut dyn Write,
) -> Result<Option<UserRecord>, Stop> {
    let user = store.find_user_record(of).await?;
    if user.is_none() {
        writeln!(err, "{}: no such user", of.as_str())?;
    }
    Ok(user)
}
