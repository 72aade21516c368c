//! Guesses: counted, and then compared.

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{ReturnValue, TransactWriteItem},
};
use otp_domain::{
    Challenge, ChallengeId, ClientAddress, Destination, DigestKey, Limit, OperationId, Purpose,
    Refusal, UnixTime, WayName,
};

use super::{
    Ledger, challenge,
    entry::{Entry, add, counter},
    guesses,
    history::Return,
    page::{FIRST, partition, record_conversion},
};
use crate::{
    Error, ErrorKind,
    fault::{Dependency, Fault},
    keys::{DigestKeys, HeldKeys},
    table::{
        Clauses, Item, Table,
        attributes::{key_in, millis, number, sweep_after, text},
        until_settled,
    },
};

const OPERATION: &str = "UpdateItem";

/// A guess that asks to be compared with a code.
pub struct Guess<'a> {
    /// The destination that the client claims.
    pub destination: &'a Destination,
    /// What the code is for.
    pub purpose: &'a Purpose,
    /// The challenge that the guess answers. Without it, the guess answers the newest
    /// live one of the destination's logins.
    pub challenge: Option<&'a ChallengeId>,
    /// The client that guesses.
    pub client: &'a ClientAddress,
    /// The limit of the client's guesses.
    pub limit: &'a Limit,
    /// The number of digits of the guess. Only a code of as many can be right.
    pub digits: u8,
    /// The attempts at a challenge.
    pub max_attempts: u8,
    /// When the guess arrived.
    pub at: UnixTime,
}

/// A guess that has spent its attempt: it permits one comparison.
pub struct ChargedGuess<'a> {
    /// The challenge.
    pub challenge: Challenge,
    /// The digest key of the challenge.
    pub key: &'a DigestKey,
    /// The name of the client at the destination.
    client: String,
    /// The pages that count the challenge's messages.
    message_pages: Vec<String>,
    /// The ways that the code has travelled.
    ways: Vec<WayName>,
    table: Table,
}

impl ChargedGuess<'_> {
    /// Counts the guess as a wrong one, at the destination or at the known device that
    /// requested the challenge. A later code is longer for it.
    ///
    /// # Errors
    ///
    /// The table is unreachable. The attempt stays spent.
    pub async fn record_wrong(&self, now: UnixTime) -> Result<(), Fault> {
        let (challenge, table) = (&self.challenge, &self.table);
        let key = guesses::key_of(challenge);
        guesses::record_wrong(key, &challenge.id, &self.client, now, table).await
    }

    /// What a right code changes beside the user: its challenge is used, and was not before; its messages are
    /// off their conversion guard, and its destination is proven. With `takes_off`, the wrong
    /// guesses of its client or device are taken off.
    pub(crate) fn returns(
        &self,
        now: UnixTime,
        takes_off: bool,
    ) -> Vec<Result<TransactWriteItem, BuildError>> {
        let (challenge, table) = (&self.challenge, &self.table);
        let mut used = Clauses::default();
        challenge::used(now, &mut used);
        let key = challenge::key_of(&challenge.destination, &challenge.purpose, &challenge.id);
        let returned = Return {
            challenge,
            ways: &self.ways,
            client: &self.client,
            takes_off,
            at: now,
        };
        let mut marks: Vec<&str> = self.message_pages.iter().map(String::as_str).collect();
        marks.sort_unstable();
        let pages = marks.chunk_by(|one, other| page_of(one) == page_of(other));
        let conversions = pages.filter_map(|marks| {
            let firsts = marks.iter().filter(|mark| mark.ends_with(FIRST));
            let [all, firsts] =
                [marks.len(), firsts.count()].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
            let page = page_of(marks.first()?)?;
            Some(record_conversion(page, all, firsts, table, now))
        });
        let conversions: Vec<_> = conversions.collect();
        [used.update(key, table)]
            .into_iter()
            .chain(returned.writes(table))
            .chain(conversions)
            .collect()
    }
}

/// The partition in the mark of a message.
fn page_of(mark: &str) -> Option<&str> {
    mark.split_once('|').map(|(partition, _)| partition)
}

/// Why a guess of another length than the code's is refused.
const WRONG_LENGTH: &str = "wrong number of digits";

/// What stands after a guess has asked for an attempt.
enum Attempt {
    /// The guess has spent one, and may have spent the same before.
    Spent { item: Item, before: bool },
    /// It has not. The challenge as it stands, if there is one.
    Refused(Option<Box<Challenge>>),
}

