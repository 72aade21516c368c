//! Validations.

use tests::Call;

use super::{
    operations::Disturbance,
    rules::{
        ATTEMPTS, Challenge, Expected, HOUR, IDLE, INVALID_OTP, LIFE, Model, Outcome, Session,
        UNAVAILABLE, seconds, written,
    },
};

impl Model {
    pub fn validate(
        &mut self,
        to: &str,
        id: Option<&String>,
        otp: &str,
        client: &str,
        disturbance: Disturbance,
    ) -> Expected {
        let limit = (format!("client#{client}"), "validations-hour", HOUR, 10);
        let (done, known) = written(disturbance.of(Call::CountValidation));
        let counted = if done { self.count(&[limit]) } else { Ok(()) };
        // The service counts the attempt at the same time, whatever the limit says.
        let challenge = self.spend(to, id, otp, disturbance);
        if !known {
            return UNAVAILABLE.into();
        }
        if let Err(wait) = counted {
            let retry_after = seconds(wait);
            return Outcome::TooMany { retry_after }.into();
        }
        match challenge {
            Ok(challenge) => self.judge(challenge, otp, disturbance),
            Err(outcome) => outcome.into(),
        }
    }

    fn spend(
        &mut self,
        to: &str,
        id: Option<&String>,
        otp: &str,
        disturbance: Disturbance,
    ) -> Result<usize, Outcome> {
        if otp.len() != 6 {
            return Err(INVALID_OTP);
        }
        if id.is_none() && disturbance.hides(Call::FindChallenge) {
            return Err(UNAVAILABLE);
        }
        let now = self.now;
        let live = |it: &Challenge| {
            it.to == to && it.in_table && now < it.expires_at && it.attempts < ATTEMPTS
        };
        let meant = match id {
            Some(_) => self.challenges.iter().position(|it| it.id.as_ref() == id),
            None => self.challenges.iter().rposition(live),
        };
        if meant.is_none() && id.is_none() {
            return Err(INVALID_OTP);
        }
        let found = meant.filter(|meant| live(&self.challenges[*meant]));
        let (done, known) = written(disturbance.of(Call::SpendAttempt));
        if done && let Some(found) = found {
            self.challenges[found].attempts += 1;
        }
        if !known || disturbance.hides(Call::FindUser) {
            return Err(UNAVAILABLE);
        }
        found.ok_or(INVALID_OTP)
    }

    fn judge(&mut self, challenge: usize, otp: &str, disturbance: Disturbance) -> Expected {
        let it = &self.challenges[challenge];
        if it.code.as_deref() != Some(otp) {
            return INVALID_OTP.into();
        }
        if disturbance.hides(Call::Sign) {
            return UNAVAILABLE.into();
        }
        let to = it.to.clone();
        let last = self.last_login.get(&to).copied();
        let good = last.is_none_or(|last| last < it.issued_at);
        let (done, known) = written(disturbance.of(Call::Redeem));
        if done && good {
            self.last_login.insert(to.clone(), self.now);
            self.sessions.push(Session {
                to,
                refreshed_at: self.now,
                expires_at: self.now + IDLE.min(LIFE),
                ends_at: self.now + LIFE,
                in_table: true,
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
            outcome: Outcome::LoggedIn {
                new_user: last.is_none(),
            },
            messages: 0,
            about: Some(self.sessions.len() - 1),
        }
    }
}
