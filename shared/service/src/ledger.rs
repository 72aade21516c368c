//! The ledger: whatever is counted, and what an instance remembers of it.
//!
//! | verb | what it does |
//! |---|---|
//! | [`Ledger::admit`] | stores a challenge, or renews it, and counts its message against every limit, or refuses |
//! | [`Receipt::withdraw`], [`Receipt::void`] | takes an admission back |
//! | [`Ledger::charge`] | spends an attempt at a challenge, and counts the guess against its client |
//! | [`Ledger::record`] | records what became of a message |
//!
//! ```text
//! page    one item of the table, which one update counts; its shards
//! entry   one thing that a page counts: it writes, judges and undoes itself
//! guesses the wrong ones, which outlive a login
//! history the codes that came back, and those that did not; and deliveries: what became of
//!         the messages
//! memory  what refused lately
//! ```
//!
//! A limit is a condition of the write that it limits, so it holds at any
//! concurrency. A new limit is one line of `Policy`; a new kind of count is one
//! `Entry`.

mod admit;
mod challenge;
mod deliveries;
mod entry;
mod guess;
mod guesses;
mod history;
mod look;
mod memory;
mod networks;
mod notice;
mod operator;
mod page;
mod receipt;
mod replay;
mod report;
mod shards;
#[cfg(test)]
mod tests;

use otp_domain::{
    Challenge, ConversionGuard, Destination, IdempotencyKey, Limit, Network, Policy, Scope,
    UnixTime, WayName,
};

pub use admit::{Admitted, Outdated};
pub use deliveries::{Deliveries, SentMessage};
pub use guess::{ChargedGuess, Guess};
pub use history::History;
pub use look::{Counted, Look, Seen};
pub use operator::Past;
pub use receipt::Receipt;
pub use replay::ReplayedLogin;
pub use report::{Recorded, Report};

use self::{
    entry::{Entry, Lost},
    memory::Memory,
};
use crate::table::Table;

/// The one room for counting.
pub struct Ledger {
    table: Table,
    memory: Memory,
}

/// What asks to be admitted.
pub struct Send<'a> {
    /// The challenge whose code is sent.
    pub challenge: &'a Challenge,
    /// Whether the code was sent before.
    pub issue: Issue,
    /// What is counted.
    pub part: Part,
    /// The name of this message: the challenge's id, or that of a later one.
    pub id: &'a str,
    /// The name at the destination of the client that asks.
    pub client: &'a str,
    /// The known device that asks, by its name.
    pub device: Option<String>,
    /// How the message travels, if one is due.
    pub way: Option<&'a WayName>,
    /// What was counted before, if it was looked at.
    pub past: Option<Counted>,
    /// When the message is asked for.
    pub at: UnixTime,
}

/// Whether a code is sent for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issue {
    /// It is.
    New,
    /// It was sent before. Its life may end later now.
    Again(Option<UnixTime>),
}

/// What an admission counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A request and its message.
    Both,
    /// The request. Its message may follow.
    Request,
    /// The message of a request that was admitted before.
    Message,
}

impl Part {
    /// What tells the writes of one message apart.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Both | Self::Request => "",
            Self::Message => "message-",
        }
    }
}

/// Who asks for a code of this destination, as cooldowns count it.
#[must_use]
pub fn asked_for(to: &Destination, device: Option<&str>) -> Scope {
    match device {
        Some(device) => Scope::Device(to.clone(), device.to_owned()),
        None => Scope::Destination(to.clone()),
    }
}

/// The rules that a login must pass.
pub struct AdmissionRules<'a> {
    /// The rules of codes and attempts, and the least time between two sends.
    pub policy: &'a Policy,
    /// Every limit that counts it.
    pub limits: Vec<Limit>,
    /// What counts its message if a stranger asks for it, unless that is off.
    pub guard: Option<StrangerRules>,
    /// The client's idempotency key, if it sent one.
    pub key: Option<IdempotencyKey>,
    /// The ways of which one must not lose codes; none if that is not asked.
    pub ways: Vec<WayName>,
}

/// What counts the message that a stranger asks for.
pub struct StrangerRules {
    /// The conversion guard.
    pub guard: ConversionGuard,
    /// The networks of the client.
    pub networks: Vec<Network>,
    /// Whether the destination waits for no other code: SES does not send again to a mailbox
    /// that bounced, so a mailbox is lost once.
    pub is_first: bool,
}

impl StrangerRules {
    /// The networks come first: what they owe decides what is open to them.
    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let of = match &self.guard.scope {
            Scope::Prefix(prefix) => prefix.as_str(),
            _ => "email",
        };
        let scope = |network: &Network| Scope::Network(of.to_owned(), network.client.clone());
        let networks = self.networks.iter();
        let is_email = matches!(self.guard.scope, Scope::Deployment(_));
        let counts = self.is_first || !is_email;
        let turns = networks.map(move |network| Entry::Turn(scope(network), network, counts));
        // Where nothing is shared by network, the guard alone is the bound.
        let closes = !self.networks.is_empty();
        let lost = is_email.then_some(Entry::Lost(&self.guard, Lost { closes, counts }));
        turns.chain([Entry::Guard(&self.guard)]).chain(lost)
    }
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
