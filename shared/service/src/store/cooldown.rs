use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{ConditionCheck, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem},
};
use otp_domain::{Challenge, FullLimit, UnixTime};

use super::{AdmissionRules, Item, clauses::Clauses, item, refuse::cooling};
use crate::fault::Fault;

/// The cooldown of one spelling of a mailbox, in the item of a UTC day.
pub(super) struct Cooldown<'a> {
    challenge: &'a Challenge,
    length: Duration,
}

impl<'a> Cooldown<'a> {
    pub(super) fn of(challenge: &'a Challenge, rules: &AdmissionRules) -> Option<Self> {
        let length = rules.cooldown;
        (!length.is_zero()).then_some(Self { challenge, length })
    }

    pub(super) fn ends_at(&self) -> UnixTime {
        self.challenge.issued_at.plus(self.length)
    }

    pub(super) fn start(&self, update: &mut Clauses) {
        let now = self.challenge.issued_at;
        let sent_at = update.name(item::sent_at(&self.challenge.destination));
        let before = update.value(item::millis(now.minus(self.length)));
        let now = update.value(item::millis(now));
        update.set.push(format!("{sent_at} = {now}"));
        update.conditions.push(format!(
            "(attribute_not_exists({sent_at}) OR {sent_at} <= {before})"
        ));
    }

    /// Ends it, unless a later send has started another one. Two sends that are
    /// admitted are never of the same instant.
    pub(super) fn end(&self, update: &mut Clauses) {
        let sent_at = update.name(item::sent_at(&self.challenge.destination));
        let own = update.value(item::millis(self.challenge.issued_at));
        update.remove.push(sent_at.clone());
        update.conditions.push(format!("{sent_at} = {own}"));
    }

    /// The day before or after, if a cooldown over midnight can reach it. The day
    /// after counts too: another instance may already write there.
    pub(super) fn neighbour(&self) -> Option<UnixTime> {
        let now = self.challenge.issued_at;
        let reached = [now.minus(self.length), now.plus(self.length)];
        let days = reached.map(UnixTime::utc_day);
        days.into_iter().find(|day| *day != now.utc_day())
    }

    /// Refuses while the item of another day holds a send that is too recent.
    pub(super) fn check(&self, key: Item, table: &str) -> Result<TransactWriteItem, BuildError> {
        let before = self.challenge.issued_at.minus(self.length);
        let check = ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(key))
            .condition_expression("attribute_not_exists(#sent_at) OR #sent_at <= :before")
            .expression_attribute_names("#sent_at", item::sent_at(&self.challenge.destination))
            .expression_attribute_values(":before", item::millis(before))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// The cooldown that runs in an item, if one does.
    pub(super) fn refused(&self, item: Option<&Item>) -> Result<Option<FullLimit>, Fault> {
        let attribute = item::sent_at(&self.challenge.destination);
        let Some(item) = item.filter(|item| item.contains_key(&attribute)) else {
            return Ok(None);
        };
        let sent_at = u64::try_from(item::count(item, &attribute)?).unwrap_or_default();
        let ends_at = UnixTime::from_millis(sent_at).plus(self.length);
        let runs = self.challenge.issued_at < ends_at;
        Ok(runs.then(|| cooling(self.challenge, ends_at)))
    }
}
