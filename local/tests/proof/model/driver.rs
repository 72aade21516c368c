//! Tells stories to the service and to the model, and compares.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    net::IpAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use otp::http::route::Route;
use proptest::{prop_assert, prop_assert_eq, test_runner::TestCaseError};
use serde_json::json;

use super::{
    operations::{DESTINATIONS, Guess, Operation, Trouble, Wait, Weather, Which},
    rules::{DAY, Expected, HOUR, Model, Request, SETTINGS, Told},
};
use crate::{
    faults::{Call, Fault},
    service::{Answer, Service, claim, destination, number, other_than, partition_name, spent},
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

struct Telling<'a> {
    service: &'a Service,
    number: usize,
    model: Model,
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

    fn set(&self, weather: Weather) {
        self.service.stack.messages.set_refusing(weather.refusing);
        if let Some((call, trouble)) = weather.fault {
            let (fault, times) = match trouble {
                Trouble::LostOnce => (Fault::Dropped, 1),
                Trouble::Lost => (Fault::Denied, usize::MAX),
                Trouble::Refused => (Fault::Broken, usize::MAX),
            };
            self.service.faults.plan(call, fault, times);
        }
    }

    async fn send(&self, request: &Request) -> Answer {
        let from = |client: &str| client.parse::<IpAddr>().unwrap();
        match request {
            Request::Login { to, client, key } => {
                let headers: Vec<_> = key
                    .iter()
                    .map(|key| ("idempotency-key", key.as_str()))
                    .collect();
                self.service
                    .ask(from(client), Route::Login, &headers, &destination(to))
                    .await
            }
            Request::Validate {
                to,
                id,
                otp,
                client,
            } => {
                let claim = claim(to, id.as_deref(), otp);
                self.service
                    .ask(from(client), Route::Validate, &[], &claim)
                    .await
            }
            Request::Refresh { token } => {
                let body = json!({ "refresh_token": token });
                self.service.post(Route::Refresh, &body).await
            }
            Request::LogOut { token, all } => {
                let body = json!({ "refresh_token": token, "all": all });
                self.service.post(Route::Logout, &body).await
            }
        }
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

    fn destination(&self, to: usize) -> String {
        assert!(to < DESTINATIONS);
        match to {
            2 => format!("+1{:09}", self.number),
            3 => format!("+44{:09}", self.number),
            _ => format!("person{to}@story{}.example.com", self.number),
        }
    }

    fn guess(&self, to: String, back: usize, named: bool, guess: Guess, client: String) -> Request {
        let theirs: Vec<_> = self
            .model
            .challenges
            .iter()
            .filter(|it| it.to == to)
            .collect();
        let nth = |back: usize| theirs.len().checked_sub(back + 1).map(|n| theirs[n]);
        let code = |back| nth(back).and_then(|it| it.code.clone());
        let any = || "123456".to_owned();
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
        }
    }

    fn token(&self, back: usize, which: Which) -> Option<String> {
        let known = self.model.families.iter().rev();
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

    fn wait(&self, wait: Wait) {
        let now = self.service.now();
        let by = match wait {
            Wait::For(span) => span,
            Wait::Until { day, before } => {
                let window = if day { DAY } else { HOUR };
                Duration::from_millis(window - now % window).saturating_sub(before)
            }
        };
        self.service.advance(by);
    }

    /// Everything that the model knows of must stand, and no other challenge or
    /// family.
    async fn compare_table(&self) -> Result<(), TestCaseError> {
        for to in (0..DESTINATIONS).map(|to| self.destination(to)) {
            let items = self.service.partition(&partition_name(&to)).await;
            let mut stand: Vec<_> = items
                .iter()
                .filter(|(sort, _)| sort.starts_with("challenge#"))
                .map(|(_, item)| (number(item, "issued_at").unwrap(), spent(item)))
                .collect();
            stand.sort_unstable();
            let expected = self.model.challenges.iter();
            let expected: Vec<_> = expected
                .filter(|it| it.to == to && it.stands)
                .map(|it| (i64::try_from(it.issued_at).unwrap(), it.spent))
                .collect();
            prop_assert_eq!(stand, expected, "challenges and their attempts");
            let moment =
                |sort: &str, name: &str| items.get(sort).and_then(|item| number(item, name));
            let known = |at: Option<&u64>| at.map(|at| i64::try_from(*at).unwrap());
            let sent_at = moment("cooldown", "sent_at");
            prop_assert_eq!(sent_at, known(self.model.sent_at.get(&to)), "the last send");
            let last = moment("user", "last_login_at");
            prop_assert_eq!(
                last,
                known(self.model.last_login.get(&to)),
                "the last login"
            );
            let families = self.model.families.iter();
            let families = families.filter(|it| it.to == to && it.stands).count();
            prop_assert_eq!(self.service.families(&to).await, families, "families");
        }
        for ((scope, sort), count) in &self.model.counters {
            let items = self.service.partition(scope).await;
            let admitted = items.get(sort).and_then(|item| number(item, "admitted"));
            prop_assert_eq!(admitted, Some(i64::from(*count)), "{} {}", scope, sort);
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

/// What an answer says.
fn told(request: &Request, answer: &Answer) -> Told {
    let number = |name: &str| answer.json[name].as_u64().unwrap_or_default();
    match (answer.status, request) {
        (200, Request::Login { .. }) => Told::Sent {
            expires_in: number("expires_in"),
            resend_in: number("resend_in"),
        },
        (200, Request::Validate { .. }) => Told::LoggedIn {
            new_user: answer.json["new_user"] == true,
        },
        (200, Request::Refresh { .. }) => Told::Refreshed {
            expires_in: number("refresh_expires_in"),
        },
        (204, Request::LogOut { .. }) => Told::LoggedOut,
        (429, _) => Told::TooMany {
            retry_after: number("retry_after"),
        },
        (status, _) => {
            let kind = answer.text("type");
            let names = [
                "unavailable",
                "delivery-failed",
                "invalid-otp",
                "invalid-refresh-token",
                "idempotency-key-reused",
            ];
            let name = names.into_iter().find(|name| kind.ends_with(name));
            Told::Problem(status, name.unwrap_or("another"))
        }
    }
}
