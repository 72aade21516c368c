//! One command, from its parsed arguments to its end.

use std::{fs::File, io::Read};

use otp_domain::{Destination, SessionId, UnixTime};
use otp_service::store::Store;

use crate::{
    args::{Action, Source},
    batch::Batch,
    error::Error,
    exit::Exit,
    io::Io,
    operation::Operation,
    rows::{self, Row},
    sessions, users,
};

/// A command whose input is read and well-formed.
pub enum Task {
    /// Print all users.
    ListUsers,
    /// Create or change users.
    Batch(Batch),
    /// Print the sessions of one user.
    ListSessions(Destination),
    /// End one session of a user, or all.
    EndSessions(Destination, Option<SessionId>),
}

impl Task {
    /// Reads the input of `action`, before any call to the table.
    pub fn prepare(action: Action, io: &mut Io<'_>) -> Result<Self, Error> {
        let (operation, source) = match action {
            Action::ListUsers => return Ok(Self::ListUsers),
            Action::ListSessions(of) => return Ok(Self::ListSessions(of)),
            Action::EndSessions(of, session) => return Ok(Self::EndSessions(of, session)),
            Action::AddUsers(source) => (Operation::Add, source),
            Action::ChangeUsers(change, source) => (Operation::Change(change), source),
        };
        let rows = read(source, io)?;
        Ok(Self::Batch(Batch { operation, rows }))
    }

    /// Does the task.
    pub async fn run(self, store: &Store, now: UnixTime, io: &mut Io<'_>) -> Result<Exit, Error> {
        match self {
            Self::ListUsers => users::list(store, io.stdout).await,
            Self::Batch(batch) => batch.run(store, now, io.stderr).await,
            Self::ListSessions(of) => sessions::list(store, &of, now, io).await,
            Self::EndSessions(of, session) => {
                sessions::end(store, &of, session.as_ref(), io.stderr).await
            }
        }
    }
}

fn read(source: Source, io: &mut Io<'_>) -> Result<Vec<Row>, Error> {
    let mut bytes = Vec::new();
    let (name, read) = match source {
        Source::One(row) => return Ok(vec![row]),
        Source::Csv(file) if file == "-" => {
            ("standard input".into(), io.stdin.read_to_end(&mut bytes))
        }
        Source::Csv(file) => {
            let read = File::open(&file).and_then(|mut file| file.read_to_end(&mut bytes));
            (file.to_string_lossy().into_owned(), read)
        }
    };
    read.map_err(|error| Error::Stream(name, error))?;
    let file = rows::read(&bytes).map_err(Error::MalformedCsv)?;
    if !file.ignored.is_empty() {
        writeln!(io.stderr, "ignored columns: {}", file.ignored.join(", "))?;
    }
    Ok(file.rows)
}
