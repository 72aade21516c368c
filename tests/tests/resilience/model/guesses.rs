//! Validations.

use tests::Call;

use super::{
    limits::{Limit, guard_of},
    operations::{Disturbance, FaultEffect},
    rules::{
        ATTEMPTS, Challenge, Expected, Guess, HOUR, IDLE, INVALID_OTP, LIFE, Model, Outcome,
        Session, UNAVAILABLE, executions, seconds, written,
    },
};

impl Model {
    pub fn validate(
        &mut self,
        to: &str,
        id: Option<&String>,
        guess: &Guess,
        client: &str,
        disturbance: Disturbance,
    ) -> Expected {
        let limit = (format!("client#{client}"), "validations-hour", HOUR, 30);
        if let Some(known) = self.recall(&limit.0, limit.1) {
            let retry_after = seconds(known.ends_at - self.now);
            return Outcome::TooMany { retry_after }.into();
        }
        // The attempt is counted whatever the limit says.
        let (challenge, before) = match self.spend(to, id, guess, client, disturbance) {
            Ok(spent) => spent,
            Err(outcome) if outcome == UNAVAILABLE => return outcome.into(),
            Err(outcome) => {
                let refusal = self.count_guess(&limit, disturbance);
                return refusal.unwrap_or(outcome).into();
            }
        };
        let is_bounded = self.challenges[challenge].client == client && !before;
        if !is_bounded && let Some(refusal) = self.count_guess(&limit, disturbance) {
            return refusal.into();
        }
        self.judge(challenge, guess, client, disturbance)
    }

    /// Counts a guess against its client. Returns what the client is told instead of the verdict,
    /// if that cannot be done.
    fn count_guess(&mut self, limit: &Limit, disturbance: Disturbance) -> Option<Outcome> {
        let effect = disturbance.of(Call::CountValidation);
        let mut full = None;
        // A repeat of a write whose reply is lost counts again.
        for _ in 0..executions(effect) {
            full = self.full(limit);
            if full.is_none() {
                self.count(limit);
            }
        }
        if !written(effect).1 {
            return Some(UNAVAILABLE);
        }
        self.memory().refusals.extend(full.clone());
        let retry_after = seconds(full?.ends_at - self.now);
        Some(Outcome::TooMany { retry_after })
    }

    /// Spends an attempt. Returns the challenge, and whether the same guess has spent it before.
    fn spend(
        &mut self,
        to: &str,
        id: Option<&String>,
        guess: &Guess,
        client: &str,
        disturbance: Disturbance,
    ) -> Result<(usize, bool), Outcome> {
        if guess.1.len() != 10 {
            return Err(INVALID_OTP);
        }
        if id.is_none() && disturbance.hides(Call::FindChallenge) {
            return Err(UNAVAILABLE);
        }
        let now = self.now;
        let spent = |it: &Challenge| guess.0.is_some() && it.attempts.contains(guess);
        let valid = |it: &Challenge| it.to == to && it.in_table && now < it.expires_at;
        let live = |it: &Challenge| valid(it) && (it.attempts.len() < ATTEMPTS || spent(it));
        let mut known = self.challenges.iter();
        let newest = |these: &dyn Fn(&Challenge) -> bool| {
            let known = self.challenges.iter().enumerate();
            let these = known.filter(|(_, it)| these(it));
            these.max_by_key(|(_, it)| it.issued_at).map(|(nth, _)| nth)
        };
        let meant = match id {
            Some(_) => known.position(|it| it.id.as_ref() == id),
            None => newest(&|it| valid(it) && spent(it) && it.client == client)
                .or_else(|| newest(&|it| valid(it) && spent(it)))
                .or_else(|| newest(&|it| live(it) && it.client == client))
                .or_else(|| newest(&live)),
        };
        let found = meant.filter(|meant| {
            let it = &self.challenges[*meant];
            // Another client's guess without an id leaves the last attempt.
            let is_last = it.attempts.len() + 1 >= ATTEMPTS && !spent(it);
            live(it) && (id.is_some() || it.client == client || !is_last)
        });
        let effect = disturbance.of(Call::SpendAttempt);
        let (done, known) = written(effect);
        let mut before = effect == Some(FaultEffect::FirstReplyLost);
        if done && let Some(found) = found {
            let it = &mut self.challenges[found];
            if guess.0.is_some() && it.attempts.contains(guess) {
                before = true;
            } else {
                it.attempts.push(guess.clone());
            }
        }
        if !known {
            return Err(UNAVAILABLE);
        }
        found.map(|found| (found, before)).ok_or(INVALID_OTP)
    }

