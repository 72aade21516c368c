use aws_sdk_dynamodb::{
    config::Builder, operation::update_item::UpdateItemError, types::CancellationReason,
};
use aws_smithy_types::retry::RetryConfig;
use otp_domain::{Challenge, FullLimit, LimitKind, Scope, UnixTime};
use rand::CryptoRng;

use super::{
    AdmissionRules, Ledger, Receipt, ReplayedLogin, entry::Entry, guess::count_request, page::Page,
    replay::put_request, shards::Shard,
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
}

/// What became of a login that asked to be admitted.
enum Decision {
    Admitted,
    /// It is the repeat of an earlier request.
    Replayed(ReplayedLogin),
    /// These limits refuse it.
    Refused(Vec<FullLimit>),
}

impl Ledger {
    /// Stores a fresh challenge and counts it against every limit, in one
    /// transaction.
    ///
    /// # Errors
    ///
    /// Refused if a limit is reached; of several limits, the one that lasts
    /// longest is named, and of limits that are known to refuse, one that lasts
    /// longest of those. A fault if the table is broken.
    pub async fn admit<'a>(
        &'a self,
        challenge: &'a Challenge,
        rules: &'a AdmissionRules,
        rng: &mut impl CryptoRng,
    ) -> Result<Admitted<'a>, Error> {
        let mut receipt = Receipt {
            ledger: self,
            challenge,
            pages: Page::of_login(challenge, rules, rng),
            rules,
        };
        match within_budget("admit", receipt.decide()).await? {
            Decision::Admitted => Ok(Admitted::New(receipt)),
            Decision::Replayed(earlier) => {
                receipt.count_against_client().await;
                Ok(Admitted::Replayed(earlier))
            }
            Decision::Refused(limits) => Err(receipt.refuse(limits).await),
        }
    }
}

impl Receipt<'_> {
    const fn now(&self) -> UnixTime {
        self.challenge.issued_at
    }

    /// Decides by memory if a limit is known to refuse, otherwise by the table.
    async fn decide(&mut self) -> Result<Decision, Fault> {
        let known = self.known_to_refuse().await?;
        if known.is_empty() {
            return self.try_shards().await;
        }
        let earlier = self.ledger.find_replay(self.challenge, self.rules).await?;
        Ok(earlier.map_or(Decision::Refused(known), Decision::Replayed))
    }

    /// The limits that are known to refuse this login. A guard that refused lately
    /// is read again, because a code that comes back makes room in it at once.
    async fn known_to_refuse(&mut self) -> Result<Vec<FullLimit>, Fault> {
        let (now, memory) = (self.now(), &self.ledger.memory);
        let recall = |entry: &Entry<'_>| {
            let (scope, name) = entry.name()?;
            memory.recall(&scope, name, now)
        };
        let (guards, others): (Vec<_>, Vec<_>) = self
            .pages
            .iter()
            .flat_map(|page| &page.entries)
            .partition(|entry| matches!(entry, Entry::Guard(_)));
        let known: Vec<FullLimit> = others.into_iter().filter_map(recall).collect();
        if !known.is_empty() || !guards.into_iter().any(|guard| recall(guard).is_some()) {
            return Ok(known);
        }
        let guarded = |page: &&mut Page<'_>| page.message_page().is_some();
        let page = self.pages.iter_mut().find(guarded);
        let Some(page) = page else {
            return Ok(Vec::new());
        };
        let unknown = vec![page.unknown()];
        read(self.ledger, std::slice::from_mut(page), unknown).await?;
        Ok(page.move_on().into_iter().collect())
    }

    /// Tries until the admission is written or decided otherwise. If a counter is
    /// full, it reads the others and tries those with room.
    async fn try_shards(&mut self) -> Result<Decision, Fault> {
        let mut attempt = 0;
        loop {
            let table = &self.ledger.table;
            let request = self.rules.key.iter();
            let request = request.map(|key| put_request(key, self.challenge, table));
            let message_page = self.pages.iter().find_map(Page::message_page);
            let pages = self.pages.iter();
            let counts = pages.map(|page| page.count(message_page.as_ref(), table));
            let token = format!("{}-{attempt}", self.challenge.id.as_str());
            let written = table.transact(&token, request.chain(counts)).await?;
            let Written::Cancelled(reasons) = written else {
                return Ok(Decision::Admitted);
            };
            if let Some(earlier) = self.learn(&reasons)? {
                return Ok(Decision::Replayed(earlier));
            }
            // Until every shard is known, it is unknown what lasts longest.
            let unread = self.pages.iter().map(Page::unread).collect();
            read(self.ledger, &mut self.pages, unread).await?;
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
        for (page, reason) in self.pages.iter_mut().zip(failed) {
            if let Some(reason) = reason {
                page.refused(reason.item())?;
            }
        }
        Ok(None)
    }

    /// Remembers the limits that refuse, and counts the request against its client.
    /// Returns the refusal that lasts longest.
    async fn refuse(&self, mut limits: Vec<FullLimit>) -> Error {
        for limit in &limits {
            self.ledger.memory.remember(limit, self.now());
        }
        if limits.iter().all(|limit| limit.kind != LimitKind::Client) {
            limits.extend(self.count_against_client().await);
        }
        let longest = limits.iter().max_by_key(|limit| limit.ends_at);
        longest.map_or_else(
            || fault("admit", "refused without a limit").into(),
            |limit| limit.refusal(self.now()).into(),
        )
    }

    /// Counts a request that is not admitted against its client. Returns the client's
    /// limit if it is full. The request is answered even if the table cannot count it.
    ///
    /// It is sent once: a repeat might count twice, and nobody waits for it.
    async fn count_against_client(&self) -> Option<FullLimit> {
        let mut limits = self.rules.limits.iter();
        let limit = limits.find(|limit| matches!(limit.scope, Scope::Client(_)))?;
        let memory = &self.ledger.memory;
        if let Some(known) = memory.recall(&limit.scope, limit.name, self.now()) {
            return Some(known);
        }
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let count = count_request(limit, self.now(), &self.ledger.table);
        let error = count.customize().config_override(once).send().await.err()?;
        let is_full = matches!(
            error.as_service_error(),
            Some(UpdateItemError::ConditionalCheckFailedException(_))
        );
        is_full.then(|| {
            let full = limit.full(self.now());
            memory.remember(&full, self.now());
            full
        })
    }
}

/// Reads these shards of each page.
async fn read(
    ledger: &Ledger,
    pages: &mut [Page<'_>],
    wanted: Vec<Vec<(Shard, Item)>>,
) -> Result<(), Fault> {
    let keys = wanted.iter().flatten().map(|(_, key)| key.clone());
    let mut items = ledger.table.get_all(keys.collect()).await?.into_iter();
    for (page, wanted) in pages.iter_mut().zip(&wanted) {
        for ((shard, _), item) in wanted.iter().zip(items.by_ref()) {
            page.learn(*shard, &item)?;
        }
    }
    Ok(())
}
