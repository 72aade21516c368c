//! A code that has been drawn, and all that sending it needs.

use otp_domain::{
    Challenge, ClientAddress, Delivery, DeliveryDecision, IdempotencyKey, Passcode, UnixTime, issue,
};
use rand::CryptoRng;

use super::{LoginRequest, LoginService};
use crate::{
    Error,
    delivery::{CodeMessage, Selection},
    fault::Fault,
};

/// A code with its challenge, before it is sent.
pub struct IssuedCode {
    pub(super) challenge: Challenge,
    pub(super) code: Passcode,
    pub(super) is_fixed: bool,
    pub(super) selection: Selection,
    pub(super) client: ClientAddress,
    pub(super) key: Option<IdempotencyKey>,
}

impl IssuedCode {
    /// What to do with the code, if its user is to get one: a fixed code is not sent.
    pub(super) const fn unless_fixed(&self, decision: DeliveryDecision) -> DeliveryDecision {
        if self.is_fixed {
            DeliveryDecision::Suppress
        } else {
            decision
        }
    }

    pub(super) const fn message(&self) -> CodeMessage<'_> {
        CodeMessage {
            to: &self.challenge.destination,
            code: &self.code,
            challenge_id: &self.challenge.id,
            selection: self.selection,
            requested_at: self.challenge.issued_at,
            client: &self.client,
        }
    }
}

impl LoginService {
    /// Draws a code for a request, or takes the fixed one of its destination.
    pub(super) async fn issue(
        &self,
        request: &LoginRequest,
        selection: Selection,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<IssuedCode, Error> {
        let to = &request.destination;
        let key = self.digest_keys.current().await?;
        let fixed = self.test_identities.code_for(to, now);
        let is_fixed = fixed.is_some();
        let code = fixed.unwrap_or_else(|| Passcode::draw(self.policy.code_length, rng));
        let challenge = issue(to, &request.client, &code, &self.policy, key, now, rng);
        Ok(IssuedCode {
            challenge,
            code,
            is_fixed,
            selection,
            client: request.client.clone(),
            key: request.idempotency_key.clone(),
        })
    }

    /// Completes the request's idempotency key, if it has one.
    pub(super) async fn complete(&self, issued: &IssuedCode, told: Delivery) -> Result<(), Fault> {
        match &issued.key {
            Some(key) => self.ledger.complete(&issued.challenge, key, told).await,
            None => Ok(()),
        }
    }
}
