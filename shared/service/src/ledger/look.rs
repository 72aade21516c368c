use otp_domain::{Challenge, ChallengeId, Destination, Purpose, Scope, UnixTime};
use rand::CryptoRng;

use super::{
    Ledger, StrangerRules, challenge, guesses,
    history::{self, History},
    page::{Page, partition},
};
use crate::{
    fault::Fault,
    table::{Item, attributes::key_in},
};

/// What a login finds of its destination before it asks to be admitted.
#[derive(Default)]
pub struct Seen {
    /// The item that was asked for beside; empty if there is none.
    pub beside: Item,
    /// The past of the destination.
    pub past: Counted,
    /// The challenge that the client names, if its code can be sent again.
    pub challenge: Option<Challenge>,
}

/// What was counted before.
#[derive(Default)]
pub struct Counted {
    /// The codes of the destination.
    pub history: History,
    pub(super) looked: Vec<Looked>,
}

/// What to look at beside the past of a destination.
pub struct Look<'a> {
    /// Another item.
    pub beside: Item,
    /// The challenge that the client names.
    pub named: Option<(&'a Purpose, &'a ChallengeId)>,
    /// The attempts at a challenge.
    pub attempts: u8,
    /// What counts the message if a stranger asks for it.
    pub strangers: Option<&'a StrangerRules>,
    /// The time.
    pub at: UnixTime,
}

/// An item that was looked at, by its page.
pub(super) struct Looked {
    pub(super) scope: Scope,
    pub(super) sort: String,
    pub(super) shard: u32,
    pub(super) item: Item,
}

impl Ledger {
    /// Looks at the past of a destination, at the item `beside` it, at what strangers have
    /// asked for, and at the challenge that a client names, in one call.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn look(
        &self,
        to: &Destination,
        look: Look<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Seen, Fault> {
        let own = [history::SORT_KEY, guesses::SORT_KEY];
        let own = own.map(|sort| (Scope::Destination(to.clone()), sort.to_owned(), 0));
        let strangers = look.strangers.into_iter().flat_map(StrangerRules::entries);
        let strangers = Page::of(strangers, look.at, rng);
        let pages: Vec<_> = own
            .into_iter()
            .chain(strangers.iter().map(Page::look))
            .collect();
        let keys = pages
            .iter()
            .map(|(scope, sort, shard)| key_in(partition(scope, *shard), &**sort));
        let named = look
            .named
            .map(|(purpose, id)| challenge::key_of(to, purpose, id));
        let wanted = [look.beside].into_iter().chain(keys).chain(named);
        let mut found = self.table.get_all(wanted.collect()).await?.into_iter();
        let beside = found.next().unwrap_or_default();
        let looked = pages.into_iter().zip(found.by_ref());
        let looked: Vec<_> = looked
            .map(|((scope, sort, shard), item)| Looked {
                scope,
                sort,
                shard,
                item,
            })
            .collect();
        let history = looked.first().map(|it| History::read(&it.item));
        Ok(Seen {
            beside,
            past: Counted {
                history: history.transpose()?.unwrap_or_default(),
                looked,
            },
            challenge: found
                .next()
                .map_or(Ok(None), |item| sendable(&item, look.attempts))?,
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
