//! The streams of the tool.

use std::io::{Read, Write};

/// The streams that the tool reads and writes.
pub struct Io<'a> {
    /// Read for `--csv -`.
    pub stdin: &'a mut dyn Read,
    /// The requested output: lists, help, version.
    pub stdout: &'a mut dyn Write,
    /// Messages to the operator: progress, results, errors.
    pub stderr: &'a mut dyn Write,
}
