//! Users from the command line: added, listed, disabled, enabled and removed;
//! and their logins, listed and ended.
//!
//! ```text
//! args::parse -> rows::read -> batch::work -> operation::run -> Store::add_user, change_user
//!            |-> list::print ------------------------------> Store::users
//!            `-> logins::print, logins::end ---------------> Store::sessions, end_session
//! ```
//!
//! The tool says addresses and numbers in full, but only to its operator: it
//! writes to its own streams, and keeps no log.

mod args;
mod batch;
mod list;
mod logins;
mod operation;
mod rows;

use std::{
    ffi::OsString,
    fmt,
    fs::File,
    io::{self, Read, Write},
    process::ExitCode,
};

use aws_config::SdkConfig;
use otp::{
    clients,
    domain::{Destination, SessionId, UnixTime},
    fault::Fault,
    store::Store,
};

use args::{Action, Command, Source};
use batch::Job;
use operation::Operation;
use rows::Row;

/// The streams that the tool reads and writes.
pub struct Io<'a> {
    /// What `--csv -` reads.
    pub stdin: &'a mut dyn Read,
    /// What was asked for, to be piped elsewhere.
    pub stdout: &'a mut dyn Write,
    /// What the operator is told: failures, progress, sums.
    pub stderr: &'a mut dyn Write,
}

/// How the tool ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All was done.
    Done,
    /// Some was not; standard error names it.
    Failed,
    /// The arguments make no sense; nothing was done.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
        })
    }
}

/// Why nothing, or nothing more, is done.
#[derive(Debug)]
enum Stop {
    /// A file or a stream failed.
    Stream(String, io::Error),
    /// Every line that is wrong.
    Malformed(Vec<String>),
    /// The table failed.
    Table(Fault),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(name, error) => write!(f, "{name}: {error}"),
            Self::Malformed(lines) => write!(f, "{}\nnothing was written", lines.join("\n")),
            Self::Table(fault) => write!(
                f,
                "{fault}\nare these the right --table, region, credentials and endpoint?"
            ),
        }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Stream("output".to_owned(), error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Table(fault)
    }
}

/// Does what `args` (without the program's name) ask for. The table is
/// `default_table` unless they name another; `sdk` is asked only if a table is.
pub async fn run(
    args: impl IntoIterator<Item = OsString>,
    default_table: Option<String>,
    sdk: impl AsyncFnOnce() -> SdkConfig,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Exit {
    let (action, table) = match args::parse(args, default_table) {
        Ok(Command::Help) => return finish(io.stdout.write_all(args::USAGE.as_bytes()), io),
        Ok(Command::Do { action, table }) => (action, table),
        Err(mistake) => {
            // If that cannot be written, the exit code still tells.
            let _ = write!(io.stderr, "{mistake}\n\n{}", args::USAGE);
            return Exit::Usage;
        }
    };
    let task = match prepare(action, now, io) {
        Ok(task) => task,
        Err(stop) => return finish::<Stop>(Err(stop), io),
    };
    let store = Store::new(clients::dynamodb(&sdk().await), table);
    let done = match task {
        Task::List => list::print(&store, io.stdout).await.map(|()| true),
        Task::Work(job) => job.work(&store, io.stderr).await,
        Task::Logins(of) => logins::print(&store, &of, now, io).await,
        Task::End(of, login) => logins::end(&store, &of, login.as_ref(), io.stderr).await,
    };
    match done {
        Ok(true) => Exit::Done,
        Ok(false) => Exit::Failed,
        Err(stop) => finish::<Stop>(Err(stop), io),
    }
}

/// What there is to do, whole and well-formed.
enum Task {
    List,
    Work(Job),
    Logins(Destination),
    End(Destination, Option<SessionId>),
}

fn prepare(action: Action, now: UnixTime, io: &mut Io<'_>) -> Result<Task, Stop> {
    let (operation, source) = match action {
        Action::List => return Ok(Task::List),
        Action::Logins(of) => return Ok(Task::Logins(of)),
        Action::End(of, login) => return Ok(Task::End(of, login)),
        Action::Add(source) => (Operation::Add, source),
        Action::Change(change, source) => (Operation::Change(change), source),
    };
    Ok(Task::Work(Job {
        operation,
        rows: rows(source, io)?,
        now,
    }))
}

fn rows(source: Source, io: &mut Io<'_>) -> Result<Vec<Row>, Stop> {
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
    read.map_err(|error| Stop::Stream(name, error))?;
    let file = rows::read(&bytes).map_err(Stop::Malformed)?;
    if !file.ignored.is_empty() {
        writeln!(io.stderr, "ignored columns: {}", file.ignored.join(", "))?;
    }
    Ok(file.rows)
}

fn finish<E: Into<Stop>>(result: Result<(), E>, io: &mut Io<'_>) -> Exit {
    let Err(stop) = result else { return Exit::Done };
    let _ = writeln!(io.stderr, "{}", stop.into());
    Exit::Failed
}
