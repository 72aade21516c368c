//! Asking for codes and bringing them back.

use super::{
    operations::{Trouble, Weather},
    rules::{
        ATTEMPTS, CODE_LIFE, COOLDOWN, Challenge, DAY, Expected, Family, HOUR, IDLE, INVALID_OTP,
        Key, LIFE, Model, SEEN_THROUGH_BY, Told, UNAVAILABLE, seconds, written,
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
        let told = if !delivered {
            self.withdraw(challenge, key, weather.of(Call::Withdraw))
        } else {
            if !repeated && written(weather.of(Call::Remember)).0 {
                key.and_then(|key| self.keys.get_mut(key))
                    .into_iter()
                    .for_each(|key| key.seen_through = true);
            }
            sent
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

    pub fn validate(
        &mut self,
        to: &str,
        id: Option<&String>,
        otp: &str,
        client: &str,
        weather: Weather,
    ) -> Expected {
        let limit = (format!("client#{client}"), "validations-hour", HOUR, 10);
        let (done, known) = written(weather.of(Call::CountValidation));
        let counted = if done { self.count(&[limit]) } else { Ok(()) };
        // The attempt is spent beside that, whatever comes of it.
        let spent = self.spend(to, id, otp, weather);
        if !known {
            return UNAVAILABLE.into();
        }
        if let Err(wait) = counted {
            let retry_after = seconds(wait);
            return Told::TooMany { retry_after }.into();
        }
        match spent {
            Ok(challenge) => self.judge(challenge, otp, weather),
            Err(told) => told.into(),
        }
    }

    fn spend(
        &mut self,
        to: &str,
        id: Option<&String>,
        otp: &str,
        weather: Weather,
    ) -> Result<usize, Told> {
        if otp.len() != 6 {
            return Err(INVALID_OTP);
        }
        if id.is_none() && weather.hides(Call::Newest) {
            return Err(UNAVAILABLE);
        }
        let now = self.now;
        let live =
            |it: &Challenge| it.to == to && it.stands && now < it.expires_at && it.spent < ATTEMPTS;
        let meant = match id {
            Some(_) => self.challenges.iter().position(|it| it.id.as_ref() == id),
            None => self.challenges.iter().rposition(live),
        };
        if meant.is_none() && id.is_none() {
            return Err(INVALID_OTP);
        }
        let found = meant.filter(|meant| live(&self.challenges[*meant]));
        let (done, known) = written(weather.of(Call::Spend));
        if done && let Some(found) = found {
            self.challenges[found].spent += 1;
        }
        if !known || weather.hides(Call::User) {
            return Err(UNAVAILABLE);
        }
        found.ok_or(INVALID_OTP)
    }

    fn judge(&mut self, challenge: usize, otp: &str, weather: Weather) -> Expected {
        let it = &self.challenges[challenge];
        if it.code.as_deref() != Some(otp) {
            return INVALID_OTP.into();
        }
        if weather.hides(Call::Sign) {
            return UNAVAILABLE.into();
        }
        let to = it.to.clone();
        let last = self.last_login.get(&to).copied();
        let good = last.is_none_or(|last| last < it.issued_at);
        let (done, known) = written(weather.of(Call::Redeem));
        if done && good {
            self.last_login.insert(to.clone(), self.now);
            self.families.push(Family {
                to,
                refreshed_at: self.now,
                expires_at: self.now + IDLE.min(LIFE),
                ends_at: self.now + LIFE,
                stands: true,
                tokens: vec![None],
            });
        }
        if !known {
            return UNAVAILABLE.into();
        }
        if !good {
            return INVALID_OTP.into();
        }
        Expected {
            told: Told::LoggedIn {
                new_user: last.is_none(),
            },
            messages: 0,
            about: Some(self.families.len() - 1),
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
