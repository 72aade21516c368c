//! The logins of one user that last: what their refresh tokens keep alive.

use std::io::{self, Write};

use otp::{
    domain::{Destination, FamilyName, Profile, UnixTime},
    store::Store,
};

use crate::{Io, Stop, list::rfc3339};

const HEADER: [&str; 5] = [
    "login",
    "destination",
    "created_at",
    "refreshed_at",
    "expires_at",
];

/// Prints the logins of whoever `of` logs in, the oldest first. `false`: that
/// is nobody.
pub async fn print(
    store: &Store,
    of: &Destination,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<bool, Stop> {
    let Some(user) = find(store, of, io.stderr).await? else {
        return Ok(false);
    };
    let mut families = store.families(&user.id).await?;
    families.retain(|family| family.expires_at > now);
    families.sort_by_key(|family| family.created_at);
    let mut writer = csv::Writer::from_writer(&mut *io.stdout);
    writer.write_record(HEADER).map_err(io::Error::from)?;
    for family in families {
        let record = [
            family.name.as_str(),
            family.destination.as_str(),
            &rfc3339(family.created_at),
            &rfc3339(family.refreshed_at),
            &rfc3339(family.expires_at),
        ];
        writer.write_record(record).map_err(io::Error::from)?;
    }
    writer.flush()?;
    Ok(true)
}

/// Ends all logins of whoever `of` logs in, or the one of that name. `false`:
/// there is no such user, or no such login.
pub async fn end(
    store: &Store,
    of: &Destination,
    login: Option<&FamilyName>,
    err: &mut dyn Write,
) -> Result<bool, Stop> {
    let Some(user) = find(store, of, err).await? else {
        return Ok(false);
    };
    let ended = match login {
        None => store.end_families(&user.id, None).await?,
        Some(name) => {
            if store.find_family(&user.id, name).await?.is_none() {
                writeln!(err, "{}: no such login", of.as_str())?;
                return Ok(false);
            }
            store.end_family(&user.id, name).await?;
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
) -> Result<Option<Profile>, Stop> {
    let user = store.find_profile(of).await?;
    if user.is_none() {
        writeln!(err, "{}: no such user", of.as_str())?;
    }
    Ok(user)
}
