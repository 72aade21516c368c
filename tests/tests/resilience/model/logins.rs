//! Logins.

use tests::{Call, table::partition_key};

use super::{
    operations::{Disturbance, FaultEffect},
    rules::{
        CODE_LIFE, COMPLETED_WITHIN, COOLDOWN, Challenge, DAY, Expected, HOUR, Key, Model, Outcome,
        UNAVAILABLE, seconds, written,
    },
};

type Limit = (String, &'static str, u64, u32);

impl Model {
    pub fn log_in(
        &mut self,
        to: &str,
        client: &str,
        key: Option<&String>,
        disturbance: Disturbance,
    ) -> Expected {
        let (done, known) = written(disturbance.of(Call::Admit));
        let admitted = if done {
            self.admit(to, client, key)
        } else {
            Err(UNAVAILABLE)
        };
        if !known {
            return UNAVAILABLE.into();
        }
        let (challenge, earlier) = match admitted {
            Ok(admitted) => admitted,
            Err(outcome) => return outcome.into(),
        };
        if disturbance.hides(Call::FindUser) {
            return UNAVAILABLE.into();
        }
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
    ) -> Result<(usize, Option<bool>), Outcome> {
        if let Some(known) = key.and_then(|key| self.keys.get(&(to.to_owned(), key.clone()))) {
            let it = &self.challenges[known.challenge];
            let is_free = known.completed.is_none() && it.issued_at + COMPLETED_WITHIN <= self.now;
            if self.now < it.expires_at && !is_free {
                return Ok((known.challenge, Some(known.completed == Some(true))));
            }
        }
        let mut limits = refundable(to);
        limits.push((format!("client#{client}"), "logins-hour", HOUR, 1));
        let free_at = self.sent_at.get(to).map_or(0, |at| at + COOLDOWN);
        let cooling = free_at.saturating_sub(self.now);
        let before = self.counters.clone();
        let full = self.count(&limits).err().unwrap_or_default();
        let wait = full.max(cooling);
        if wait > 0 {
            self.counters = before;
            let retry_after = seconds(wait);
            return Err(Outcome::TooMany { retry_after });
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
        Ok((challenge, None))
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
            for (scope, name, window, _) in refundable(&it.to) {
                let start = (self.now - self.now % window) / 1000;
                *self
                    .counters
                    .get_mut(&(scope, format!("{name}#{start}")))
                    .unwrap() -= 1;
            }
            let to = it.to.clone();
            key.and_then(|key| self.keys.remove(&(to, key.clone())));
        }
        if known {
            Outcome::Problem(502, "delivery-failed")
        } else {
            UNAVAILABLE
        }
    }
}

/// The limits that a failed delivery refunds.
fn refundable(to: &str) -> Vec<Limit> {
    let mut limits = vec![
        (partition_key(to), "sends-hour", HOUR, 3),
        (partition_key(to), "sends-day", DAY, 5),
    ];
    if to.starts_with('+') {
        let prefix = if to.starts_with("+1") { "+1" } else { "+44" };
        limits.push((format!("prefix#{prefix}#0"), "sms-prefix-day", DAY, 3));
        limits.push(("deployment#0".to_owned(), "sms-day", DAY, 4));
    }
    limits
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
