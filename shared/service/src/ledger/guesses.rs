//! The guesses at a destination or at the challenges of a known device, and until when the
//! next send waits.
//!
//! Under `conceal`, whatever a login or a guess reads here before its answer depends on
//! requests and guesses alone, and not on who has an account. Codes that came back, or did
//! not, are apart, in `history`.

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::TransactWriteItem,
};
use otp_domain::{
    Challenge, ChallengeId, Destination, GUESSES_PER_STEP, Guesses, OpenGuesses, UnixTime,
};

use super::entry::optional_time;
use crate::{
    fault::{Dependency, Fault},
    table::{
        Clauses, Item, Table,
        attributes::{count, key, malformed, millis, number, sweep_after},
        until_settled,
    },
};

/// The sort key of the guesses at a destination.
pub(super) const SORT_KEY: &str = "guesses";

/// The attempts that a challenge has left, by its id.
const LEFT: &str = "left#";
/// When the challenge with this id ends.
const ENDS: &str = "ends#";
/// The wrong guesses of a client, by its name.
const WRONG: &str = "wrong#";

/// The most clients that are known by name, so that the item stays small.
const MOST_CLIENTS: usize = 50;

/// What is known of the guesses at a destination or at a known device.
#[derive(Clone, Debug, Default)]
pub(super) struct PastGuesses {
    pub(super) guesses: Guesses,
    /// Who made wrong guesses, as attributes.
    guessers: Vec<String>,
}

/// The sort key of what is counted of a device.
pub(super) fn of_device(device: &str) -> String {
    format!("device#{device}")
}

/// The key of the item that counts the guesses at a challenge.
pub(super) fn key_of(challenge: &Challenge) -> Item {
    let to = &challenge.destination;
    match &challenge.device {
        Some(device) => key(to, of_device(&device.name())),
        None => key_at(to),
    }
}

/// The key of the item that counts the guesses at a destination.
pub(super) fn key_at(to: &Destination) -> Item {
    key(to, SORT_KEY)
}

impl PastGuesses {
    pub(super) fn read(item: &Item) -> Result<Self, Fault> {
        let mut past = Self {
            guesses: Guesses {
                counted: count(item, "guesses")?,
                open: Vec::new(),
                guessed_at: optional_time(item, "guessed_at")?,
            },
            guessers: Vec::new(),
        };
        for name in item.keys() {
            if let Some(id) = name.strip_prefix(LEFT) {
                past.guesses.open.push(OpenGuesses {
                    challenge: id.to_owned(),
                    left: count(item, name)?,
                    ends_at: optional_time(item, &format!("{ENDS}{id}"))?
                        .ok_or_else(|| malformed(ENDS))?,
                });
            } else if name.starts_with(WRONG) {
                past.guessers.push(name.clone());
            }
        }
        Ok(past)
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

/// Takes off the wrong guesses of a client, which returned the code of this challenge.
/// Strangers' guesses stay.
pub(super) fn take_off(
    challenge: &Challenge,
    client: &str,
    now: UnixTime,
    table: &Table,
) -> Result<TransactWriteItem, BuildError> {
    let mut update = Clauses::default();
    let sweep = sweep_after(now.plus(Guesses::MEMORY));
    update.set("expires_at_seconds", sweep);
    let own = update.name(format!("{WRONG}{client}"));
    let zero = update.value(number(0));
    update.set.push(format!(
        "guesses = if_not_exists(guesses, {zero}) - if_not_exists({own}, {zero})"
    ));
    update.remove.push(own);
    // Nobody can guess at a used challenge. Its attempts are settled with the next issue.
    let id = challenge.id.as_str();
    let (end, left) = (
        update.name(format!("{ENDS}{id}")),
        update.name(format!("{LEFT}{id}")),
    );
    update.set.push(format!("{end} = {zero}"));
    update
        .set
        .push(format!("{left} = if_not_exists({left}, {zero})"));
    update.update(key_at(&challenge.destination), table)
}
