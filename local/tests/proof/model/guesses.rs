//! Bringing codes back.

use super::{
    operations::Weather,
    rules::{
        ATTEMPTS, Challenge, Expected, Family, HOUR, IDLE, INVALID_OTP, LIFE, Model, Told,
        UNAVAILABLE, seconds, written,
    },
};
use crate::faults::Call;

impl Model {
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
