//! All that is stored of one user, as JSON: a copy for the person whom it is about.

use otp_service::users::UserService;

use crate::{error::Error, exit::Exit, io::Io, who::Who};

/// Prints all that is stored of the user `of`. Fails if there is none.
pub async fn run(users: &UserService, of: &Who, io: &mut Io<'_>) -> Result<Exit, Error> {
    let Some(user) = of.find(users).await? else {
        writeln!(io.stderr, "{}: no such user", of.as_str())?;
        return Ok(Exit::Failed);
    };
    writeln!(io.stdout, "{:#}", users.export(&user).await?)?;
    Ok(Exit::Done)
}
