//! Guesses: counted, and then compared.

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{ReturnValue, TransactWriteItem},
};
use otp_domain::{
    Challenge, ChallengeId, ClientAddress, Destination, DigestKey, Limit, OperationId, Refusal,
    UnixTime,
};

use super::{
    Ledger, challenge,
    entry::{Entry, add, counter},
    page::{MessagePage, partition},
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
    /// The challenge that the guess answers. Without it, the guess answers the newest
    /// live one.
    pub challenge: Option<&'a ChallengeId>,
    /// The client that guesses.
    pub client: &'a ClientAddress,
    /// The limit of the client's guesses.
    pub limit: &'a Limit,
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
    message_page: Option<MessagePage>,
    table: Table,
}

impl ChargedGuess<'_> {
    /// Takes the message off its conversion guard, for its code came back; `None` if no
    /// guard counts it.
    pub(crate) fn record_conversion(
        &self,
        now: UnixTime,
    ) -> Option<Result<TransactWriteItem, BuildError>> {
        let page = self.message_page.as_ref()?;
        Some(page.record_conversion(&self.table, now))
    }
}

/// What stands after a guess has asked for an attempt.
enum Attempt {
    /// The guess has spent one, and may have spent the same before.
    Spent { item: Item, before: bool },
    /// It has not. The challenge as it stands, if there is one.
    Refused(Option<Challenge>),
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
        if let Some(full) = self.memory.recall(&limit.scope, limit.name, guess.at) {
            return Err(full.refusal(guess.at).into());
        }
        let (charged, is_bounded) = match self.spend(guess, keys, operation).await {
            Ok((charged, before)) => {
                let challenge = &charged.challenge;
                let is_own = challenge.is_requested_by(guess.client, charged.key);
                (Ok(charged), is_own && !before)
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
        let operation = operation.ok_or(Refusal::InvalidOtp("wrong number of digits"))?;
        let operation = |id: &ChallengeId| operation(&held, id);
        let id = match guess.challenge {
            Some(id) => Some(id.clone()),
            None => self.find_newest(guess, &operation).await?,
        };
        let id = id.ok_or(Refusal::InvalidOtp("no live challenge"))?;
        let operation = operation(&id);
        let attempt = || self.spend_attempt(guess, &id, &operation, &held);
        match until_settled(OPERATION, attempt).await? {
            Attempt::Spent { item, before } => {
                let challenge = challenge::challenge(&item)?;
                let charged = ChargedGuess {
                    key: keys.named(&challenge.key_id).await?,
                    challenge,
                    message_page: challenge::message_page(&item),
                    table: self.table.clone(),
                };
                Ok((charged, before))
            }
            Attempt::Refused(stands) => Err(refused(stands.as_ref(), &held, guess.at)),
        }
    }

    /// The challenge that a guess without a challenge id answers: the one that this
    /// guess has already spent an attempt of, or else the newest live one.
    async fn find_newest(
        &self,
        guess: &Guess<'_>,
        operation: impl Fn(&ChallengeId) -> OperationId,
    ) -> Result<Option<ChallengeId>, Fault> {
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
            if guess.at < challenge.expires_at && has_attempts {
                candidates.push((is_repeated, challenge));
            }
        }
        let newest = candidates
            .into_iter()
            .max_by_key(|(is_repeated, challenge)| (*is_repeated, challenge.issued_at));
        Ok(newest.map(|(_, challenge)| challenge.id))
    }

    async fn spend_attempt(
        &self,
        guess: &Guess<'_>,
        id: &ChallengeId,
        operation: &OperationId,
        held: &HeldKeys<'_>,
    ) -> Result<Attempt, Fault> {
        let mut update = Clauses::default();
        let spent = update.value(challenge::only(operation));
        update.add.push(format!("spent_by {spent}"));
        // Our clock decides expiry here: the table's TTL may delete the item days later.
        let now = update.value(millis(guess.at));
        update.conditions.push(format!("expires_at > {now}"));
        let max = update.value(number(guess.max_attempts));
        let own = update.value(text(operation.as_str()));
        update.conditions.push(format!(
            "(attribute_not_exists(spent_by) OR size(spent_by) < {max} OR contains(spent_by, {own}))"
        ));
        if held.missing.is_some() {
            let key = update.value(text(held.current.id().as_str()));
            update.conditions.push(format!("key_id = {key}"));
        }
        let key = challenge::key_of(guess.destination, id);
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
                Ok(Attempt::Refused(stands.transpose()?))
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
fn refused(challenge: Option<&Challenge>, held: &HeldKeys<'_>, now: UnixTime) -> Error {
    let is_live = challenge.is_some_and(|it| now < it.expires_at);
    let is_under_current = challenge.is_some_and(|it| it.key_id == *held.current.id());
    if let Some(missing) = &held.missing
        && is_live
        && !is_under_current
    {
        return missing.clone().into();
    }
    Refusal::InvalidOtp(match challenge {
        None => "unknown challenge",
        Some(_) if is_live => "no attempts left",
        Some(_) => "expired challenge",
    })
    .into()
}
