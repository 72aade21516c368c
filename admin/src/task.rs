//! One command, from its parsed arguments to its end.

use std::ffi::OsString;

use otp_domain::{SessionId, UnixTime};
use otp_service::users::UserService;

use crate::{
    args::{Action, EndsSessions, Source},
    batch::Batch,
    error::Error,
    exit::Exit,
    export,
    io::Io,
    operation::Operation,
    rows::{Input, Row, Unread, Users},
    sessions, users,
    who::Who,
};

/// A command whose input is read and well-formed.
pub enum Task {
    /// Print all users, or those in which a text is found.
    ListUsers(Option<String>),
    /// Create or change one user, or those of a file.
    Batch(Batch),
    /// Put the second destination in the place of the first, and perhaps end the sessions.
    ChangeDestination(Row, EndsSessions),
    /// Print one user.
    ShowUser(Who),
    /// Print all that is stored of one user.
    ExportUser(Who),
    /// Print the sessions of one user.
    ListSessions(Who),
    /// End one session of a user, or all.
    EndSessions(Who, Option<SessionId>),
}

impl Task {
    /// Reads the input of `action`, before any call to the table.
    pub fn prepare(action: Action, io: &mut Io<'_>) -> Result<Self, Error> {
        let (operation, source) = match action {
            Action::ListUsers => return Ok(Self::ListUsers(None)),
            Action::FindUsers(text) => return Ok(Self::ListUsers(Some(text))),
            Action::ShowUser(of) => return Ok(Self::ShowUser(of)),
            Action::ExportUser(of) => return Ok(Self::ExportUser(of)),
            Action::ListSessions(of) => return Ok(Self::ListSessions(of)),
            Action::EndSessions(of, session) => return Ok(Self::EndSessions(of, session)),
            Action::AddUsers(source) => (Operation::Add, source),
            Action::ChangeUsers(change, source) => (Operation::Change(change), source),
            Action::SetClaims(source) => (Operation::SetClaims, source),
            Action::ChangeDestination(row, ends_sessions) => {
                return Ok(Self::ChangeDestination(row, ends_sessions));
            }
        };
        Ok(Self::Batch(match source {
            Source::One(row) => Batch::One(operation, row),
            Source::Csv(file) => Batch::Many(operation, check(file, operation, io)?),
        }))
    }

    /// Whether it may change a user.
    pub const fn may_change(&self) -> bool {
        !matches!(
            self,
            Self::ListUsers(_) | Self::ShowUser(_) | Self::ExportUser(_) | Self::ListSessions(_)
        )
    }

    /// Does the task.
    pub async fn run(
        self,
        users: &UserService,
        now: UnixTime,
        io: &mut Io<'_>,
    ) -> Result<Exit, Error> {
        match self {
            Self::ListUsers(found_by) => users::list(users, found_by.as_deref(), io).await,
            Self::ShowUser(of) => users::show(users, &of, io).await,
            Self::ExportUser(of) => export::run(users, &of, io).await,
            Self::ChangeDestination(row, ends_sessions) => {
                let to = row.destinations.last().cloned();
                let batch = Batch::One(Operation::ChangeDestination, row);
                let exit = batch.run(users, now, io.stderr).await?;
                match to {
                    Some(to) if ends_sessions && exit == Exit::Done => {
                        sessions::end(users, &Who::Owner(to), None, now, io.stderr).await
                    }
                    _ => Ok(exit),
                }
            }
            Self::Batch(batch) => batch.run(users, now, io.stderr).await,
            Self::ListSessions(of) => sessions::list(users, &of, now, io).await,
            Self::EndSessions(of, session) => {
                sessions::end(users, &of, session.as_ref(), now, io.stderr).await
            }
        }
    }
}

fn check(file: OsString, operation: Operation, io: &mut Io<'_>) -> Result<Users, Error> {
    let (name, input) = if file == "-" {
        let mut bytes = Vec::new();
        let name = "standard input".to_owned();
        let read = io.stdin.read_to_end(&mut bytes);
        read.map_err(|error| Error::Stream(name.clone(), error))?;
        (name, Input::Read(bytes))
    } else {
        (file.to_string_lossy().into_owned(), Input::File(file))
    };
    let users = Users::check(input, operation.need()).map_err(|why| match why {
        Unread::Io(error) => Error::Stream(name, error),
        Unread::Malformed(mistakes) => Error::MalformedCsv(mistakes),
    })?;
    if !users.ignored.is_empty() {
        writeln!(io.stderr, "ignored columns: {}", users.ignored.join(", "))?;
    }
    Ok(users)
}
