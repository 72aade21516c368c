//! Families of refresh tokens.

use super::{
    operations::{Trouble, Weather},
    rules::{Expected, Family, GRACE, IDLE, INVALID_TOKEN, Model, Told, UNAVAILABLE, written},
};
use crate::faults::Call;

/// How much of a token names its family.
const NAME: usize = 21;

/// What a token of a family that stands amounts to.
#[derive(PartialEq, Eq)]
enum Worth {
    Current,
    Again,
    Copied,
    Expired,
}

impl Model {
    fn family_of(&self, token: &str) -> Option<usize> {
        let named = |it: &Family| {
            let mut known = it.tokens.iter().flatten();
            known.any(|known| known[..NAME] == token[..NAME])
        };
        self.families.iter().position(|it| it.stands && named(it))
    }

    fn worth(&self, family: usize, token: &str) -> Worth {
        let it = &self.families[family];
        let age = it
            .tokens
            .iter()
            .rev()
            .position(|known| known.as_deref() == Some(token));
        match age {
            _ if self.now >= it.expires_at => Worth::Expired,
            Some(0) => Worth::Current,
            Some(1) if self.now < it.refreshed_at + GRACE => Worth::Again,
            _ => Worth::Copied,
        }
    }

    pub fn refresh(&mut self, token: &str, weather: Weather) -> Expected {
        if weather.hides(Call::Family) {
            return UNAVAILABLE.into();
        }
        let Some(family) = self.family_of(token) else {
            return INVALID_TOKEN.into();
        };
        let worth = self.worth(family, token);
        match worth {
            Worth::Expired => return INVALID_TOKEN.into(),
            Worth::Copied => {
                let ended = self.end([family], weather.of(Call::EndFamily));
                return if ended { INVALID_TOKEN } else { UNAVAILABLE }.into();
            }
            Worth::Current | Worth::Again => {}
        }
        if weather.hides(Call::User) || weather.hides(Call::Sign) {
            return UNAVAILABLE.into();
        }
        let now = self.now;
        let it = &mut self.families[family];
        if worth == Worth::Current {
            let (done, known) = written(weather.of(Call::Rotate));
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
            told: Told::Refreshed {
                expires_in: (it.expires_at - now) / 1000,
            },
            messages: 0,
            about: Some(family),
        }
    }

    pub fn log_out(&mut self, token: &str, all: bool, weather: Weather) -> Told {
        if weather.hides(Call::Family) {
            return UNAVAILABLE;
        }
        let Some(family) = self.family_of(token) else {
            return Told::LoggedOut;
        };
        let good = matches!(self.worth(family, token), Worth::Current | Worth::Again);
        let trouble = weather.of(Call::EndFamily);
        let ended = if all && good {
            if weather.hides(Call::Families) {
                return UNAVAILABLE;
            }
            let to = self.families[family].to.clone();
            let theirs = (0..self.families.len()).filter(|n| self.families[*n].to == to);
            self.end(theirs.collect::<Vec<_>>(), trouble)
        } else {
            self.end([family], trouble)
        };
        if ended { Told::LoggedOut } else { UNAVAILABLE }
    }

    /// Whether the caller learns that they ended.
    fn end(&mut self, families: impl IntoIterator<Item = usize>, trouble: Option<Trouble>) -> bool {
        let (done, known) = written(trouble);
        if done {
            for family in families {
                self.families[family].stands = false;
            }
        }
        known
    }
}
