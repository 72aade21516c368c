//! The errors that stop a run.

use std::{fmt, io};

use otp_service::fault::Fault;

/// Why a run stops early.
#[derive(Debug)]
pub enum Error {
    /// A file or a standard stream, by name, cannot be read or written.
    Stream(String, io::Error),
    /// The CSV file is malformed: one message for each wrong line.
    MalformedCsv(Vec<String>),
    /// Nothing names a table.
    NoTable,
    /// A message cannot be shown.
    Preview(String),
    /// A call to the table or to a key failed.
    Table(Fault),
    /// AWS was not reached, or refused: why, and what was tried.
    Aws(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(name, error) => write!(f, "{name}: {error}"),
            Self::MalformedCsv(lines) => write!(f, "{}\nnothing was written", lines.join("\n")),
            Self::NoTable => f.write_str(
                "no table: give --stack NAME or --table NAME, or set TABLE_NAME\nsee admin --help",
            ),
            Self::Table(fault) => fault.fmt(f),
            Self::Preview(why) | Self::Aws(why) => f.write_str(why),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Stream("output".to_owned(), error)
    }
}

impl From<csv::Error> for Error {
    fn from(error: csv::Error) -> Self {
        io::Error::from(error).into()
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Table(fault)
    }
}