    fn judge(
        &mut self,
        challenge: usize,
        guess: &Guess,
        client: &str,
        disturbance: Disturbance,
    ) -> Expected {
        let it = &self.challenges[challenge];
        if it.code.as_ref() != Some(&guess.1) {
            return INVALID_OTP.into();
        }
        let to = it.to.clone();
        let last = self.last_login.get(&to).copied();
        let is_used = last.is_some_and(|last| last >= it.issued_at);
        let unsigned = disturbance.hides(Call::Sign);
        let is_repeatable = guess.0.is_some();
        if unsigned && !is_repeatable {
            return UNAVAILABLE.into();
        }
        let (done, known) = written(disturbance.of(Call::Redeem));
        if is_used && known {
            if unsigned {
                return UNAVAILABLE.into();
            }
            return self.log_in_again(&(challenge, guess.clone()), disturbance);
        }
        // The first of two redemptions finds other claims than the challenge carries.
        let changed = it.carried_claims != self.claims_of(&to);
        if done && !is_used && (known || !changed) {
            // The issuing instance may be ahead. A login is not earlier than its code.
            let at = self.now.max(it.issued_at);
            self.last_login.insert(to.clone(), at);
            if self.challenges[challenge].is_guarded {
                let guard = self.guards.get_mut(&guard_of(&to)).unwrap();
                guard.unproven -= 1;
                guard.proven += 1;
                guard.proven_at = Some(self.now);
            }
            let proof = self.proofs.entry(to.clone()).or_default();
            proof.proven_at = Some(self.now);
            proof.asked = 0;
            proof.asked_by.insert(client.to_owned(), 0);
            self.sessions.push(Session {
                to,
                started_by: (challenge, guess.clone()),
                new_user: last.is_none(),
                refreshed_at: self.now,
                expires_at: self.now + IDLE.min(LIFE),
                ends_at: self.now + LIFE,
                in_table: true,
                tokens: vec![None],
            });
        }
        if !known || unsigned {
            return UNAVAILABLE.into();
        }
        self.logged_in(self.sessions.len() - 1)
    }

    /// The code is used. The request that used it gets the same login, as long as its refresh
    /// token is unused.
    fn log_in_again(&mut self, by: &(usize, Guess), disturbance: Disturbance) -> Expected {
        if by.1.0.is_none() {
            return INVALID_OTP.into();
        }
        if disturbance.hides(Call::FindSession) {
            return UNAVAILABLE.into();
        }
        let ours = |it: &Session| it.in_table && it.tokens.len() == 1 && it.started_by == *by;
        let Some(session) = self.sessions.iter().position(ours) else {
            return INVALID_OTP.into();
        };
        if disturbance.hides(Call::Sign) {
            return UNAVAILABLE.into();
        }
        self.has_repeated_a_login = true;
        self.logged_in(session)
    }

    fn logged_in(&self, session: usize) -> Expected {
        let it = &self.sessions[session];
        Expected {
            outcome: Outcome::LoggedIn {
                new_user: it.new_user,
                expires_in: (it.expires_at - self.now) / 1000,
                claims: self.claims_of(&it.to),
            },
            messages: 0,
            about: Some(session),
        }
    }
}
