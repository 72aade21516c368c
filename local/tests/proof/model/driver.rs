//! Tells stories to the service and to the model, and compares.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use proptest::{prop_assert, prop_assert_eq, test_runner::TestCaseError};

use super::{
    operations::{Operation, Trouble, Weather},
    rules::{DAY, Expected, HOUR, Model, Request, SETTINGS, Told},
    wire::told,
};
use crate::{
    faults::Call,
    service::{Answer, Service},
};

pub struct Driver {
    service: Service,
    told: AtomicUsize,
    /// Every kind of answer that was met.
    seen: RefCell<BTreeSet<String>>,
}

impl Driver {
    pub async fn start() -> Self {
        let service = Service::start(&SETTINGS).await;
        service.warm_up().await;
        Self {
            service,
            told: AtomicUsize::default(),
            seen: RefCell::default(),
        }
    }

    /// Stories that never log anybody in would prove nothing.
    pub fn assert_all_was_seen(&self) {
        let seen = self.seen.borrow();
        for told in [
            "Sent",
            "LoggedIn",
            "Refreshed",
            "LoggedOut",
            "TooMany",
            "unavailable",
            "delivery-failed",
            "invalid-otp",
            "invalid-refresh-token",
            "idempotency-key-reused",
        ] {
            let met = seen.iter().any(|answer| answer.contains(told));
            assert!(met, "no story came to {told}");
        }
    }

    pub async fn tell(&self, story: &[Operation]) -> Result<(), TestCaseError> {
        // Nothing of the last story counts two days later.
        let now = self.service.now();
        let start = now - now % DAY + 2 * DAY + HOUR / 6;
        self.service.advance(Duration::from_millis(start - now));
        let mut telling = Telling {
            service: &self.service,
            number: self.told.fetch_add(1, Ordering::SeqCst),
            model: Model::default(),
            last: None,
        };
        for operation in story {
            let told = telling.perform(operation).await?;
            let told = told.map(|told| format!("{told:?}"));
            self.seen.borrow_mut().extend(told);
        }
        self.service.stack.messages.clear();
        telling.compare_table().await
    }
}

/// One story, as far as it is told.
pub struct Telling<'a> {
    pub service: &'a Service,
    pub number: usize,
    pub model: Model,
    last: Option<Request>,
}

impl Telling<'_> {
    async fn perform(&mut self, operation: &Operation) -> Result<Option<Told>, TestCaseError> {
        self.model.now = self.service.now();
        let (request, weather) = match *operation {
            Operation::Wait(wait) => {
                self.wait(wait);
                return Ok(None);
            }
            Operation::Again { weather } => (self.last.clone(), weather),
            Operation::Login {
                to,
                client,
                key,
                weather,
            } => {
                let key = key.map(|key| format!("key-{key}-of-story-{}", self.number));
                let (to, client) = (self.destination(to), format!("10.0.0.{client}"));
                (Some(Request::Login { to, client, key }), weather)
            }
            Operation::Validate {
                to,
                back,
                named,
                guess,
                client,
                weather,
            } => {
                let client = format!("10.0.1.{client}");
                let request = self.guess(self.destination(to), back, named, guess, client);
                (Some(request), weather)
            }
            Operation::Refresh {
                back,
                token,
                weather,
            } => {
                let token = self.token(back, token);
                (token.map(|token| Request::Refresh { token }), weather)
            }
            Operation::LogOut {
                back,
                token,
                all,
                weather,
            } => {
                let token = self.token(back, token);
                (token.map(|token| Request::LogOut { token, all }), weather)
            }
        };
        let Some(request) = request else {
            return Ok(None);
        };
        self.last = Some(request.clone());
        self.make(&request, weather).await.map(Some)
    }

    /// Makes a request of both, compares, and remembers what a client would.
    async fn make(&mut self, request: &Request, weather: Weather) -> Result<Told, TestCaseError> {
        let weather = foreseeable(request, weather);
        let expected = self.model.expect(request, weather);
        let to = match request {
            Request::Login { to, .. } => to.as_str(),
            _ => "",
        };
        let before = self.service.messages(to).len();
        self.set(weather);
        let answer = self.send(request).await;
        self.service.faults.stop();
        self.service.stack.messages.set_refusing(false);
        prop_assert_eq!(&told(request, &answer), &expected.told);
        let messages = self.service.messages(to);
        prop_assert_eq!(messages.len() - before, expected.messages);
        self.learn(request, &expected, &answer)?;
        Ok(expected.told)
    }

    fn learn(
        &mut self,
        request: &Request,
        expected: &Expected,
        answer: &Answer,
    ) -> Result<(), TestCaseError> {
        let Some(about) = expected.about else {
            return Ok(());
        };
        if let Request::Login { to, .. } = request {
            let challenge = &mut self.model.challenges[about];
            if expected.messages > 0 {
                let messages = self.service.messages(to);
                challenge.code.clone_from(&messages[0].code);
                let same = messages[..expected.messages]
                    .iter()
                    .all(|message| message.code == challenge.code);
                prop_assert!(same, "a repeated message has another code");
            }
            if answer.status == 200 {
                let id = answer.text("challenge_id");
                let known = challenge.id.get_or_insert_with(|| id.clone());
                prop_assert!(*known == id, "a repeated request has another challenge");
            }
        } else {
            let token = answer.text("refresh_token");
            let current = self.model.families[about].tokens.last_mut().unwrap();
            let known = current.get_or_insert_with(|| token.clone());
            prop_assert!(*known == token, "a repeated refresh has another successor");
        }
        Ok(())
    }
}

/// Of several families whose ending fails on the way nobody can tell which have
/// ended.
fn foreseeable(request: &Request, mut weather: Weather) -> Weather {
    let all = matches!(request, Request::LogOut { all: true, .. });
    if all && weather.fault == Some((Call::EndFamily, Trouble::Lost)) {
        weather.fault = None;
    }
    weather
}