impl Ledger {
    /// Spends an attempt of the challenge that a guess answers, before any comparison.
    /// Of all operations, at most the challenge's attempts get it. An operation that has
    /// spent its attempt gets the challenge again. `operation` names the guess at a
    /// challenge, or is `None` if the guess is not the form of a code: that spends
    /// nothing.
    ///
    /// A guess by the client that requested the challenge is bounded by that client's
    /// logins times the attempts, so it needs no count of its own. Every other guess is
    /// counted against its client, before it is known whether it is right.
    ///
    /// A redeemed challenge may still be returned; redeeming it again fails.
    ///
    /// # Errors
    ///
    /// Refused if the challenge was never issued, is expired, or has no attempts left,
    /// or if the client's limit refuses. A fault if the table or a key is unreachable;
    /// the attempt may still be spent.
    pub async fn charge<'a>(
        &self,
        guess: &Guess<'_>,
        keys: &'a DigestKeys,
        operation: Option<impl Fn(&HeldKeys<'_>, &ChallengeId) -> OperationId>,
    ) -> Result<ChargedGuess<'a>, Error> {
        let limit = guess.limit;
        if let Some(full) = self.memory.recall(&limit.scope, limit.name, 0, guess.at) {
            return Err(full.refusal(guess.at).into());
        }
        let (charged, is_bounded) = match self.spend(guess, keys, operation).await {
            Ok((charged, before)) => {
                let challenge = &charged.challenge;
                let is_own = challenge.is_requested_by(guess.client, charged.key);
                // The guesses at a known device's challenges are counted at the device.
                let is_bounded = (is_own || challenge.device.is_some()) && !before;
                (Ok(charged), is_bounded)
            }
            Err(error) if matches!(error.kind, ErrorKind::Refused(_)) => (Err(error), false),
            Err(fault) => return Err(fault),
        };
        if !is_bounded {
            self.count_guess(limit, guess.at).await?;
        }
        charged
    }

    /// Spends the attempt. Returns whether the same operation has spent it before.
    async fn spend<'a>(
        &self,
        guess: &Guess<'_>,
        keys: &'a DigestKeys,
        operation: Option<impl Fn(&HeldKeys<'_>, &ChallengeId) -> OperationId>,
    ) -> Result<(ChargedGuess<'a>, bool), Error> {
        // An unavailable key must not cost an attempt.
        let held = keys.held().await?;
        let operation = operation.ok_or(Refusal::InvalidOtp(WRONG_LENGTH))?;
        let operation = |id: &ChallengeId| operation(&held, id);
        let (id, is_own) = if let Some(id) = guess.challenge {
            (id.clone(), true)
        } else {
            // Where no code is live, the same calls follow: their time tells nobody that
            // somebody is logging in.
            let newest = self.find_newest(guess, &operation, keys, &held).await?;
            newest.unwrap_or_else(|| (ChallengeId::of_none(), false))
        };
        let operation = operation(&id);
        // A stranger's guess never spends the last attempt.
        let attempts = guess.max_attempts - u8::from(!is_own);
        let attempt = || self.spend_attempt(guess, &id, attempts, &operation, &held);
        match until_settled(OPERATION, attempt).await? {
            Attempt::Spent { item, before } => {
                let challenge = challenge::challenge(&item)?;
                let key = keys.named(&challenge.key_id).await?;
                let charged = ChargedGuess {
                    client: key.client_at(guess.destination, guess.client),
                    key,
                    challenge,
                    message_pages: challenge::message_pages(&item),
                    ways: challenge::ways(&item),
                    table: self.table.clone(),
                };
                Ok((charged, before))
            }
            Attempt::Refused(stands) => {
                let client = held.current.client_at(guess.destination, guess.client);
                let key = guesses::key_at(guess.destination);
                let none = ChallengeId::of_none();
                guesses::record_wrong(key, &none, &client, guess.at, &self.table).await?;
                Err(refused(stands.as_deref(), guess, &held))
            }
        }
    }

    /// The challenge that a guess without a challenge id answers, and whether the client
    /// requested it: the one that this guess has already spent an attempt of, or else the
    /// newest live one that the client requested, or else the newest of all. A challenge
    /// of a known device answers to its id alone.
    async fn find_newest(
        &self,
        guess: &Guess<'_>,
        operation: impl Fn(&ChallengeId) -> OperationId,
        keys: &DigestKeys,
        held: &HeldKeys<'_>,
    ) -> Result<Option<(ChallengeId, bool)>, Fault> {
        let (partition, prefix) = challenge::all_of(guess.destination);
        let query = self
            .table
            .query()
            .key_condition_expression("pk = :to AND begins_with(sk, :challenge)")
            .expression_attribute_values(":to", partition)
            .expression_attribute_values(":challenge", prefix);
        let mut candidates = Vec::new();
        for item in self.table.find_all(query).await? {
            let challenge = challenge::challenge(&item)?;
            let (spent, is_repeated) = challenge::spent(&item, &operation(&challenge.id));
            let has_attempts = is_repeated || spent < usize::from(guess.max_attempts);
            if guess.at < challenge.expires_at && has_attempts && challenge.device.is_none() {
                let is_held = held.missing.is_none() || challenge.key_id == *held.current.id();
                let is_own = is_held && {
                    let key = keys.named(&challenge.key_id).await?;
                    challenge.is_requested_by(guess.client, key)
                };
                let rank = (is_repeated, is_own, challenge.issued_at);
                candidates.push((rank, challenge.id));
            }
        }
        let newest = candidates.into_iter().max_by_key(|(rank, _)| *rank);
        Ok(newest.map(|((_, is_own, _), id)| (id, is_own)))
    }

    async fn spend_attempt(
        &self,
        guess: &Guess<'_>,
        id: &ChallengeId,
        attempts: u8,
        operation: &OperationId,
        held: &HeldKeys<'_>,
    ) -> Result<Attempt, Fault> {
        let mut update = Clauses::default();
        let spent = update.value(challenge::only(operation));
        update.add.push(format!("spent_by {spent}"));
        // Our clock decides expiry here: the table's TTL may delete the item days later.
        let now = update.value(millis(guess.at));
        update.conditions.push(format!("expires_at > {now}"));
        let digits = update.value(number(guess.digits));
        update.conditions.push(format!("digits = {digits}"));
        let max = update.value(number(attempts));
        let own = update.value(text(operation.as_str()));
        update.conditions.push(format!(
            "(attribute_not_exists(spent_by) OR size(spent_by) < {max} OR contains(spent_by, {own}))"
        ));
        if held.missing.is_some() {
            let key = update.value(text(held.current.id().as_str()));
            update.conditions.push(format!("key_id = {key}"));
        }
        let key = challenge::key_of(guess.destination, guess.purpose, id);
        let update = update.update_alone(key, &self.table);
        let answer = update.return_values(ReturnValue::AllOld).send().await;
        let error = match answer {
            Ok(output) => {
                let item = output.attributes.unwrap_or_default();
                let (_, before) = challenge::spent(&item, operation);
                return Ok(Attempt::Spent { item, before });
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                let stands = failed.item().map(challenge::challenge);
                Ok(Attempt::Refused(stands.transpose()?.map(Box::new)))
            }
            _ => Err(Fault::from_sdk(Dependency::Table, OPERATION, &error)),
        }
    }

    /// Counts a guess against its client's limit. A limit that refuses is remembered.
    async fn count_guess(&self, limit: &Limit, now: UnixTime) -> Result<(), Error> {
        let attempt = || async {
            let counted = count_request(limit, now, &self.table).send().await;
            let Err(error) = counted else {
                return Ok(true);
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(Fault::from_sdk(Dependency::Table, OPERATION, &error)),
            }
        };
        if until_settled(OPERATION, attempt).await? {
            return Ok(());
        }
        let full = limit.full(now);
        self.memory.remember(&full, now);
        Err(full.refusal(now).into())
    }
}

