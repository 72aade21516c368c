//! Logins.

use tests::{Call, table::partition_key};

use super::{
    limits::{Refusing, guard_of, of_client, refundable},
    operations::{Disturbance, FaultEffect},
    rules::{
        CODE_LIFE, COMPLETED_WITHIN, COOLDOWN, Challenge, Expected, Key, Model, Outcome,
        UNAVAILABLE, seconds, written,
    },
};

impl Model {
    pub fn log_in(
        &mut self,
        to: &str,
        client: &str,
        key: Option<&String>,
        disturbance: Disturbance,
    ) -> Expected {
        // What an instance knows to refuse, it refuses before it reads anything.
        let is_read = key.is_some() || self.known_of_its_own(to, client).is_empty();
        if is_read && disturbance.hides(Call::FindUser) {
            return UNAVAILABLE.into();
        }
        let (challenge, earlier) = match self.admit(to, client, key, disturbance) {
            Ok(admitted) => admitted,
            Err(outcome) => return outcome.into(),
        };
        let it = &self.challenges[challenge];
        let expires_in = (it.expires_at - self.now) / 1000;
        let resend_in = (it.issued_at + COOLDOWN)
            .saturating_sub(self.now)
            .div_ceil(1000);
        let sent = |confirmed| Outcome::Sent {
            expires_in,
            resend_in,
            confirmed,
        };
        let delivery = if to.starts_with('+') {
            Call::SendSms
        } else {
            Call::SendEmail
        };
        let (outcome, messages) = match earlier {
            Some(confirmed) => (sent(confirmed), 0),
            None if disturbance.provider_refuses && disturbance.of(delivery).is_none() => {
                let withdrawn = self.withdraw(challenge, key, disturbance.of(Call::Withdraw));
                (withdrawn, 0)
            }
            None => {
                let (confirmed, mut messages) = delivered(disturbance.of(delivery));
                if disturbance.provider_refuses {
                    messages = 0; // It does, and the refusal is lost.
                }
                if written(disturbance.of(Call::Complete)).0 {
                    key.and_then(|key| self.keys.get_mut(&(to.to_owned(), key.clone())))
                        .into_iter()
                        .for_each(|key| key.completed = Some(confirmed));
                }
                (sent(confirmed), messages)
            }
        };
        Expected {
            outcome,
            messages,
            about: Some(challenge),
        }
    }

    /// The challenge, and if an earlier request with the same key made it, whether that one's
    /// delivery was confirmed.
    fn admit(
        &mut self,
        to: &str,
        client: &str,
        key: Option<&String>,
        disturbance: Disturbance,
    ) -> Result<(usize, Option<bool>), Outcome> {
        let mut refusing = self.known_of_its_own(to, client);
        if key.is_some() || refusing.is_empty() {
            refusing = self.known(to, client);
        }
        let asked = refusing.is_empty();
        let (done, known) = written(disturbance.of(Call::Admit).filter(|_| asked));
        if !done {
            return Err(UNAVAILABLE);
        }
        let mut admitted = None;
        if let Some(earlier) = self.earlier(to, key) {
            admitted = Some((earlier.0, Some(earlier.1)));
        } else if asked {
            refusing = self.ask_every_limit(to, client);
            if refusing.is_empty() {
                admitted = Some((self.store(to, client, key), None));
            }
        }
        if !known {
            return Err(UNAVAILABLE);
        }
        match admitted {
            Some((challenge, earlier)) => {
                if earlier.is_some() {
                    self.count_request(client, disturbance);
                }
                Ok((challenge, earlier))
            }
            None => Err(self.refuse(refusing, client, disturbance)),
        }
    }

    /// The challenge of an earlier request with the same key, and whether its delivery was
    /// confirmed.
    fn earlier(&self, to: &str, key: Option<&String>) -> Option<(usize, bool)> {
        let known = self.keys.get(&(to.to_owned(), key?.clone()))?;
        let it = &self.challenges[known.challenge];
        let is_free = known.completed.is_none() && it.issued_at + COMPLETED_WITHIN <= self.now;
        (self.now < it.expires_at && !is_free)
            .then_some((known.challenge, known.completed == Some(true)))
    }

