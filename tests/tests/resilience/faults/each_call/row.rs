//! A row of the table of faults.

use tests::Call;

use super::request::Request;

pub struct Row {
    pub request: Request,
    pub call: Call,
    /// The longest time that the fault may add to the request, in seconds.
    pub within: u64,
    /// Without a fault, with a late reply, and when one attempt fails and is repeated.
    pub without_fault: Outcome,
    /// One attempt fails and does nothing, if the outcome then is not `without_fault`.
    pub refused_once: Option<Outcome>,
    /// The reply to one attempt is lost, if the outcome then is not `without_fault`.
    pub lost_once: Option<Outcome>,
    /// The service says each time that it did nothing, if the outcome then is not `refused`.
    pub throttled: Option<Outcome>,
    /// Every attempt fails and does nothing.
    pub refused: Outcome,
    /// The service does its work, and every reply is lost.
    pub lost: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The status that the client gets.
    pub status: u16,
    /// How many messages arrive.
    pub messages: usize,
    /// What the table holds afterwards.
    pub table: &'static str,
    /// The status of the same request, repeated after the fault is over.
    pub retry_status: u16,
}

pub const fn outcome(
    status: u16,
    messages: usize,
    table: &'static str,
    retry_status: u16,
) -> Outcome {
    Outcome {
        status,
        messages,
        table,
        retry_status,
    }
}

/// A row in which a single failed attempt changes nothing, and in which it makes no difference
/// whether the service did its work.
pub const fn row(
    request: Request,
    call: Call,
    within: u64,
    without_fault: Outcome,
    failed: Outcome,
) -> Row {
    Row {
        request,
        call,
        within,
        without_fault,
        refused_once: None,
        lost_once: None,
        throttled: None,
        refused: failed,
        lost: failed,
    }
}

impl Row {
    pub const fn but_lost(self, lost: Outcome) -> Self {
        Self { lost, ..self }
    }

    /// A call that is repeated only if the service says that it did nothing.
    pub const fn but_throttled(self, throttled: Outcome) -> Self {
        Self {
            refused_once: Some(self.refused),
            lost_once: Some(self.lost),
            throttled: Some(throttled),
            ..self
        }
    }

    /// The lines of a Markdown table. An outcome `without_fault` has no line.
    pub fn lines(&self) -> Vec<String> {
        let always = if self.refused == self.lost {
            vec![("refused or lost", self.refused)]
        } else {
            vec![("refused", self.refused), ("lost", self.lost)]
        };
        let throttled = self.throttled.map(|outcome| ("throttled", outcome));
        throttled
            .into_iter()
            .chain(always)
            .map(|(what, outcome)| {
                format!(
                    "| {} | {:?} | {what} | {} | {} | {} | {} | {} s |",
                    self.request.words(),
                    self.call,
                    outcome.status,
                    outcome.messages,
                    outcome.table,
                    outcome.retry_status,
                    self.within
                )
            })
            .collect()
    }
}
