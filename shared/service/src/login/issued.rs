//! A code that is issued, and all that sending it needs.

use otp_domain::{
    Asker, Challenge, Delivery, DeliveryDecision, Device, DigestKey, IdempotencyKey, OperationId,
    Passcode, Purpose, Refusal, UnixTime, WayName, issue,
};
use otp_messages::Confirms;
use rand::CryptoRng;

use super::{LoginService, Wanted};
use crate::{
    Error,
    delivery::{CodeMessage, Selection},
    fault::Fault,
    ledger::{Counted, Issue, Part, Send},
};

/// A challenge whose code is to be sent.
pub struct IssuedCode {
    pub(super) challenge: Challenge,
    pub(super) issue: Issue,
    /// The name of this message.
    pub(super) id: String,
    pub(super) asker: Asker,
    /// The name of the asking client at the destination.
    pub(super) client: String,
    pub(super) via: Option<WayName>,
    pub(super) selection: Selection,
    /// The prefix that allows the destination, if it is a phone.
    pub(super) prefix: Option<String>,
    pub(super) key: Option<IdempotencyKey>,
    pub(super) at: UnixTime,
}

impl IssuedCode {
    /// What to do with the code, if its user is to get one: a fixed code is not sent.
    pub(super) const fn unless_fixed(&self, decision: DeliveryDecision) -> DeliveryDecision {
        if self.challenge.is_fixed {
            DeliveryDecision::Suppress
        } else {
            decision
        }
    }

    /// The message with this code, by these ways.
    pub(super) const fn message<'a>(
        &'a self,
        code: &'a Passcode,
        ways: &'a [WayName],
    ) -> CodeMessage<'a> {
        CodeMessage {
            id: self.id.as_str(),
            ways,
            to: &self.challenge.destination,
            code,
            challenge_id: &self.challenge.id,
            confirms: match self.challenge.purpose {
                Purpose::Login => Confirms::Login,
                Purpose::Adding(_) => Confirms::Destination,
            },
            selection: self.selection,
            requested_at: self.at,
            end: self.challenge.expires_at,
            client: &self.asker.client,
        }
    }

    /// What the ledger is to admit.
    pub(super) fn send(&self, part: Part, counted: Option<Counted>) -> Send<'_> {
        Send {
            challenge: &self.challenge,
            issue: self.issue,
            part,
            id: &self.id,
            client: &self.client,
            device: self.asker.device.as_ref().map(Device::name),
            past: counted,
            way: None,
            at: self.at,
        }
    }
}

impl LoginService {
    /// Issues a challenge for a request, or takes up the one whose code is sent again.
    pub(super) fn issue(
        &self,
        wanted: &Wanted<'_>,
        asker: Asker,
        again: Option<(Challenge, UnixTime)>,
        key: &DigestKey,
        rng: &mut impl CryptoRng,
    ) -> IssuedCode {
        let (to, now) = (&wanted.request.destination, wanted.at);
        let (challenge, issue, id) = if let Some((challenge, end)) = again {
            let later = (end > challenge.expires_at).then_some(end);
            let challenge = Challenge {
                expires_at: end,
                ..challenge
            };
            (
                challenge,
                Issue::Again(later),
                OperationId::draw(rng).as_str().to_owned(),
            )
        } else {
            let is_fixed = self.test_identities.code_for(to, now).is_some();
            let challenge = Challenge {
                purpose: wanted.request.purpose.clone(),
                ..issue(to, &asker, is_fixed, &self.policy, key, now, rng)
            };
            let id = challenge.id.as_str().to_owned();
            (challenge, Issue::New, id)
        };
        IssuedCode {
            client: key.client_at(to, &asker.client),
            challenge,
            issue,
            id,
            asker,
            via: wanted.request.via.clone(),
            selection: wanted.selection,
            prefix: wanted.prefix.clone(),
            key: wanted.request.idempotency_key.clone(),
            at: now,
        }
    }

    /// The code of a challenge that was issued under the current key.
    pub(super) async fn code(&self, challenge: &Challenge) -> Result<Passcode, Error> {
        let key = self.digest_keys.current().await?;
        let code = challenge.code(key, &self.test_identities);
        code.ok_or_else(|| Refusal::InvalidOtp("a fixed code that has ended").into())
    }

    /// Completes the request's idempotency key, if it has one.
    pub(super) async fn complete(&self, issued: &IssuedCode, told: Delivery) -> Result<(), Fault> {
        match &issued.key {
            Some(key) => self.ledger.complete(&issued.challenge, key, told).await,
            None => Ok(()),
        }
    }
}