    fn ask_every_limit(&self, to: &str, client: &str) -> Vec<Refusing> {
        let mut limits = refundable(to);
        limits.push(of_client(client));
        let mut refusing: Vec<_> = limits.iter().filter_map(|it| self.full(it)).collect();
        if !self.is_proven(to, client) {
            refusing.extend(self.closed_guard(to));
        }
        let free_at = self.sent_at.get(to).map_or(0, |at| at + COOLDOWN);
        if self.now < free_at {
            refusing.push(self.refusing(&partition_key(to), "cooldown", free_at));
        }
        refusing
    }

    /// Counts the request against its client, and tells the longest wait.
    fn refuse(
        &mut self,
        mut refusing: Vec<Refusing>,
        client: &str,
        disturbance: Disturbance,
    ) -> Outcome {
        for limit in &refusing {
            let again = self.refusing(&limit.scope, limit.name, limit.ends_at);
            self.memory().refusals.push(again);
        }
        if refusing.iter().all(|it| it.name != "logins-hour") {
            refusing.extend(self.count_request(client, disturbance));
        }
        let wait = refusing.iter().map(|it| it.ends_at - self.now).max();
        let retry_after = seconds(wait.unwrap());
        Outcome::TooMany { retry_after }
    }

    /// Returns the client's limit if it was full.
    fn count_request(&mut self, client: &str, disturbance: Disturbance) -> Option<Refusing> {
        let limit = of_client(client);
        let effect = disturbance.of(Call::CountRequest);
        let known = self.recall(&limit.0, limit.1).is_some();
        let full = self.full(&limit);
        if known {
            return full;
        }
        if written(effect).0 && full.is_none() {
            self.count(&limit);
        }
        // The service sends this write once.
        let told = full.filter(|_| effect.is_none());
        self.memory().refusals.extend(told.clone());
        told
    }

    /// Counts a login and stores its challenge.
    fn store(&mut self, to: &str, client: &str, key: Option<&String>) -> usize {
        for limit in refundable(to).into_iter().chain([of_client(client)]) {
            self.count(&limit);
        }
        let is_guarded = !self.is_proven(to, client);
        if is_guarded {
            let guard = self.guards.entry(guard_of(to)).or_default();
            guard.ease(self.now).unwrap();
            guard.unproven += 1;
            guard.sent_at = self.now;
        }
        let proof = self.proofs.entry(to.to_owned()).or_default();
        proof.asked += 1;
        if let Some(own) = proof.asked_by.get_mut(client) {
            *own += 1;
        }
        self.sent_at.insert(to.to_owned(), self.now);
        self.challenges.push(Challenge {
            to: to.to_owned(),
            issued_at: self.now,
            expires_at: self.now + CODE_LIFE,
            attempts: Vec::new(),
            in_table: true,
            id: None,
            code: None,
            carried_claims: self.claims_of(to),
            client: client.to_owned(),
            is_guarded,
        });
        let challenge = self.challenges.len() - 1;
        if let Some(key) = key {
            let completed = None;
            self.keys.insert(
                (to.to_owned(), key.clone()),
                Key {
                    challenge,
                    completed,
                },
            );
        }
        challenge
    }

    /// Removes a challenge. Its login then counts only towards the client's limit.
    fn withdraw(
        &mut self,
        challenge: usize,
        key: Option<&String>,
        effect: Option<FaultEffect>,
    ) -> Outcome {
        let (done, known) = written(effect);
        if done {
            let it = &mut self.challenges[challenge];
            it.in_table = false;
            self.sent_at.remove(&it.to);
            let to = it.to.clone();
            for limit in refundable(&to) {
                self.refund(&limit);
            }
            if self.challenges[challenge].is_guarded {
                self.guards.get_mut(&guard_of(&to)).unwrap().unproven -= 1;
            }
            self.proofs.get_mut(&to).unwrap().asked -= 1;
            key.and_then(|key| self.keys.remove(&(to, key.clone())));
        }
        let to = self.challenges[challenge].to.clone();
        for limit in refundable(&to) {
            self.forget(&limit.0, limit.1);
        }
        self.forget(&partition_key(&to), "cooldown");
        if known {
            Outcome::Problem(502, "delivery-failed")
        } else {
            UNAVAILABLE
        }
    }
}

/// Whether the provider confirms a message that it does not refuse, and how many times the message
/// arrives. It is sent once, because nobody knows whether a send without an answer happened.
fn delivered(effect: Option<FaultEffect>) -> (bool, usize) {
    match effect {
        None => (true, 1),
        Some(FaultEffect::FirstReplyLost | FaultEffect::EveryReplyLost) => (false, 1),
        Some(FaultEffect::NothingDone) => (false, 0),
    }
}
