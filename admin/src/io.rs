//! The tool's streams, its exit codes, and why it stops.

use std::{
    fmt,
    io::{self, Read, Write},
    process::ExitCode,
};

use otp_service::fault::Fault;

/// The streams that the tool reads and writes.
pub struct Io<'a> {
    /// What `--csv -` reads.
    pub stdin: &'a mut dyn Read,
    /// The result, which may be piped elsewhere.
    pub stdout: &'a mut dyn Write,
    /// Failures, progress and sums.
    pub stderr: &'a mut dyn Write,
}

/// How the tool ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// Something was not done; standard error names it.
    Failed,
    /// The arguments are wrong; nothing was done.
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

/// Why the tool stops.
#[derive(Debug)]
pub enum Stop {
    /// A file or a stream failed.
    Stream(String, io::Error),
    /// Lines of a file are wrong: all of them.
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
