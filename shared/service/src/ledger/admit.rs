use aws_sdk_dynamodb::{
    config::Builder, operation::update_item::UpdateItemError, types::CancellationReason,
};
use aws_smithy_types::retry::RetryConfig;
use otp_domain::{FullLimit, LimitKind, Mark, Refusal, Scope, UnixTime};
use rand::CryptoRng;

use super::{
    AdmissionRules, Issue, Ledger, Part, Receipt, ReplayedLogin, Send, SentMessage, StrangerRules,
    asked_for,
    entry::{COOLDOWN, Entry, Owed, Renewal},
    guess::count_request,
    page::Page,
    replay::put_request,
    shards::Shard,
};
use crate::{
    Error,
    fault::Fault,
    table::{Item, Written, condition_failed, fault, within_budget},
};

/// A login that is not refused.
pub enum Admitted<'a> {
    /// It is new: send its code.
    New(Receipt<'a>),
    /// The client retried it: its code was sent before.
    Replayed(ReplayedLogin),
    /// Nothing is written: what it brought does not count now.
    Outdated(Outdated),
}

/// What a login brought, and what does not count any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outdated {
    /// The challenge: it was used, removed, or has no attempt left.
    Challenge,
    /// The known device: there were too many wrong guesses at its challenges.
    Device,
}

/// What became of a login that asked to be admitted.
enum Decision {
    Admitted,
    /// It is the repeat of an earlier request.
    Replayed(ReplayedLogin),
    /// What it brought does not count now.
    Outdated(Outdated),
    /// No way to the destination is left.
    Undeliverable(Mark),
    /// These limits refuse it.
    Refused(Vec<FullLimit>),
}

impl Ledger {
    /// Stores a fresh challenge, or renews one, and counts the message against every
    /// limit, in one transaction.
    ///
    /// # Errors
    ///
    /// Refused if no way to the destination is left, or if a limit is reached; of several limits, the one that lasts
    /// longest is named, and of limits that are known to refuse, one that lasts
    /// longest of those. A fault if the table is broken.
    pub async fn admit<'a>(
        &'a self,
        send: &'a Send<'a>,
        rules: &'a AdmissionRules<'a>,
        rng: &mut impl CryptoRng,
    ) -> Result<Admitted<'a>, Error> {
        let mut receipt = Receipt {
            ledger: self,
            send,
            pages: Page::of(rules.entries(send), send.at, rng),
            rules,
        };
        receipt.learn_past()?;
        match within_budget("admit", receipt.decide()).await? {
            Decision::Admitted => Ok(Admitted::New(receipt)),
            Decision::Replayed(earlier) => {
                self.count_against_client(rules, send.at).await;
                Ok(Admitted::Replayed(earlier))
            }
            Decision::Outdated(what) => Ok(Admitted::Outdated(what)),
            Decision::Undeliverable(mark) => {
                Err(self.refuse_undeliverable(mark, send, rules).await)
            }
            Decision::Refused(limits) => Err(self.refuse(limits, rules, send.at).await),
        }
    }

    /// Refuses a login that is known to be over a limit of its own, before anything is read.
    ///
    /// # Errors
    ///
    /// Refused; of the limits that are known to refuse, the one that lasts longest is named.
    pub async fn recall(
        &self,
        rules: &AdmissionRules<'_>,
        asked_for: &Scope,
        now: UnixTime,
    ) -> Result<(), Error> {
        // A repeat under an idempotency key may still get its answer.
        if rules.key.is_some() {
            return Ok(());
        }
        let limits = rules.limits.iter().map(|limit| (&limit.scope, limit.name));
        let all = limits.chain([(asked_for, COOLDOWN)]);
        let known = all.filter_map(|(scope, name)| self.memory.recall(scope, name, 0, now));
        let known: Vec<FullLimit> = known.collect();
        if known.is_empty() {
            return Ok(());
        }
        Err(self.refuse(known, rules, now).await)
    }

    /// Remembers the limits that refuse, and counts the request against its client.
    /// Returns the refusal that lasts longest.
    async fn refuse(
        &self,
        mut limits: Vec<FullLimit>,
        rules: &AdmissionRules<'_>,
        now: UnixTime,
    ) -> Error {
        for limit in &limits {
            self.memory.remember(limit, now);
        }
        if limits.iter().all(|limit| limit.kind != LimitKind::Client) {
            limits.extend(self.count_against_client(rules, now).await);
        }
        let longest = limits.iter().max_by_key(|limit| limit.ends_at);
        longest.map_or_else(
            || fault("admit", "refused without a limit").into(),
            |limit| limit.refusal(now).into(),
        )
    }

    /// Counts the request against its client. Returns why it is refused.
    async fn refuse_undeliverable(
        &self,
        mark: Mark,
        send: &Send<'_>,
        rules: &AdmissionRules<'_>,
    ) -> Error {
        let kind = send.challenge.destination.kind();
        let refusal = Refusal::DestinationUndeliverable(kind, mark);
        let full = self.count_against_client(rules, send.at).await;
        full.map_or(refusal, |full| full.refusal(send.at)).into()
    }

    /// Counts a request that is not admitted against its client. Returns the client's
    /// limit if it is full. The request is answered even if the table cannot count it.
    ///
    /// It is sent once: a repeat might count twice, and nobody waits for it.
    async fn count_against_client(
        &self,
        rules: &AdmissionRules<'_>,
        now: UnixTime,
    ) -> Option<FullLimit> {
        let mut limits = rules.limits.iter();
        let limit = limits.find(|limit| matches!(limit.scope, Scope::Client(_)))?;
        let memory = &self.memory;
        if let Some(known) = memory.recall(&limit.scope, limit.name, limit.kept, now) {
            return Some(known);
        }
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let count = count_request(limit, now, &self.table);
        let error = count.customize().config_override(once).send().await.err()?;
        let is_full = matches!(
            error.as_service_error(),
            Some(UpdateItemError::ConditionalCheckFailedException(_))
        );
        is_full.then(|| {
            let full = limit.full(now);
            memory.remember(&full, now);
            full
        })
    }
}

