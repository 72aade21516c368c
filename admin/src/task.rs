//! One command, from its parsed arguments to its end.

use std::{fs::File, io::Read};

use otp_domain::{SessionId, UnixTime, UserId};
use otp_service::users::{Change, UserService};

use crate::{
    args::{Action, Source},
    batch::Batch,
    error::Error,
    exit::Exit,
    io::Io,
    operation::Operation,
    rows::{self, Row},
    sessions, users,
    who::Who,
};

/// A command whose input is read and well-formed.
pub enum Task {
    /// Print all users.
    ListUsers,
    /// Create or change users.
    Batch(Batch),
    /// Print one user.
    ShowUser(Who),
    /// Change the user with this id.
    ChangeById(Change, UserId),
    /// Print the sessions of one user.
    ListSessions(Who),
    /// End one session of a user, or all.
    EndSessions(Who, Option<SessionId>),
}

impl Task {
    /// Reads the input of `action`, before any call to the table.
    pub fn prepare(action: Action, io: &mut Io<'_>) -> Result<Self, Error> {
        let (operation, source) = match action {
            Action::ListUsers => return Ok(Self::ListUsers),
            Action::ShowUser(of) => return Ok(Self::ShowUser(of)),
            Action::ChangeUsers(change, Source::Id(id)) => return Ok(Self::ChangeById(change, id)),
            Action::ListSessions(of) => return Ok(Self::ListSessions(of)),
            Action::EndSessions(of, session) => return Ok(Self::EndSessions(of, session)),
            Action::AddUsers(source) => (Operation::Add, source),
            Action::ChangeUsers(change, source) => (Operation::Change(change), source),
            Action::SetClaims(source) => (Operation::SetClaims, source),
        };
        let rows = read(source, io)?;
        if let Operation::SetClaims = operation {
            refuse_rows_without_claims(&rows)?;
        }
        Ok(Self::Batch(Batch { operation, rows }))
    }

    /// Does the task.
    pub async fn run(
        self,
        users: &UserService,
        now: UnixTime,
        io: &mut Io<'_>,
    ) -> Result<Exit, Error> {
        match self {
            Self::ListUsers => users::list(users, io.stdout).await,
            Self::ShowUser(of) => users::show(users, &of, io).await,
            Self::ChangeById(change, id) => change_by_id(users, change, id, now, io).await,
            Self::Batch(batch) => batch.run(users, now, io.stderr).await,
            Self::ListSessions(of) => sessions::list(users, &of, now, io).await,
            Self::EndSessions(of, session) => {
                sessions::end(users, &of, session.as_ref(), io.stderr).await
            }
        }
    }
}

async fn change_by_id(
    users: &UserService,
    change: Change,
    id: UserId,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<Exit, Error> {
    let who = Who::Id(id);
    let Some(user) = who.find(users).await? else {
        writeln!(io.stderr, "{}: failed: no such user", who.as_str())?;
        return Ok(Exit::Failed);
    };
    let own = user.destinations.into_iter();
    let row = Row {
        line: None,
        destinations: own.map(|own| own.destination).collect(),
        disabled: None,
        claims: None,
    };
    let operation = Operation::Change(change);
    let rows = vec![row];
    Batch { operation, rows }.run(users, now, io.stderr).await
}

/// An empty field must not remove claims.
fn refuse_rows_without_claims(rows: &[Row]) -> Result<(), Error> {
    let without = rows.iter().filter(|row| row.claims.is_none());
    let mistakes: Vec<_> = without
        .map(|row| {
            format!(
                "line {}: no claims; {{}} removes them",
                row.line.unwrap_or(1)
            )
        })
        .collect();
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(Error::MalformedCsv(mistakes))
    }
}

fn read(source: Source, io: &mut Io<'_>) -> Result<Vec<Row>, Error> {
    let mut bytes = Vec::new();
    let (name, read) = match source {
        Source::One(row) => return Ok(vec![row]),
        Source::Id(_) => return Ok(Vec::new()),
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
