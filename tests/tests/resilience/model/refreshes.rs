//! Refreshes and logouts.

use tests::Call;

use super::{
    operations::{Disturbance, FaultEffect},
    rules::{Expected, GRACE, IDLE, INVALID_TOKEN, Model, Outcome, Session, UNAVAILABLE, written},
};

/// The part of a token that names its session.
const NAME: usize = 21;

/// How a token of a session is presented.
#[derive(PartialEq, Eq)]
enum Presentation {
    Current,
    Retried,
    Reused,
    Expired,
}

impl Model {
    fn session_of(&self, token: &str) -> Option<usize> {
        let named = |it: &Session| {
            let mut known = it.tokens.iter().flatten();
            known.any(|known| known[..NAME] == token[..NAME])
        };
        self.sessions.iter().position(|it| it.in_table && named(it))
    }

    fn presentation(&self, session: usize, token: &str) -> Presentation {
        let it = &self.sessions[session];
        let age = it
            .tokens
            .iter()
            .rev()
            .position(|known| known.as_deref() == Some(token));
        match age {
            _ if self.now >= it.expires_at => Presentation::Expired,
            Some(0) => Presentation::Current,
            Some(1) if self.now < it.refreshed_at + GRACE => Presentation::Retried,
            _ => Presentation::Reused,
        }
    }

    pub fn refresh(&mut self, token: &str, disturbance: Disturbance) -> Expected {
        if disturbance.hides(Call::FindSession) {
            return UNAVAILABLE.into();
        }
        let Some(session) = self.session_of(token) else {
            return INVALID_TOKEN.into();
        };
        let presentation = self.presentation(session, token);
        match presentation {
            Presentation::Expired => return INVALID_TOKEN.into(),
            Presentation::Reused => {
                let ended = self.end([session], disturbance.of(Call::EndSession));
                return if ended { INVALID_TOKEN } else { UNAVAILABLE }.into();
            }
            Presentation::Current | Presentation::Retried => {}
        }
        let needed = [Call::FindUser, Call::Sign];
        if needed.into_iter().any(|call| disturbance.hides(call)) {
            return UNAVAILABLE.into();
        }
        let claims = self.claims_of(&self.sessions[session].to);
        let now = self.now;
        let it = &mut self.sessions[session];
        if presentation == Presentation::Current {
            let (done, known) = written(disturbance.of(Call::Rotate));
            if done {
                it.tokens.push(None);
                it.refreshed_at = now;
                it.expires_at = it.ends_at.min(now + IDLE);
            }
            if !known {
                return UNAVAILABLE.into();
            }
        }
        Expected {
            outcome: Outcome::Refreshed {
                expires_in: (it.expires_at - now) / 1000,
                claims,
            },
            messages: 0,
            about: Some(session),
        }
    }

    pub fn log_out(&mut self, token: &str, all: bool, disturbance: Disturbance) -> Outcome {
        if disturbance.hides(Call::FindSession) {
            return UNAVAILABLE;
        }
        let Some(session) = self.session_of(token) else {
            return Outcome::LoggedOut;
        };
        let good = matches!(
            self.presentation(session, token),
            Presentation::Current | Presentation::Retried
        );
        let effect = disturbance.of(Call::EndSession);
        let ended = if all && good {
            if disturbance.hides(Call::ListSessions) {
                return UNAVAILABLE;
            }
            let to = self.sessions[session].to.clone();
            let theirs = (0..self.sessions.len()).filter(|n| self.sessions[*n].to == to);
            self.end(theirs.collect::<Vec<_>>(), effect)
        } else {
            self.end([session], effect)
        };
        if ended {
            Outcome::LoggedOut
        } else {
            UNAVAILABLE
        }
    }

    /// Whether the caller learns that the sessions have ended.
    fn end(
        &mut self,
        sessions: impl IntoIterator<Item = usize>,
        effect: Option<FaultEffect>,
    ) -> bool {
        let (done, known) = written(effect);
        if done {
            for session in sessions {
                self.sessions[session].in_table = false;
            }
        }
        known
    }
}
