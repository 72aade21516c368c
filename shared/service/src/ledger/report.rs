//! Reports of providers: what became of a message.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use otp_domain::{Challenge, ChallengeId, Destination, Guesses, MessageState, UnixTime, WayName};

use super::{Ledger, deliveries::Change, history};
use crate::{
    about::{About, MessageId},
    fault::{Cause, Dependency, Fault},
    store::Store,
    table::{
        Clauses,
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
    /// user and without a live code gets nothing but a mark that ends.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item is malformed. The report may be recorded.
    pub async fn record(&self, report: &Report, now: UnixTime) -> Result<Recorded, Fault> {
        until_settled("record", || self.try_to_record(report, now)).await
    }

    async fn try_to_record(&self, report: &Report, now: UnixTime) -> Result<Recorded, Fault> {
        let user = Store::key_of_user(&report.to);
        let seen = self.look(&report.to, user, None, 0).await?;
        let has_user = Store::read_user(&seen.beside)?.is_some();
        let known = seen.history.deliveries;
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
        let written = update.update_alone(key(&report.to, history::SORT_KEY), &self.table);
        let Err(error) = written.send().await else {
            return Ok(Recorded::New);
        };
        match error.as_service_error() {
            // Another write came first: look again.
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => {
                Err(fault("record", Cause::Busy("changed meanwhile".into())))
            }
            _ => Err(Fault::from_sdk(Dependency::Table, "UpdateItem", &error)),
        }
    }
}
