//! The streams of the tool.

use std::io::{IsTerminal, Read, Stdin, Write};

/// What the tool reads.
pub trait Input: Read {
    /// Whether a person types it, who can be asked.
    fn is_person(&self) -> bool {
        false
    }
}

impl Input for Stdin {
    fn is_person(&self) -> bool {
        self.is_terminal()
    }
}

impl Input for &[u8] {}

/// The streams that the tool reads and writes.
pub struct Io<'a> {
    /// Read for `--csv -`, and for a person's answer.
    pub stdin: &'a mut dyn Input,
    /// The requested output: lists, help, version.
    pub stdout: &'a mut dyn Write,
    /// Messages to the operator: progress, results, errors.
    pub stderr: &'a mut dyn Write,
}
