//! What outlives the logins of a destination, and those of a known device: the guesses,
//! the codes that did not come back, and what became of the messages.

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::TransactWriteItem,
};
use otp_domain::{
    Challenge, ChallengeId, Destination, GUESSES_PER_STEP, Guesses, OpenGuesses, Proof, UnixTime,
    WayName,
};

use super::{
    deliveries::{self, Deliveries},
    entry::optional_time,
};
use crate::{
    fault::{Dependency, Fault},
    table::{
        Clauses, Item, Table,
        attributes::{count, key, malformed, millis, number, sweep_after},
        until_settled,
    },
};

/// The sort key of a destination's history.
pub(super) const SORT_KEY: &str = "history";

/// The attempts that a challenge has left, by its id.
const LEFT: &str = "left#";
/// When the challenge with this id ends.
const ENDS: &str = "ends#";
/// The wrong guesses of a client, by its name.
const WRONG: &str = "wrong#";
/// The codes of a client that has returned one, since then.
const ASKED: &str = "asked#";

/// The most clients of each kind that are known by name, so that the item stays small.
const MOST_CLIENTS: usize = 50;

/// What is known of the past of a destination or of a known device.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub(super) guesses: Guesses,
    /// Who made wrong guesses, as attributes.
    guessers: Vec<String>,
    proven_at: Option<UnixTime>,
    asked: i64,
    asked_by: Vec<(String, i64)>,
    /// What became of the messages.
    pub deliveries: Deliveries,
}

/// The sort key of what is counted of a device.
pub(super) fn of_device(device: &str) -> String {
    format!("device#{device}")
}

/// The key of the item that counts the guesses at a challenge.
pub(super) fn key_of_guesses(challenge: &Challenge) -> Item {
    let to = &challenge.destination;
    match &challenge.device {
        Some(device) => key(to, of_device(&device.name())),
        None => key(to, SORT_KEY),
    }
}

