//! One operation on many users, a few at a time.

use std::{cell::Cell, io::Write};

use futures_util::{StreamExt, stream};
use otp_domain::UnixTime;
use otp_service::{fault::Fault, store::Store};

use crate::{
    destination::join,
    io::Stop,
    operation::{Operation, Outcome},
    rows::Row,
};

/// Enough concurrency to hide the latency of a remote table.
const AT_ONCE: usize = 16;

/// Rows between two lines of progress.
const PROGRESS: usize = 100;

/// One operation on many users.
pub struct Job {
    /// The operation on each row.
    pub operation: Operation,
    /// The users.
    pub rows: Vec<Row>,
    /// When the run began.
    pub now: UnixTime,
}

#[derive(Default)]
struct Sums {
    done: usize,
    already: usize,
    failed: usize,
}

impl Job {
    /// Runs every row; `true` if all succeeded. After a fault of the table it
    /// begins no more rows: they would fail as slowly.
    pub async fn work(self, store: &Store, report: &mut dyn Write) -> Result<bool, Stop> {
        let (operation, now, total) = (self.operation, self.now, self.rows.len());
        let alone = self.rows.iter().all(|row| row.line.is_none());
        let broken = Cell::new(false);
        let rows = self.rows.into_iter().take_while(|_| !broken.get());
        let mut outcomes = stream::iter(rows)
            .map(async |row| {
                let outcome = operation.run(store, &row, now).await;
                (row, outcome.unwrap_or_else(Outcome::Broken))
            })
            .buffered(AT_ONCE);
        let (mut sums, mut first_fault) = (Sums::default(), None);
        while let Some((row, outcome)) = outcomes.next().await {
            let fault = sums.count(operation, &row, outcome, report)?;
            first_fault = first_fault.or(fault);
            broken.set(first_fault.is_some());
            let count = sums.all();
            if count.is_multiple_of(PROGRESS) && count < total {
                writeln!(report, "{count} of {total}")?;
            }
        }
        if !alone {
            sums.print(operation, total, report)?;
        }
        first_fault.map_or(Ok(sums.failed == 0), |fault| Err(fault.into()))
    }
}

impl Sums {
    const fn all(&self) -> usize {
        self.done + self.already + self.failed
    }

    /// Counts and reports a row's outcome; returns its fault.
    fn count(
        &mut self,
        operation: Operation,
        row: &Row,
        outcome: Outcome,
        report: &mut dyn Write,
    ) -> Result<Option<Fault>, Stop> {
        let name = name(row);
        match outcome {
            Outcome::Done(user) => {
                self.done += 1;
                if row.line.is_none() {
                    let (done, id) = (operation.done(), user.as_str());
                    writeln!(report, "{name}: {done}, user_id {id}")?;
                }
            }
            Outcome::Already(how) if row.line.is_some() => {
                self.already += 1;
                writeln!(report, "{name}: {how}")?;
            }
            Outcome::Already(why) | Outcome::Failed(why) => {
                self.failed += 1;
                writeln!(report, "{name}: failed: {why}")?;
            }
            Outcome::Broken(fault) => {
                self.failed += 1;
                writeln!(report, "{name}: maybe not {}: {fault}", operation.done())?;
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
    ) -> Result<(), Stop> {
        let verb = operation.done();
        let (done, already, failed) = (self.done, self.already, self.failed);
        write!(
            report,
            "{done} {verb}, {already} were so already, {failed} failed"
        )?;
        match total - self.all() {
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
