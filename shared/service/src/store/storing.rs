//! The challenges of a mailbox and a UTC day, in the item that counts its sends.

use otp_domain::{Challenge, ChallengeId, UnixTime};

use super::{Item, clauses::Clauses, item};
use crate::fault::Fault;

/// The most challenges of an item before a login drops those that have expired. Each
/// takes about 350 bytes, and the user's claims. A write costs by the size of its item.
const MOST: i64 = 4;

/// The most challenges that one login drops. An expression has at most 4 KB.
const MOST_DROPPED: usize = 25;

/// A challenge that is stored beside the counters of its mailbox.
pub(super) struct Storing<'a> {
    challenge: &'a Challenge,
    dropping: Option<Dropping>,
}

/// What makes room in an item that holds many challenges.
struct Dropping {
    /// How many the item said it held.
    held: i64,
    expired: Vec<ChallengeId>,
    /// How many it holds without those.
    left: usize,
}

impl<'a> Storing<'a> {
    pub(super) const fn of(challenge: &'a Challenge) -> Self {
        Self {
            challenge,
            dropping: None,
        }
    }

    /// When the challenge expires.
    pub(super) const fn expires_at(&self) -> UnixTime {
        self.challenge.expires_at
    }

    /// Stores the challenge, with the key of the guard's counter that counts its
    /// message. The condition is that the item holds few challenges, or still as many
    /// as when it was judged.
    pub(super) fn store(&self, conversion_counter: Option<Item>, update: &mut Clauses) {
        let name = update.name(item::challenge_name(&self.challenge.id));
        let value = update.value(item::from_challenge(self.challenge, conversion_counter));
        update.set.push(format!("{name} = {value}"));
        let Some(dropping) = &self.dropping else {
            let one = update.value(item::number(1));
            let most = update.value(item::number(MOST));
            update.add.push(format!("challenges {one}"));
            update.conditions.push(format!(
                "(attribute_not_exists(challenges) OR challenges < {most})"
            ));
            return;
        };
        for id in &dropping.expired {
            remove(id, update);
        }
        let holds = update.value(item::number(dropping.left + 1));
        update.set.push(format!("challenges = {holds}"));
        let held = update.value(item::number(dropping.held));
        update.conditions.push(format!("challenges = {held}"));
    }

    /// Judges an item that refused the challenge: whether it holds too many.
    pub(super) fn judge(&mut self, stands: &Item) -> Result<(), Fault> {
        self.dropping = None;
        let held = item::count(stands, "challenges")?;
        if held < MOST {
            return Ok(());
        }
        let now = self.challenge.issued_at;
        let challenges = item::challenges(stands)?;
        let all = challenges.len();
        let expired = challenges
            .into_iter()
            .filter(|challenge| challenge.is_over_everywhere(now));
        let expired: Vec<_> = expired.map(|it| it.id).take(MOST_DROPPED).collect();
        self.dropping = Some(Dropping {
            held,
            left: all - expired.len(),
            expired,
        });
        Ok(())
    }

    /// Removes the challenge again, on condition that nobody has guessed at it. A send
    /// with guesses stays counted; otherwise failing deliveries would add guesses that
    /// no limit bounds.
    pub(super) fn withdraw(&self, update: &mut Clauses) {
        self.end(update);
        let name = update.name(item::challenge_name(&self.challenge.id));
        update.conditions.push(format!("attribute_exists({name})"));
        let spent = update.name(item::spent_name(&self.challenge.id));
        update
            .conditions
            .push(format!("attribute_not_exists({spent})"));
    }

    /// Removes the challenge, and its attempts.
    pub(super) fn end(&self, update: &mut Clauses) {
        let minus_one = update.value(item::number(-1));
        update.add.push(format!("challenges {minus_one}"));
        remove(&self.challenge.id, update);
    }

    /// Whether somebody has guessed at the challenge, in the item as it stands.
    pub(super) fn is_guessed(&self, stands: &Item) -> bool {
        stands.contains_key(&item::spent_name(&self.challenge.id))
    }
}

/// Removes a challenge, and its attempts.
fn remove(id: &ChallengeId, update: &mut Clauses) {
    for name in [item::challenge_name(id), item::spent_name(id)] {
        let name = update.name(name);
        update.remove.push(name);
    }
}
