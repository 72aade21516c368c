//! Turns the choices of an operation into a request, in the state that the story has reached.

use std::time::Duration;

use tests::other_than;

use super::{
    operations::{DESTINATIONS, Guess, Wait, Which},
    rules::{DAY, HOUR, Request},
    runner::StoryRun,
};

impl StoryRun<'_> {
    pub fn destination(&self, to: usize) -> String {
        assert!(to < DESTINATIONS);
        match to {
            2 => format!("+1{:09}", self.number),
            3 => format!("+447{:08}", self.number),
            4 => format!("person0+spam@story{}.example.com", self.number),
            _ => format!("person{to}@story{}.example.com", self.number),
        }
    }

    /// The client that requested a challenge, or another.
    pub fn validating_client(&self, to: usize, back: usize, client: usize) -> String {
        let to = self.destination(to);
        let challenges = self.model.challenges.iter().rev();
        let requested = challenges.filter(|it| it.to == to).nth(back);
        match requested {
            Some(it) if client > 0 => it.client.clone(),
            _ => format!("10.0.1.{client}"),
        }
    }

    pub fn guess(
        &self,
        to: String,
        back: usize,
        named: bool,
        guess: Guess,
        client: String,
        key: Option<String>,
    ) -> Request {
        let challenges: Vec<_> = self
            .model
            .challenges
            .iter()
            .filter(|it| it.to == to)
            .collect();
        let nth = |back: usize| {
            challenges
                .len()
                .checked_sub(back + 1)
                .map(|n| challenges[n])
        };
        let code = |back| nth(back).and_then(|it| it.code.clone());
        let any = || "1234567890".to_owned();
        let otp = match guess {
            Guess::Right => code(back).unwrap_or_else(any),
            Guess::Wrong => other_than(&code(back).unwrap_or_else(any)),
            Guess::Older => code(back + 1).unwrap_or_else(any),
            Guess::Malformed => "12345".to_owned(),
        };
        let never_issued = || "AAAAAAAAAAAAAAAAAAAAAA".to_owned();
        let id = named.then(|| {
            nth(back)
                .and_then(|it| it.id.clone())
                .unwrap_or_else(never_issued)
        });
        Request::Validate {
            to,
            id,
            otp,
            client,
            key,
        }
    }

    pub fn token(&self, back: usize, which: Which) -> Option<String> {
        let known = self.model.sessions.iter().rev();
        let mut known = known.filter(|it| it.tokens.iter().any(Option::is_some));
        let tokens: Vec<_> = known.nth(back)?.tokens.iter().flatten().collect();
        let newest = tokens.len() - 1;
        let mut token = match which {
            Which::Current | Which::Forged => tokens[newest].clone(),
            Which::Previous => tokens[newest.saturating_sub(1)].clone(),
            Which::First => tokens[0].clone(),
        };
        if matches!(which, Which::Forged) {
            let other = if &token[40..42] == "AA" { "BB" } else { "AA" };
            token.replace_range(40..42, other);
        }
        Some(token)
    }

    pub fn wait(&self, wait: Wait) {
        let now = self.app.now();
        let by = match wait {
            Wait::For(span) => span,
            Wait::Until { day, before } => {
                let window = if day { DAY } else { HOUR };
                Duration::from_millis(window - now % window).saturating_sub(before)
            }
        };
        self.app.advance(by);
    }
}
