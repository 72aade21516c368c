//! Notices of a change of a user's destinations.

use std::time::Duration;

use otp_domain::{Destination, OperationId, UndoToken, UnixTime, UserRecord};
use otp_messages::{LanguageChoice, Notice};
use rand::CryptoRng;
use tokio::time::timeout;

use super::LoginService;
use crate::{
    delivery::{DeliveryFailure, NoticeMessage},
    fault::{Cause, Dependency, Fault},
};

/// The time limit of all notices of a change.
const LIMIT: Duration = Duration::from_secs(6);

/// A change of a user's destinations that is done.
pub struct DestinationsChange<'a> {
    /// The user as it is now.
    pub user: &'a UserRecord,
    /// The destination that was added or removed.
    pub of: &'a Destination,
    /// What takes a removal back.
    pub undo: Option<&'a UndoToken>,
    /// The language of who changed it.
    pub language: LanguageChoice,
    /// When it was changed.
    pub at: UnixTime,
}

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is sent.
    Sent,
    /// This deployment sends nothing to such a destination.
    NotServed,
    /// Messages to the destination do not arrive.
    Undeliverable,
    /// A limit of notices, or of all messages, is full.
    Limited,
}

impl LoginService {
    /// Whether this deployment sends to such a destination.
    #[must_use]
    pub fn reaches(&self, to: &Destination) -> bool {
        self.sender.check(to).is_ok()
    }

    /// Sends a message that leads to the sign-in page, which must be set.
    ///
    /// # Errors
    ///
    /// The table or the provider failed. The message may be sent.
    pub async fn invite(
        &self,
        to: &Destination,
        language: LanguageChoice,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Told, Fault> {
        self.notify(to, Notice::Invited, language, now, rng).await
    }

    /// Tells the user's other destinations of a change, and a removed one. A limit that is full
    /// keeps a notice back, and a message that fails is not sent again: the change is done.
    ///
    /// # Errors
    ///
    /// The last failure, for the log.
    pub async fn tell_of(
        &self,
        change: &DestinationsChange<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Fault> {
        let all = timeout(LIMIT, self.tell_each(change, rng)).await;
        all.unwrap_or_else(|_| Err(Fault::new(Dependency::Provider, "notify", Cause::Timeout)))
    }

    async fn tell_each(
        &self,
        change: &DestinationsChange<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Fault> {
        let is_removed = change.user.added_at(change.of).is_none();
        let token = change.undo.map(UndoToken::expose_secret);
        let removed = is_removed.then_some((change.of, Notice::Removed(token.as_deref())));
        let own = change.user.destinations.iter().map(|own| &own.destination);
        let others = own.filter(|to| *to != change.of);
        let others = others.map(|to| (to, Notice::Changed));
        let mut told = Ok(());
        let (language, at) = (change.language, change.at);
        for (to, notice) in removed.into_iter().chain(others) {
            if let Err(fault) = self.notify(to, notice, language, at, rng).await {
                told = Err(fault);
            }
        }
        told
    }

    async fn notify(
        &self,
        to: &Destination,
        notice: Notice<'_>,
        language: LanguageChoice,
        at: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Told, Fault> {
        // This deployment may have sent there once, and does so no longer.
        let Ok(prefix) = self.sender.check(to) else {
            return Ok(Told::NotServed);
        };
        // Nothing goes into the void.
        let (seen, _) = self.look(to, None, None, at, rng).await?;
        let ways = self.sender.names_to(to, None);
        let open = seen.past.history.deliveries.open(&ways, at);
        let Some(way) = open.first() else {
            return Ok(Told::Undeliverable);
        };
        let merges = matches!(notice, Notice::Changed);
        let limits = self.policy.notice_limits(to, prefix, merges);
        if !self.ledger.admit_notice(&limits, at, rng).await? {
            return Ok(Told::Limited);
        }
        let id = OperationId::draw(rng);
        let message = NoticeMessage {
            to,
            id: id.as_str(),
            way,
            notice,
            language: self.sender.language(language),
            at,
        };
        match self.sender.notify(&message).await {
            Ok(_) => Ok(Told::Sent),
            Err(DeliveryFailure::DestinationRefused) => Ok(Told::Undeliverable),
            Err(DeliveryFailure::NotSent(fault) | DeliveryFailure::Unconfirmed(fault)) => {
                Err(fault)
            }
        }
    }
}
