//! What an admission is taken back by.

use super::{
    AdmissionRules, Issue, Ledger, Send,
    challenge::SPENT_BY,
    entry::{Entry, Owed, Sent, Undo},
    page::Page,
    replay::request_key,
};
use crate::{
    fault::Fault,
    table::{Clauses, Written, within_budget},
};
use aws_sdk_dynamodb::types::CancellationReason;

/// An admitted login.
pub struct Receipt<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) send: &'a Send<'a>,
    pub(super) pages: Vec<Page<'a>>,
    pub(super) rules: &'a AdmissionRules<'a>,
}

impl Receipt<'_> {
    /// The number of digits of the code: more, if there were many guesses at the
    /// destination. A code that is sent again, that of a known device, and a fixed one
    /// do not grow.
    #[must_use]
    pub fn digits(&self) -> u8 {
        let (challenge, policy) = (self.send.challenge, self.rules.policy);
        let grows = challenge.device.is_none() && !challenge.is_fixed;
        let mut pasts = self.pages.iter().filter_map(Page::guesses);
        match pasts.next() {
            Some(past) if grows && self.send.issue == Issue::New => {
                let at_risk = past.guesses.at_risk(self.send.at);
                policy.digits(at_risk.saturating_add(u32::from(policy.max_attempts)))
            }
            _ => challenge.digits,
        }
    }

    /// What the parts of the admission tell each other.
    pub(super) fn sent(&self) -> Sent {
        let marks = self.pages.iter().filter_map(|page| page.mark(self.send.id));
        Sent {
            counted_at: marks.collect(),
            digits: self.digits(),
            owed: self.owed(),
            way: self.send.way.cloned(),
        }
    }

    /// What the networks of the client owe, as far as it is known.
    pub(super) fn owed(&self) -> Owed {
        let networks = self.pages.iter().map(Page::owed);
        let most = networks.max_by_key(|owed| (owed.messages, owed.allowance));
        most.unwrap_or_default()
    }

    /// Takes the admission back after a failed delivery: removes the challenge,
    /// refunds its send on every refundable counter, and ends its cooldown.
    ///
    /// If someone guessed at the challenge meanwhile, only the challenge is
    /// removed, and its send stays counted.
    ///
    /// # Errors
    ///
    /// The table is unreachable. The challenge and its counts may remain.
    pub async fn withdraw(&self) -> Result<(), Fault> {
        let undone = within_budget("withdraw", self.undo_as_far_as_possible()).await;
        self.forget_refusals();
        undone
    }

    /// Ends the challenge of a destination that the provider refused, and frees its
    /// idempotency key: a repeat would wait for a message that never comes. The
    /// counts and the cooldown stay. Without a key, there is nothing to do: nobody
    /// knows the challenge.
    ///
    /// # Errors
    ///
    /// The table is unreachable. The key may remain until the code has expired.
    pub async fn void(&self) -> Result<(), Fault> {
        if self.rules.key.is_none() {
            return Ok(());
        }
        let ended = async { self.undo(Undo::Challenge).await.map(|_| ()) };
        within_budget("withdraw", ended).await
    }

    async fn undo_as_far_as_possible(&self) -> Result<(), Fault> {
        // If a later send replaced the cooldown, only the counts are undone.
        for undo in [Undo::All, Undo::Counts] {
            match self.undo(undo).await? {
                Written::Committed => return Ok(()),
                Written::Cancelled(reasons) if is_guessed(&reasons) => break,
                Written::Cancelled(_) => {}
            }
        }
        self.undo(Undo::Challenge).await.map(|_| ())
    }

    /// Takes back, and frees the idempotency key, so that a retry is a new request.
    /// The challenge comes first.
    async fn undo(&self, undo: Undo) -> Result<Written, Fault> {
        let table = &self.ledger.table;
        let pages = self.pages.iter().rev();
        let sent = self.sent();
        let actions = pages.filter_map(|page| page.undo(undo, &sent, table));
        let key = self.rules.key.iter();
        let key = key.map(|key| request_key(&self.send.challenge.destination, key));
        let free = key.map(|key| Clauses::default().delete(key, table));
        let name = match undo {
            Undo::All => "all",
            Undo::Counts => "counts",
            Undo::Challenge => "end",
        };
        let token = format!("{name}-{}", self.send.id);
        table.transact(&token, actions.chain(free)).await
    }

    /// Forgets the limits in which a withdrawn login makes room.
    fn forget_refusals(&self) {
        for entry in self.pages.iter().flat_map(|page| &page.entries) {
            if matches!(entry, Entry::Window(limit) if !limit.refundable) {
                continue;
            }
            if let Some((scope, name)) = entry.name() {
                self.ledger.memory.forget(&scope, name);
            }
        }
    }
}

/// Whether somebody has guessed at the challenge, which the first action removes.
fn is_guessed(reasons: &[CancellationReason]) -> bool {
    let challenge = reasons.first().and_then(CancellationReason::item);
    challenge.is_some_and(|item| item.contains_key(SPENT_BY))
}
