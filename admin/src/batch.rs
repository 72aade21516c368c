//! One operation on many users, several at a time.

use std::{cell::Cell, io::Write};

use futures_util::{StreamExt, stream};
use otp_domain::UnixTime;
use otp_service::{fault::Fault, users::UserService};

use crate::{
    error::Error,
    exit::Exit,
    operation::{Operation, Outcome, join},
    rows::Row,
};

/// Rows in progress at once: enough that a long run is not bound by the round
/// trip to a distant table.
pub const CONCURRENCY: usize = 16;

/// Rows between two progress messages.
const PROGRESS_INTERVAL: usize = 100;

/// One operation on many users.
pub struct Batch {
    /// What to do with each user.
    pub operation: Operation,
    /// The users.
    pub rows: Vec<Row>,
}

/// How many rows ended how.
#[derive(Default)]
struct Tally {
    done: usize,
    unchanged: usize,
    failed: usize,
}

impl Batch {
    /// Runs the operation on every row and reports each result. After the first
    /// fault of the table, no further row starts: it would only fail as slowly.
    pub async fn run(
        self,
        users: &UserService,
        now: UnixTime,
        report: &mut dyn Write,
    ) -> Result<Exit, Error> {
        let (operation, total) = (self.operation, self.rows.len());
        let from_file = self.rows.iter().any(|row| row.line.is_some());
        let stopped = Cell::new(false);
        let rows = self.rows.into_iter().take_while(|_| !stopped.get());
        let mut outcomes = stream::iter(rows)
            .map(async |row| {
                let outcome = operation.run(users, &row, now).await;
                (row, outcome.unwrap_or_else(Outcome::Fault))
            })
            .buffered(CONCURRENCY);
        let (mut tally, mut first_fault) = (Tally::default(), None);
        while let Some((row, outcome)) = outcomes.next().await {
            let fault = tally.count(operation, &row, outcome, report)?;
            first_fault = first_fault.or(fault);
            stopped.set(first_fault.is_some());
            let count = tally.total();
            if count.is_multiple_of(PROGRESS_INTERVAL) && count < total {
                writeln!(report, "{count} of {total}")?;
            }
        }
        if from_file {
            tally.print(operation, total, report)?;
        }
        match first_fault {
            Some(fault) => Err(fault.into()),
            None if tally.failed > 0 => Ok(Exit::Failed),
            None => Ok(Exit::Done),
        }
    }
}

impl Tally {
    const fn total(&self) -> usize {
        self.done + self.unchanged + self.failed
    }

    /// Counts and reports the outcome of a row; returns its fault.
    fn count(
        &mut self,
        operation: Operation,
        row: &Row,
        outcome: Outcome,
        report: &mut dyn Write,
    ) -> Result<Option<Fault>, Error> {
        let name = name(row);
        match outcome {
            Outcome::Done(user) => {
                self.done += 1;
                if row.line.is_none() {
                    let (done, id) = (operation.done(), user.as_str());
                    writeln!(report, "{name}: {done}, user_id {id}")?;
                }
            }
            Outcome::Unchanged(why) if row.line.is_some() => {
                self.unchanged += 1;
                writeln!(report, "{name}: {why}")?;
            }
            // An operator who names one user expects a change.
            Outcome::Unchanged(why) | Outcome::Failed(why) => {
                self.failed += 1;
                writeln!(report, "{name}: failed: {why}")?;
            }
            Outcome::Fault(fault) => {
                self.failed += 1;
                writeln!(
                    report,
                    "{name}: unknown whether {}: {fault}",
                    operation.done()
                )?;
                return Ok(Some(fault));
            }
        }
        Ok(None)
    }

    fn print(
        &self,
        operation: Operation,
        total: usize,
        report: &mut dyn Write,
    ) -> Result<(), Error> {
        let verb = operation.done();
        let (done, unchanged, failed) = (self.done, self.unchanged, self.failed);
        write!(
            report,
            "{done} {verb}, {unchanged} unchanged, {failed} failed"
        )?;
        match total - self.total() {
            0 => writeln!(report)?,
            left => writeln!(report, ", {left} not tried")?,
        }
        Ok(())
    }
}

fn name(row: &Row) -> String {
    let destinations = join(&row.destinations);
    match row.line {
        Some(line) => format!("line {line}: {destinations}"),
        None => destinations,
    }
}
