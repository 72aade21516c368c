//! The operator's command line: adds, lists, disables, enables and removes users;
//! lists and ends their sessions.
//!
//! ```text
//! args::parse -> rows::read -> batch::work -> operation::run -> Store::add_user, change_user
//!            |-> list::print ------------------------------> Store::users
//!            `-> sessions::print, sessions::end ---------------> Store::sessions, end_session
//! ```
//!
//! The tool prints addresses and numbers in full, to its own streams only. It
//! writes no log.

mod args;
mod batch;
mod destination;
mod io;
mod list;
mod operation;
mod rows;
mod sessions;
mod timestamp;

use std::{ffi::OsString, fs::File, io::Read as _};

use aws_config::SdkConfig;
use otp_domain::{Destination, SessionId, UnixTime};
use otp_service::{aws, store::Store};

use args::{Action, Command, Source};
use batch::Job;
use io::Stop;
use operation::Operation;
use rows::Row;

pub use io::{Exit, Io};

/// Runs the command in `args`, which lack the program's name. The table is
/// `default_table` unless `--table` names another; `sdk` is called only if a
/// table is needed.
pub async fn run(
    args: impl IntoIterator<Item = OsString>,
    default_table: Option<String>,
    sdk: impl AsyncFnOnce() -> SdkConfig,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Exit {
    let (action, table) = match args::parse(args, default_table) {
        Ok(Command::Help) => return finish(io.stdout.write_all(args::USAGE.as_bytes()), io),
        Ok(Command::Version) => {
            let version = concat!("admin ", env!("CARGO_PKG_VERSION"), "\n");
            return finish(io.stdout.write_all(version.as_bytes()), io);
        }
        Ok(Command::Do { action, table }) => (action, table),
        Err(mistake) => {
            // If this cannot be written, the exit code still says it.
            let _ = write!(io.stderr, "{mistake}\n\n{}", args::USAGE);
            return Exit::Usage;
        }
    };
    let task = match prepare(action, now, io) {
        Ok(task) => task,
        Err(stop) => return finish::<Stop>(Err(stop), io),
    };
    let store = Store::new(aws::dynamodb(&sdk().await), table);
    let done = match task {
        Task::List => list::print(&store, io.stdout).await.map(|()| true),
        Task::Work(job) => job.work(&store, io.stderr).await,
        Task::Sessions(of) => sessions::print(&store, &of, now, io).await,
        Task::End(of, session) => sessions::end(&store, &of, session.as_ref(), io.stderr).await,
    };
    match done {
        Ok(true) => Exit::Done,
        Ok(false) => Exit::Failed,
        Err(stop) => finish::<Stop>(Err(stop), io),
    }
}

/// A command whose input is complete and well-formed.
enum Task {
    List,
    Work(Job),
    Sessions(Destination),
    End(Destination, Option<SessionId>),
}

fn prepare(action: Action, now: UnixTime, io: &mut Io<'_>) -> Result<Task, Stop> {
    let (operation, source) = match action {
        Action::List => return Ok(Task::List),
        Action::Sessions(of) => return Ok(Task::Sessions(of)),
        Action::End(of, session) => return Ok(Task::End(of, session)),
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
