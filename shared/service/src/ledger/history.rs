//! The codes of a destination that came back, those that did not, and what became of the
//! messages.

use aws_sdk_dynamodb::{error::BuildError, types::TransactWriteItem};
use otp_domain::{Challenge, Guesses, Proof, UnixTime, WayName};

use super::{
    deliveries::{self, Deliveries},
    entry::optional_time,
    guesses,
};
use crate::{
    fault::Fault,
    table::{
        Clauses, Item, Table,
        attributes::{count, key, millis, number, sweep_after},
    },
};

/// The sort key of a destination's history.
pub(super) const SORT_KEY: &str = "history";

/// The codes of a client that has returned one, since then.
const ASKED: &str = "asked#";

/// The most clients that are known by name, so that the item stays small.
const MOST_CLIENTS: usize = 50;

/// What is known of the codes of a destination.
#[derive(Clone, Debug, Default)]
pub struct History {
    proven_at: Option<UnixTime>,
    asked: i64,
    asked_by: Vec<(String, i64)>,
    /// What became of the messages.
    pub deliveries: Deliveries,
}

impl History {
    pub(super) fn read(item: &Item) -> Result<Self, Fault> {
        let mut history = Self {
            proven_at: optional_time(item, "proven_at")?,
            asked: count(item, "asked")?,
            deliveries: Deliveries::read(item)?,
            ..Self::default()
        };
        for name in item.keys() {
            if let Some(client) = name.strip_prefix(ASKED) {
                history
                    .asked_by
                    .push((client.to_owned(), count(item, name)?));
            }
        }
        Ok(history)
    }

    /// Whether no code is out that did not come back.
    #[must_use]
    pub const fn waits_for_none(&self) -> bool {
        self.asked == 0
    }

    /// The codes of the destination, as the client of this name sees them.
    #[must_use]
    pub fn proof(&self, client: &str) -> Proof {
        let mut known = self.asked_by.iter();
        let own = known.find(|(name, _)| name == client);
        Proof {
            proven_at: self.proven_at,
            unreturned: self.asked,
            own_unreturned: own.map(|(_, asked)| *asked),
        }
    }

    /// Counts a code that is sent for a client.
    pub(super) fn ask(&self, client: &str, update: &mut Clauses) {
        let one = update.value(number(1));
        update.add.push(format!("asked {one}"));
        if self.asked_by.iter().any(|(name, _)| name == client) {
            let name = update.name(format!("{ASKED}{client}"));
            update.add.push(format!("{name} {one}"));
        } else if self.asked_by.len() > MOST_CLIENTS {
            for (name, _) in &self.asked_by {
                let name = update.name(format!("{ASKED}{name}"));
                update.remove.push(name);
            }
        }
    }

    /// Takes back a code that was counted for a client and not sent.
    pub(super) fn take_back_ask(&self, client: &str, update: &mut Clauses) {
        let minus_one = update.value(number(-1));
        update.add.push(format!("asked {minus_one}"));
        if self.asked_by.iter().any(|(name, _)| name == client) {
            let name = update.name(format!("{ASKED}{client}"));
            update.add.push(format!("{name} {minus_one}"));
        }
    }
}

/// What a right code changes: it proves the destination, and takes off the wrong guesses of
/// its own client or device. Strangers' guesses stay.
pub(super) struct Return<'a> {
    pub(super) challenge: &'a Challenge,
    /// The ways that the code has travelled.
    pub(super) ways: &'a [WayName],
    /// The name of the client that returns the code.
    pub(super) client: &'a str,
    /// Whether the guesses are taken off: not where that would tell who has an account.
    pub(super) takes_off: bool,
    pub(super) at: UnixTime,
}

impl Return<'_> {
    pub(super) fn writes(&self, table: &Table) -> Vec<Result<TransactWriteItem, BuildError>> {
        let (challenge, now) = (self.challenge, self.at);
        let mut writes = vec![self.prove(table)];
        if challenge.device.is_some() {
            // Nothing of a device's past counts after its right code, not even its cooldown.
            writes.push(Clauses::default().delete(guesses::key_of(challenge), table));
        } else if self.takes_off && !challenge.is_fixed {
            writes.push(guesses::take_off(challenge, self.client, now, table));
        }
        writes
    }

    fn prove(&self, table: &Table) -> Result<TransactWriteItem, BuildError> {
        let mut update = Clauses::default();
        let sweep = sweep_after(self.at.plus(Guesses::MEMORY));
        update.set("expires_at_seconds", sweep);
        update.set("proven_at", millis(self.at));
        update.set("asked", number(0));
        deliveries::returned(self.ways, self.challenge.issued_at, &mut update);
        // A device's codes are not asked for by a client.
        if self.challenge.device.is_none() {
            update.set(format!("{ASKED}{}", self.client), number(0));
        }
        update.update(key(&self.challenge.destination, SORT_KEY), table)
    }
}