impl<'a> AdmissionRules<'a> {
    /// All that a send counts.
    fn entries(&'a self, send: &'a Send<'a>) -> Vec<Entry<'a>> {
        let strangers = self.guard.iter().flat_map(StrangerRules::entries);
        let mut entries: Vec<_> = strangers.collect();
        entries.extend(self.limits.iter().map(Entry::of));
        own_entries(send, self, &mut entries);
        entries
    }
}

/// What a send counts at its destination, at the device and at the challenge.
fn own_entries<'a>(
    send: &'a Send<'a>,
    rules: &'a AdmissionRules<'a>,
    entries: &mut Vec<Entry<'a>>,
) {
    let (challenge, attempts) = (send.challenge, rules.policy.max_attempts);
    let to = &challenge.destination;
    if send.part != Part::Message && !rules.policy.cooldown.is_zero() {
        let scope = asked_for(to, send.device.as_deref());
        entries.push(Entry::Cooldown(scope, rules.policy.cooldown));
    }
    // A fixed code does not grow.
    if send.part != Part::Message && !challenge.is_fixed {
        match send.issue {
            Issue::New => entries.push(Entry::Guesses(challenge, attempts)),
            Issue::Again(Some(until)) => entries.push(Entry::Extended(challenge, until)),
            Issue::Again(None) => {}
        }
    }
    if send.part != Part::Request && send.device.is_none() {
        entries.push(Entry::Asked(to, send.client));
    }
    if send.part != Part::Request
        && let Some(way) = send.way
    {
        let message = SentMessage::asked(send, way);
        entries.push(Entry::Message(to, message));
    }
    if !rules.ways.is_empty() {
        entries.push(Entry::Reachable(to, &rules.ways));
    }
    entries.push(match (send.issue, send.part) {
        (Issue::New, Part::Both | Part::Request) => Entry::Code(challenge),
        (Issue::Again(until), Part::Both | Part::Request) => {
            Entry::Again(challenge, Renewal { until, attempts })
        }
        (_, Part::Message) => {
            let until = None;
            Entry::Again(challenge, Renewal { until, attempts })
        }
    });
}

