//! Reports of providers: what became of a message.

use aws_sdk_dynamodb::{error::BuildError, types::TransactWriteItem};
use otp_domain::{
    Challenge, ChallengeId, ConversionGuard, Destination, Guesses, Mark, MessageState, OperationId,
    UnixTime, WayName,
};

use super::{
    Ledger, Look,
    admit::read,
    deliveries::Change,
    entry::{Entry, Owed, Sent},
    history,
    page::Page,
};
use crate::{
    about::{About, MessageId},
    ambient,
    fault::{Cause, Fault},
    store::Store,
    table::{
        Clauses, Written,
        attributes::{key, sweep_after},
        fault, until_settled,
    },
};

/// What a provider reports of a message. It may come twice, late, and in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Where the message went.
    pub to: Destination,
    /// How it travelled.
    pub way: WayName,
    /// The challenge of its code, if the report names it.
    pub challenge: Option<ChallengeId>,
    /// The provider's id of the message.
    pub message: Option<MessageId>,
    /// When the provider took the message.
    pub sent_at: UnixTime,
    /// When it happened.
    pub at: UnixTime,
    /// What became of the message.
    pub state: MessageState,
}

/// What is done about a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded.
    New,
    /// It says nothing new.
    Known,
    /// The message is not one of this deployment, or is long forgotten.
    Foreign,
}

impl From<&Report> for About {
    fn from(report: &Report) -> Self {
        Self {
            challenge: report.challenge.clone(),
            way: Some(report.way.clone()),
            message: report.message.clone(),
            ..Self::from(&report.to)
        }
    }
}

impl Ledger {
    /// Records a report. Nobody learns from it who has an account: a destination without a
    /// user and without a live code gets nothing but a mark that ends. An e-mail that came back
    /// takes room at the `guard` of e-mail, if there is one.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item is malformed. The report may be recorded.
    pub async fn record(
        &self,
        report: &Report,
        guard: Option<&ConversionGuard>,
        now: UnixTime,
    ) -> Result<Recorded, Fault> {
        until_settled("record", || self.try_to_record(report, guard, now)).await
    }

    async fn try_to_record(
        &self,
        report: &Report,
        guard: Option<&ConversionGuard>,
        now: UnixTime,
    ) -> Result<Recorded, Fault> {
        let user = Store::key_of_user(&report.to);
        let look = Look {
            beside: user,
            named: None,
            attempts: 0,
            strangers: None,
            at: now,
        };
        let seen = self.look(&report.to, look, &mut ambient::rng()).await?;
        let has_user = Store::read_user(&seen.beside)?.is_some();
        let known = seen.past.history.deliveries;
        let message = known.find(report.challenge.as_ref(), report.sent_at);
        let is_ours = message.is_some() || (has_user && report.challenge.is_some());
        if !is_ours {
            return Ok(Recorded::Foreign);
        }
        let is_live = message.is_some_and(|it| it.at.until(now) < Challenge::LONGEST_LIFE);
        let stays = has_user || is_live;
        let mark = report.state.mark();
        let change = Change {
            way: &report.way,
            mark: mark
                .filter(|mark| stays || mark.lasts().is_some())
                .map(|mark| (mark, report.at)),
            reached_at: (stays && report.state == MessageState::Delivered)
                .then_some(report.sent_at),
            message: message
                .filter(|_| stays)
                .map(|message| (message, report.state)),
        };
        let change = change.news(&known);
        if change.is_none() {
            return Ok(Recorded::Known);
        }
        let mut update = Clauses::default();
        change.write(&mut update);
        if stays {
            let sweep = sweep_after(now.plus(Guesses::MEMORY));
            update.set("expires_at_seconds", sweep);
        } else {
            update.conditions.push("attribute_exists(pk)".to_owned());
        }
        let guard = guard.filter(|_| matches!(change.mark, Some((Mark::Bounced, _))));
        let history = update.update(key(&report.to, history::SORT_KEY), &self.table);
        self.write_report(history, guard, now).await
    }

    /// Writes what a report changes, and counts its bounce at a `guard`.
    async fn write_report(
        &self,
        history: Result<TransactWriteItem, BuildError>,
        guard: Option<&ConversionGuard>,
        now: UnixTime,
    ) -> Result<Recorded, Fault> {
        let rng = &mut ambient::rng();
        let token = format!("report-{}", OperationId::draw(rng).as_str());
        let mut pages = Page::of(guard.map(Entry::Bounced), now, rng);
        let all: Vec<_> = pages.iter().map(Page::unknown).collect();
        if !all.is_empty() {
            read(self, &mut pages, all, Owed::default()).await?;
        }
        for page in &mut pages {
            page.move_on();
        }
        let counts = pages
            .iter()
            .map(|page| page.count(&Sent::default(), &self.table));
        match self
            .table
            .transact(&token, [history].into_iter().chain(counts))
            .await?
        {
            Written::Committed => Ok(Recorded::New),
            // Another write came first: look again.
            Written::Cancelled(_) => Err(fault("record", Cause::Busy("changed meanwhile".into()))),
        }
    }
}
