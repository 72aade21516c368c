use otp_domain::{Challenge, ChallengeId, Destination, Purpose};

use super::{
    Ledger, challenge,
    history::{self, History},
};
use crate::{
    fault::Fault,
    table::{Item, attributes::key},
};

/// What a login finds of its destination before it asks to be admitted.
#[derive(Default)]
pub struct Seen {
    /// The item that was asked for beside; empty if there is none.
    pub beside: Item,
    /// The past of the destination.
    pub history: History,
    /// The challenge that the client names, if its code can be sent again.
    pub challenge: Option<Challenge>,
}

impl Ledger {
    /// Looks at the past of a destination, at the item `beside` it, and at the challenge that
    /// a client names, in one call.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn look(
        &self,
        to: &Destination,
        beside: Item,
        named: Option<(&Purpose, &ChallengeId)>,
        attempts: u8,
    ) -> Result<Seen, Fault> {
        let history = key(to, history::SORT_KEY);
        let named = named.map(|(purpose, id)| challenge::key_of(to, purpose, id));
        let wanted = [beside, history].into_iter().chain(named);
        let mut found = self.table.get_all(wanted.collect()).await?.into_iter();
        Ok(Seen {
            beside: found.next().unwrap_or_default(),
            history: History::read(&found.next().unwrap_or_default())?,
            challenge: found
                .next()
                .map_or(Ok(None), |item| sendable(&item, attempts))?,
        })
    }

    /// The challenge that a client names, if its code can be sent again.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or the item is malformed.
    pub async fn find_named(
        &self,
        to: &Destination,
        (purpose, id): (&Purpose, &ChallengeId),
        attempts: u8,
    ) -> Result<Option<Challenge>, Fault> {
        let item = self.table.get(challenge::key_of(to, purpose, id)).await?;
        sendable(&item.unwrap_or_default(), attempts)
    }
}

/// The challenge of an item, unless it is used or has no attempt left.
fn sendable(item: &Item, attempts: u8) -> Result<Option<Challenge>, Fault> {
    if item.is_empty() || challenge::is_spent(item, attempts) {
        return Ok(None);
    }
    challenge::challenge(item).map(Some)
}