impl Receipt<'_> {
    const fn now(&self) -> UnixTime {
        self.send.at
    }

    /// Learns what was looked at before.
    fn learn_past(&mut self) -> Result<(), Fault> {
        for looked in self.send.past.iter().flat_map(|past| &past.looked) {
            let owed = self.owed();
            for page in &mut self.pages {
                page.looked_at(looked, owed)?;
            }
        }
        Ok(())
    }

    /// Decides by memory if a limit is known to refuse, otherwise by the table.
    async fn decide(&mut self) -> Result<Decision, Fault> {
        let known = self.known_to_refuse().await?;
        if known.is_empty() {
            return self.try_shards().await;
        }
        let to = &self.send.challenge.destination;
        let earlier = self.ledger.find_replay(to, self.rules, self.now()).await?;
        Ok(earlier.map_or(Decision::Refused(known), Decision::Replayed))
    }

    /// The limits that are known to refuse this login. A guard that refused lately
    /// is read again, because a code that comes back makes room in it at once.
    async fn known_to_refuse(&mut self) -> Result<Vec<FullLimit>, Fault> {
        let (now, memory, owed) = (self.now(), &self.ledger.memory, self.owed());
        let recall = |entry: &Entry<'_>| {
            let (scope, name) = entry.name()?;
            memory.recall(&scope, name, entry.kept(owed), now)
        };
        let (guards, others): (Vec<_>, Vec<_>) = self
            .pages
            .iter()
            .flat_map(|page| &page.entries)
            .partition(|entry| matches!(entry, Entry::Guard(_)));
        let known: Vec<FullLimit> = others.into_iter().filter_map(recall).collect();
        let is_closed = guards.into_iter().any(|guard| recall(guard).is_some());
        let is_lost = self.pages.iter().any(Page::is_lost);
        if !known.is_empty() || !(is_closed || is_lost) {
            return Ok(known);
        }
        let page = self.pages.iter_mut().find(|page| page.is_guarded());
        let Some(page) = page else {
            return Ok(Vec::new());
        };
        let unknown = vec![page.unknown()];
        read(self.ledger, std::slice::from_mut(page), unknown, owed).await?;
        Ok(page.move_on().into_iter().collect())
    }

    /// Tries until the admission is written or decided otherwise. If a counter is
    /// full, it reads the others and tries those with room.
    async fn try_shards(&mut self) -> Result<Decision, Fault> {
        let mut attempt = 0;
        loop {
            let table = &self.ledger.table;
            let request = self.rules.key.iter();
            let request = request.map(|key| put_request(key, self.send, self.digits(), table));
            let sent = self.sent();
            let counts = self.pages.iter().map(|page| page.count(&sent, table));
            let token = format!("{}{}-{attempt}", self.send.part.as_str(), self.send.id);
            let written = table.transact(&token, request.chain(counts)).await?;
            let Written::Cancelled(reasons) = written else {
                return Ok(Decision::Admitted);
            };
            if let Some(earlier) = self.learn(&reasons)? {
                return Ok(Decision::Replayed(earlier));
            }
            if let Some(what) = self.pages.iter().find_map(Page::outdated) {
                return Ok(Decision::Outdated(what));
            }
            if let Some(mark) = self.pages.iter().find_map(Page::undeliverable) {
                return Ok(Decision::Undeliverable(mark));
            }
            // Until every shard is known, it is unknown what lasts longest.
            let unread = self.pages.iter().map(Page::unread).collect();
            let owed = self.owed();
            read(self.ledger, &mut self.pages, unread, owed).await?;
            let refusals = self.pages.iter_mut().filter_map(Page::move_on);
            let refusals: Vec<FullLimit> = refusals.collect();
            if !refusals.is_empty() {
                return Ok(Decision::Refused(refusals));
            }
            attempt += 1;
        }
    }

    /// Learns which pages are full. A retried request is recognised first, whatever
    /// limits it would meet now.
    fn learn(&mut self, reasons: &[CancellationReason]) -> Result<Option<ReplayedLogin>, Fault> {
        let mut failed = reasons
            .iter()
            .map(|reason| condition_failed(reason).then_some(reason));
        if self.rules.key.is_some()
            && let Some(request) = failed.next().flatten()
        {
            let missing = || fault("admit", "no earlier request returned");
            let earlier = request.item().ok_or_else(missing)?;
            return ReplayedLogin::read(earlier).map(Some);
        }
        // The networks come first, and say what is open to them in what follows.
        for (nth, reason) in failed.enumerate() {
            let owed = self.owed();
            if let (Some(page), Some(reason)) = (self.pages.get_mut(nth), reason) {
                page.refused(reason.item(), owed)?;
            }
        }
        Ok(None)
    }
}

/// Reads these shards of each page.
pub(super) async fn read(
    ledger: &Ledger,
    pages: &mut [Page<'_>],
    wanted: Vec<Vec<(Shard, Item)>>,
    owed: Owed,
) -> Result<(), Fault> {
    let keys = wanted.iter().flatten().map(|(_, key)| key.clone());
    let mut items = ledger.table.get_all(keys.collect()).await?.into_iter();
    for (page, wanted) in pages.iter_mut().zip(&wanted) {
        for ((shard, _), item) in wanted.iter().zip(items.by_ref()) {
            page.learn(*shard, &item, owed)?;
        }
    }
    Ok(())
}
