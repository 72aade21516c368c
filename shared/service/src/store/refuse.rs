//! Refusals: what an instance remembers of them, and how they are counted.

use std::sync::{MutexGuard, PoisonError};

use aws_sdk_dynamodb::{config::Builder, operation::update_item::UpdateItemError};
use aws_smithy_types::retry::RetryConfig;
use otp_domain::{
    Challenge, FullLimit, Limit, LimitKind, RecentRefusals, Refusal, Scope, UncountedLogins,
    UnixTime,
};

use super::{
    Admission, AdmissionRules, ReplayedLogin, Store,
    counter::{COUNT, HAS_ROOM, full},
    item,
};
use crate::fault::Fault;

/// The name of the cooldown in the log.
const COOLDOWN: &str = "cooldown";

impl Store {
    pub(super) fn recent(&self) -> MutexGuard<'_, RecentRefusals> {
        let lock = self.recent_refusals.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    /// The limits that are known to refuse this login. A guard that refused lately
    /// is read again, because a code that comes back makes room in it at once.
    pub(super) async fn known_to_refuse(
        &self,
        challenge: &Challenge,
        rules: &AdmissionRules,
    ) -> Result<Vec<FullLimit>, Fault> {
        let (now, to) = (challenge.issued_at, &challenge.destination);
        let closed_guard = {
            let recent = self.recent();
            let limits = rules.limits.iter().map(|limit| (&limit.scope, limit.name));
            let known: Vec<FullLimit> = limits
                .chain([(&Scope::Destination(to.clone()), COOLDOWN)])
                .filter_map(|(scope, name)| recent.recall(scope, name, now).cloned())
                .collect();
            if !known.is_empty() {
                return Ok(known);
            }
            let guard = rules.guard.as_ref();
            guard.filter(|guard| recent.recall(&guard.scope, guard.name, now).is_some())
        };
        let Some(guard) = closed_guard else {
            return Ok(Vec::new());
        };
        Ok(self.read_guard(guard, now).await?.into_iter().collect())
    }

    /// Remembers the limits that refuse, and counts the request against its
    /// client. Returns the refusal that lasts longest.
    ///
    /// The request is refused even if the table cannot count it.
    pub(super) async fn refuse(
        &self,
        mut limits: Vec<FullLimit>,
        rules: &AdmissionRules,
        now: UnixTime,
    ) -> Option<Refusal> {
        for limit in &limits {
            self.recent().remember(limit.clone(), now);
        }
        let is_client = |limit: &FullLimit| limit.kind == LimitKind::Client;
        if !limits.iter().any(is_client) {
            limits.extend(self.count_request(rules, now).await);
        }
        FullLimit::longest(&limits, now)
    }

    /// Counts a request that is not admitted against its client. Returns the
    /// client's limit if it is full.
    ///
    /// A plain update has no request token, so it is sent once: a repeat would
    /// count twice, and the request is refused either way.
    pub(super) async fn count_request(
        &self,
        rules: &AdmissionRules,
        now: UnixTime,
    ) -> Option<FullLimit> {
        let limit = rules.limits.iter().find(|limit| is_of_client(limit))?;
        if let Some(known) = self.recent().recall(&limit.scope, limit.name, now) {
            return Some(known.clone());
        }
        let counted = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::counter_key(limit, 0, now)))
            .update_expression(COUNT)
            .condition_expression(HAS_ROOM)
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":max", item::number(limit.max))
            .expression_attribute_values(":sweep", item::sweep_after(limit.window_end(now)))
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await;
        let error = counted.err()?;
        let is_full = matches!(
            error.as_service_error(),
            Some(UpdateItemError::ConditionalCheckFailedException(_))
        );
        is_full.then(|| {
            let limit = full(limit, now);
            self.recent().remember(limit.clone(), now);
            limit
        })
    }

    /// The challenge that the login's idempotency key led to, if there is one.
    pub(super) async fn find_replay(
        &self,
        challenge: &Challenge,
        rules: &AdmissionRules,
    ) -> Result<Option<ReplayedLogin>, Fault> {
        let Some(key) = &rules.key else {
            return Ok(None);
        };
        let item = self
            .get(item::request_key(&challenge.destination, key))
            .await?;
        let live = item.filter(|item| item::is_live_request(item, challenge.issued_at));
        live.map(|item| item::replayed_login(&item)).transpose()
    }

    /// Forgets every limit that refused, and what waits to be counted.
    pub fn forget_all_refusals(&self) {
        *self.recent() = RecentRefusals::default();
        *self.uncounted() = UncountedLogins::default();
    }

    /// Forgets the limits in which a withdrawn login makes room.
    pub(super) fn forget_refusals(&self, admission: &Admission<'_>) {
        let mut recent = self.recent();
        for limit in &admission.rules.limits {
            if limit.refundable {
                recent.forget(&limit.scope, limit.name);
            }
        }
        let to = admission.challenge.destination.clone();
        recent.forget(&Scope::Destination(to), COOLDOWN);
    }
}

const fn is_of_client(limit: &Limit) -> bool {
    matches!(limit.scope, Scope::Client(_))
}

/// The cooldown of the challenge's destination, until it ends.
pub(super) fn cooling(challenge: &Challenge, ends_at: UnixTime) -> FullLimit {
    FullLimit {
        scope: Scope::Destination(challenge.destination.clone()),
        name: COOLDOWN,
        kind: LimitKind::Cooldown,
        ends_at,
    }
}
