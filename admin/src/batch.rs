//! One operation on many users, several at a time.

use std::{cell::Cell, io::Write};

use futures_util::{StreamExt, stream};
use otp_domain::UnixTime;
use otp_service::{fault::Fault, users::UserService};

use crate::{
    error::Error,
    exit::Exit,
    operation::{Operation, Outcome, join},
    rows::{Row, Unread, Users},
};

/// Rows in progress at once: enough that a long run is not bound by the round
/// trip to a distant table.
pub const CONCURRENCY: usize = 16;

/// Rows between two progress messages, at least: a large file has a hundred messages.
const PROGRESS_INTERVAL: usize = 100;

/// One operation on one user or on many.
pub enum Batch {
    /// The user of the command line.
    One(Operation, Row),
    /// The users of a file.
    Many(Operation, Users),
}

/// How many rows ended how.
#[derive(Default)]
struct Tally {
    done: usize,
    unchanged: usize,
    failed: usize,
    /// What failed, which comes last, where an operator sees it.
    failures: Vec<String>,
}

impl Batch {
    /// Runs the operation on every row and reports the results. After the first
    /// fault of the table, no further row starts: it would only fail as slowly.
    ///
    /// A run that was interrupted is repeated: what it has done is unchanged then.
    pub async fn run(
        self,
        users: &UserService,
        now: UnixTime,
        report: &mut dyn Write,
    ) -> Result<Exit, Error> {
        match self {
            Self::One(operation, row) => {
                let outcome = operation.run(users, &row, now).await;
                one(
                    operation,
                    &row,
                    outcome.unwrap_or_else(Outcome::Fault),
                    report,
                )
            }
            Self::Many(operation, file) => many(operation, &file, users, now, report).await,
        }
    }
}

/// Reports what became of one user. An operator who names one expects a change.
fn one(
    operation: Operation,
    row: &Row,
    outcome: Outcome,
    report: &mut dyn Write,
) -> Result<Exit, Error> {
    let name = name(row);
    match outcome {
        Outcome::Done(user) => {
            let (done, id) = (operation.done(), user.as_str());
            writeln!(report, "{name}: {done}, user_id {id}")?;
            Ok(Exit::Done)
        }
        Outcome::Unchanged(why) | Outcome::Failed(why) => {
            writeln!(report, "{name}: failed: {why}")?;
            Ok(Exit::Failed)
        }
        Outcome::Fault(fault) => {
            let done = operation.done();
            writeln!(report, "{name}: unknown whether {done}: {fault}")?;
            Err(fault.into())
        }
    }
}

async fn many(
    operation: Operation,
    file: &Users,
    users: &UserService,
    now: UnixTime,
    report: &mut dyn Write,
) -> Result<Exit, Error> {
    let stopped = Cell::new(false);
    let changed = |why| {
        Error::MalformedCsv(match why {
            Unread::Io(error) => vec![error.to_string()],
            Unread::Malformed(mistakes) => mistakes,
        })
    };
    let rows = file.rows().map_err(changed)?;
    let mut outcomes = stream::iter(rows.take_while(|_| !stopped.get()))
        .map(async |row| match row {
            Ok(row) => {
                let outcome = operation.run(users, &row, now).await;
                (name(&row), outcome.unwrap_or_else(Outcome::Fault))
            }
            // The file has changed since it was checked.
            Err(mistake) => (mistake, Outcome::Failed("the file has changed".to_owned())),
        })
        .buffered(CONCURRENCY);
    let (mut tally, mut first_fault) = (Tally::default(), None);
    let interval = PROGRESS_INTERVAL.max(file.total / 100);
    while let Some((name, outcome)) = outcomes.next().await {
        first_fault = first_fault.or(tally.count(operation, &name, outcome));
        stopped.set(first_fault.is_some());
        let count = tally.total();
        if count.is_multiple_of(interval) && count < file.total {
            writeln!(report, "{count} of {}", file.total)?;
        }
    }
    tally.print(operation, file.total, report)?;
    match first_fault {
        Some(fault) => Err(fault.into()),
        None if tally.failed > 0 => Ok(Exit::Failed),
        None => Ok(Exit::Done),
    }
}

impl Tally {
    const fn total(&self) -> usize {
        self.done + self.unchanged + self.failed
    }

    /// Counts the outcome of a row; returns its fault.
    fn count(&mut self, operation: Operation, name: &str, outcome: Outcome) -> Option<Fault> {
        match outcome {
            Outcome::Done(_) => self.done += 1,
            Outcome::Unchanged(_) => self.unchanged += 1,
            Outcome::Failed(why) => {
                self.failed += 1;
                self.failures.push(format!("{name}: failed: {why}"));
            }
            Outcome::Fault(fault) => {
                self.failed += 1;
                let done = operation.done();
                let unknown = format!("{name}: unknown whether {done}: {fault}");
                self.failures.push(unknown);
                return Some(fault);
            }
        }
        None
    }

    fn print(
        &self,
        operation: Operation,
        total: usize,
        report: &mut dyn Write,
    ) -> Result<(), Error> {
        for failure in &self.failures {
            writeln!(report, "{failure}")?;
        }
        let verb = operation.done();
        let (done, unchanged, failed) = (self.done, self.unchanged, self.failed);
        write!(
            report,
            "{done} {verb}, {unchanged} unchanged, {failed} failed"
        )?;
        match total.saturating_sub(self.total()) {
            0 => writeln!(report)?,
            left => writeln!(report, ", {left} not tried")?,
        }
        Ok(())
    }
}

fn name(row: &Row) -> String {
    let name = match &row.id {
        Some(id) if row.destinations.is_empty() => id.as_str().to_owned(),
        _ => join(&row.destinations),
    };
    match row.line {
        Some(line) => format!("line {line}: {name}"),
        None => name,
    }
}