impl History {
    pub(super) fn read(item: &Item) -> Result<Self, Fault> {
        let mut history = Self {
            guesses: Guesses {
                counted: count(item, "guesses")?,
                open: Vec::new(),
                guessed_at: optional_time(item, "guessed_at")?,
            },
            proven_at: optional_time(item, "proven_at")?,
            asked: count(item, "asked")?,
            deliveries: Deliveries::read(item)?,
            ..Self::default()
        };
        for name in item.keys() {
            if let Some(id) = name.strip_prefix(LEFT) {
                history.guesses.open.push(OpenGuesses {
                    challenge: id.to_owned(),
                    left: count(item, name)?,
                    ends_at: optional_time(item, &format!("{ENDS}{id}"))?
                        .ok_or_else(|| malformed(ENDS))?,
                });
            } else if name.starts_with(WRONG) {
                history.guessers.push(name.clone());
            } else if let Some(client) = name.strip_prefix(ASKED) {
                history
                    .asked_by
                    .push((client.to_owned(), count(item, name)?));
            }
        }
        Ok(history)
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

    /// Opens the attempts of a challenge, on condition that nothing was opened since.
    pub(super) fn open(&self, challenge: &Challenge, attempts: u8, update: &mut Clauses) {
        let (now, guesses) = (challenge.issued_at, &self.guesses);
        for over in guesses.open.iter().filter(|open| open.is_over(now)) {
            for prefix in [LEFT, ENDS] {
                let name = update.name(format!("{prefix}{}", over.challenge));
                update.remove.push(name);
            }
        }
        // Of too many guessers, it is forgotten whose guesses are whose. They stay counted.
        if guesses.are_forgotten(now) || self.guessers.len() > MOST_CLIENTS {
            for guesser in &self.guessers {
                let name = update.name(guesser.clone());
                update.remove.push(name);
            }
        }
        if guesses.are_forgotten(now) {
            update.remove.push("guessed_at".to_owned());
        }
        let counted = guesses.at_risk(now).saturating_add(u32::from(attempts));
        update.set("guesses", number(counted));
        let was = update.value(number(guesses.counted));
        update.conditions.push(match guesses.counted {
            0 => format!("(attribute_not_exists(guesses) OR guesses = {was})"),
            _ => format!("guesses = {was}"),
        });
        open(challenge, attempts, update);
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

/// Opens the attempts of a challenge, as long as no code is to be longer than the least.
pub(super) fn open_unseen(challenge: &Challenge, attempts: u8, update: &mut Clauses) {
    let (by, room) = (u32::from(attempts), GUESSES_PER_STEP);
    let (by, most) = (
        update.value(number(by)),
        update.value(number(room.saturating_sub(by))),
    );
    update.add.push(format!("guesses {by}"));
    update.conditions.push(format!(
        "(attribute_not_exists(guesses) OR guesses < {most})"
    ));
    open(challenge, attempts, update);
}

fn open(challenge: &Challenge, attempts: u8, update: &mut Clauses) {
    let id = challenge.id.as_str();
    update.set(format!("{LEFT}{id}"), number(attempts));
    update.set(format!("{ENDS}{id}"), millis(challenge.expires_at));
}

/// A longer life of a challenge, for the count of its open attempts.
pub(super) fn extend(challenge: &ChallengeId, end: UnixTime, update: &mut Clauses) {
    update.set(format!("{ENDS}{}", challenge.as_str()), millis(end));
}

/// Takes the attempts of a challenge back: nobody has guessed at it.
pub(super) fn close(challenge: &ChallengeId, attempts: u8, update: &mut Clauses) {
    let by = update.value(number(-i32::from(attempts)));
    update.add.push(format!("guesses {by}"));
    for prefix in [LEFT, ENDS] {
        let name = update.name(format!("{prefix}{}", challenge.as_str()));
        update.remove.push(name);
    }
}

/// Counts a wrong guess at a challenge, in the item with this key. A challenge whose
/// attempts were never opened, or are settled, counts none.
pub(super) async fn record_wrong(
    key: Item,
    challenge: &ChallengeId,
    guesser: &str,
    now: UnixTime,
    table: &Table,
) -> Result<(), Fault> {
    let operation = "UpdateItem";
    let attempt = || async {
        let sent = wrong(key.clone(), challenge, guesser, now, table).send();
        let Err(error) = sent.await else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(Fault::from_sdk(Dependency::Table, operation, &error)),
        }
    };
    until_settled(operation, attempt).await
}

fn wrong(
    key: Item,
    challenge: &ChallengeId,
    guesser: &str,
    now: UnixTime,
    table: &Table,
) -> UpdateItemFluentBuilder {
    let mut update = Clauses::default();
    let left = update.name(format!("{LEFT}{}", challenge.as_str()));
    let own = update.name(format!("{WRONG}{guesser}"));
    let (one, minus_one) = (update.value(number(1)), update.value(number(-1)));
    let zero = update.value(number(0));
    update.add.push(format!("{left} {minus_one}"));
    update.add.push(format!("{own} {one}"));
    update.set("guessed_at", millis(now));
    update.set("expires_at_seconds", sweep_after(now.plus(Guesses::MEMORY)));
    update.conditions.push(format!("{left} > {zero}"));
    update.update_alone(key, table)
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
    pub(super) fn writes(
        &self,
        table: &Table,
    ) -> impl Iterator<Item = Result<TransactWriteItem, BuildError>> {
        let to = &self.challenge.destination;
        // Nothing of a device's past counts after its right code, not even its cooldown.
        let device = self.challenge.device.as_ref();
        let past = device.map(|device| {
            let past = key(to, of_device(&device.name()));
            Clauses::default().delete(past, table)
        });
        [self.on_destination(to, table)].into_iter().chain(past)
    }

    fn on_destination(
        &self,
        to: &Destination,
        table: &Table,
    ) -> Result<TransactWriteItem, BuildError> {
        let mut update = Clauses::default();
        let sweep = sweep_after(self.at.plus(Guesses::MEMORY));
        update.set("expires_at_seconds", sweep);
        update.set("proven_at", millis(self.at));
        update.set("asked", number(0));
        deliveries::returned(self.ways, self.challenge.issued_at, &mut update);
        // A device's codes are not asked for by a client.
        if self.challenge.device.is_some() {
            return update.update(key(to, SORT_KEY), table);
        }
        update.set(format!("{ASKED}{}", self.client), number(0));
        if self.takes_off && !self.challenge.is_fixed {
            let own = update.name(format!("{WRONG}{}", self.client));
            let zero = update.value(number(0));
            update.set.push(format!(
                "guesses = if_not_exists(guesses, {zero}) - if_not_exists({own}, {zero})"
            ));
            update.remove.push(own);
            self.settle(&mut update);
        }
        update.update(key(to, SORT_KEY), table)
    }

    /// Nobody can guess at a used challenge. Its attempts are settled with the next issue.
    fn settle(&self, update: &mut Clauses) {
        let end = update.name(format!("{ENDS}{}", self.challenge.id.as_str()));
        let (left, zero) = (
            update.name(format!("{LEFT}{}", self.challenge.id.as_str())),
            update.value(number(0)),
        );
        update.set.push(format!("{end} = {zero}"));
        update
            .set
            .push(format!("{left} = if_not_exists({left}, {zero})"));
    }
}
