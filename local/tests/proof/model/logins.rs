//! Asking for codes.

use super::{
    operations::{Trouble, Weather},
    rules::{
        CODE_LIFE, COOLDOWN, Challenge, DAY, Expected, HOUR, Key, Model, SEEN_THROUGH_BY, Told,
        UNAVAILABLE, seconds, written,
    },
};
use crate::{faults::Call, service::partition_name};

type Limit = (String, &'static str, u64, u32);

impl Model {
    pub fn log_in(
        &mut self,
        to: &str,
        client: &str,
        key: Option<&String>,
        weather: Weather,
    ) -> Expected {
        let (done, known) = written(weather.of(Call::Admit));
        let admitted = if done {
            self.admit(to, client, key)
        } else {
            Err(UNAVAILABLE)
        };
        if !known {
            return UNAVAILABLE.into();
        }
        let (challenge, repeated) = match admitted {
            Ok(admitted) => admitted,
            Err(told) => return told.into(),
        };
        if weather.hides(Call::User) {
            return UNAVAILABLE.into();
        }
        let it = &self.challenges[challenge];
        let sent = Told::Sent {
            expires_in: (it.expires_at - self.now) / 1000,
            resend_in: (it.issued_at + COOLDOWN)
                .saturating_sub(self.now)
                .div_ceil(1000),
        };
        let (delivered, messages) = match (repeated, to.starts_with('+')) {
            (true, _) => (true, 0),
            _ if weather.refusing => (false, 0),
            (_, true) => text_message(weather.of(Call::Sms)),
            (_, false) => email(weather.of(Call::Email)),
        };
        let told = if delivered {
            if !repeated && written(weather.of(Call::Remember)).0 {
                key.and_then(|key| self.keys.get_mut(key))
                    .into_iter()
                    .for_each(|key| key.seen_through = true);
            }
            sent
        } else {
            self.withdraw(challenge, key, weather.of(Call::Withdraw))
        };
        Expected {
            told,
            messages,
            about: Some(challenge),
        }
    }

    /// A challenge, and whether the same request led to it before.
    fn admit(
        &mut self,
        to: &str,
        client: &str,
        key: Option<&String>,
    ) -> Result<(usize, bool), Told> {
        if let Some(known) = key.and_then(|key| self.keys.get(key)) {
            let it = &self.challenges[known.challenge];
            let given_up = !known.seen_through && it.issued_at + SEEN_THROUGH_BY <= self.now;
            if self.now < it.expires_at && !given_up {
                return if it.to == to {
                    Ok((known.challenge, true))
                } else {
                    Err(Told::Problem(422, "idempotency-key-reused"))
                };
            }
        }
        let mut limits = sends(to);
        limits.push((format!("client#{client}"), "logins-hour", HOUR, 1));
        let free_at = self.sent_at.get(to).map_or(0, |at| at + COOLDOWN);
        let cooling = free_at.saturating_sub(self.now);
        let before = self.counters.clone();
        let full = self.count(&limits).err().unwrap_or_default();
        let wait = full.max(cooling);
        if wait > 0 {
            self.counters = before;
            let retry_after = seconds(wait);
            return Err(Told::TooMany { retry_after });
        }
        self.sent_at.insert(to.to_owned(), self.now);
        self.challenges.push(Challenge {
            to: to.to_owned(),
            issued_at: self.now,
            expires_at: self.now + CODE_LIFE,
            spent: 0,
            stands: true,
            id: None,
            code: None,
        });
        let challenge = self.challenges.len() - 1;
        if let Some(key) = key {
            let seen_through = false;
            self.keys.insert(
                key.clone(),
                Key {
                    challenge,
                    seen_through,
                },
            );
        }
        Ok((challenge, false))
    }

    /// The send is not counted, except against its client.
    fn withdraw(
        &mut self,
        challenge: usize,
        key: Option<&String>,
        trouble: Option<Trouble>,
    ) -> Told {
        let (done, known) = written(trouble);
        if done {
            let it = &mut self.challenges[challenge];
            it.stands = false;
            self.sent_at.remove(&it.to);
            for (scope, name, window, _) in sends(&it.to) {
                let start = (self.now - self.now % window) / 1000;
                *self
                    .counters
                    .get_mut(&(scope, format!("{name}#{start}")))
                    .unwrap() -= 1;
            }
            key.and_then(|key| self.keys.remove(key));
        }
        if known {
            Told::Problem(502, "delivery-failed")
        } else {
            UNAVAILABLE
        }
    }
}

/// The limits of a send that are given back.
fn sends(to: &str) -> Vec<Limit> {
    let mut limits = vec![
        (partition_name(to), "sends-hour", HOUR, 3),
        (partition_name(to), "sends-day", DAY, 5),
    ];
    if to.starts_with('+') {
        let prefix = if to.starts_with("+1") { "+1" } else { "+44" };
        limits.push((format!("prefix#{prefix}#0"), "sms-prefix-day", DAY, 3));
        limits.push(("deployment#0".to_owned(), "sms-day", DAY, 4));
    }
    limits
}

/// Whether a message counts as delivered, and how often it arrives. E-mail is
/// tried twice.
fn email(trouble: Option<Trouble>) -> (bool, usize) {
    match trouble {
        None => (true, 1),
        Some(Trouble::LostOnce) => (true, 2),
        Some(Trouble::Lost) => (false, 2),
        Some(Trouble::Refused) => (false, 0),
    }
}

/// Text messages cost, and are tried once.
fn text_message(trouble: Option<Trouble>) -> (bool, usize) {
    match trouble {
        None => (true, 1),
        Some(Trouble::LostOnce | Trouble::Lost) => (false, 1),
        Some(Trouble::Refused) => (false, 0),
    }
}