/// The count of one request of a client, on condition that its limit has room.
pub(super) fn count_request(
    limit: &Limit,
    now: UnixTime,
    table: &Table,
) -> UpdateItemFluentBuilder {
    let mut update = Clauses::default();
    let count = update.name(counter(limit, now));
    add(&mut update, &count, 1, limit.max);
    let sweep = sweep_after(limit.window_end(now));
    update.set("expires_at_seconds", sweep);
    let (_, sort) = Entry::Window(limit).home(now);
    update.update_alone(key_in(partition(&limit.scope, 0), sort), table)
}

/// Why no attempt was spent: a refusal, or a fault if the challenge may be good and
/// its key is out of reach. Only the log gets the reason.
fn refused(challenge: Option<&Challenge>, guess: &Guess<'_>, held: &HeldKeys<'_>) -> Error {
    let is_live = challenge.is_some_and(|it| guess.at < it.expires_at);
    let is_under_current = challenge.is_some_and(|it| it.key_id == *held.current.id());
    if let Some(missing) = &held.missing
        && is_live
        && !is_under_current
    {
        return missing.clone().into();
    }
    Refusal::InvalidOtp(match challenge {
        None if guess.challenge.is_none() => "no live challenge",
        None => "unknown challenge",
        Some(_) if !is_live => "expired challenge",
        Some(challenge) if challenge.digits != guess.digits => WRONG_LENGTH,
        Some(_) => "no attempts left",
    })
    .into()
}
