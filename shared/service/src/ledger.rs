//! The ledger: whatever is counted, and what an instance remembers of it.
//!
//! | verb | what it does |
//! |---|---|
//! | [`Ledger::admit`] | stores a challenge and counts its send against every limit, or refuses |
//! | [`Receipt::withdraw`], [`Receipt::void`] | takes an admission back |
//! | [`Ledger::charge`] | spends an attempt at a challenge, and counts the guess against its client |
//!
//! ```text
//! page    one item of the table, which one update counts; its shards
//! entry   one thing that a page counts: it writes, judges and undoes itself
//! memory  what refused lately
//! ```
//!
//! A limit is a condition of the write that it limits, so it holds at any
//! concurrency. A new limit is one line of `Policy`; a new kind of count is one
//! `Entry`.

mod admit;
mod challenge;
mod entry;
mod guess;
mod memory;
mod page;
mod receipt;
mod replay;
mod shards;
#[cfg(test)]
mod tests;

use otp_domain::{ConversionGuard, IdempotencyKey, Limit};

pub use admit::Admitted;
pub use guess::{ChargedGuess, Guess};
pub use receipt::Receipt;
pub use replay::ReplayedLogin;

use self::memory::Memory;
use crate::table::Table;

/// The one room for counting.
pub struct Ledger {
    table: Table,
    memory: Memory,
}

/// The rules that a login must pass.
pub struct AdmissionRules {
    /// Every limit that counts it.
    pub limits: Vec<Limit>,
    /// The conversion guard that counts its message, unless it is off.
    pub guard: Option<ConversionGuard>,
    /// The least time since the last login of the same destination.
    pub cooldown: std::time::Duration,
    /// The client's idempotency key, if it sent one.
    pub key: Option<IdempotencyKey>,
}

impl Ledger {
    /// A ledger in this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self {
            table,
            memory: Memory::default(),
        }
    }

    /// Forgets what refused lately.
    pub fn reset(&self) {
        self.memory.reset();
    }
}
