//! Runs a story on the service and on the model, and compares them.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use proptest::{prop_assert, prop_assert_eq, test_runner::TestCaseError};
use tests::{Answer, Call, TestApp};

use super::{
    limits::{HELD, guard_of},
    operations::{Disturbance, FaultEffect, INSTANCES, Operation, Story},
    rules::{DAY, Expected, HOUR, Model, Outcome, Request, SETTINGS},
    wire::outcome,
};

/// A validation that got the login of an earlier one.
const REPEATED_LOGIN: &str = "a repeated login";

pub struct StoryRunner {
    app: TestApp,
    other: TestApp,
    stories: AtomicUsize,
    /// Every outcome that has occurred.
    seen: RefCell<BTreeSet<String>>,
}

impl StoryRunner {
    pub async fn start() -> Self {
        let app = TestApp::with(&SETTINGS).await;
        let other = app.cold_start().await;
        other.warm_up().await;
        Self {
            app,
            other,
            stories: AtomicUsize::default(),
            seen: RefCell::default(),
        }
    }

    /// Stories in which nobody logs in, for example, would show nothing.
    pub fn assert_every_outcome_occurred(&self) {
        let seen = self.seen.borrow();
        for outcome in [
            "Sent",
            "LoggedIn",
            REPEATED_LOGIN,
            "Refreshed",
            "LoggedOut",
            "TooMany",
            "unavailable",
            "delivery-failed",
            "invalid-otp",
            "invalid-refresh-token",
        ] {
            let occurred = seen.iter().any(|seen| seen.contains(outcome));
            assert!(occurred, "no story has the outcome {outcome}");
        }
    }

    pub async fn run(&self, story: &Story) -> Result<(), TestCaseError> {
        // Two days later, nothing of the previous story counts.
        let now = self.app.now();
        let start = now - now % DAY + 2 * DAY + HOUR / 6;
        self.app.advance(Duration::from_millis(start - now));
        for to in ["", "+1", "+44"] {
            let (scope, _) = guard_of(to);
            self.app.delete(&scope, "messages").await;
        }
        self.other.set_ahead(story.ahead);
        let mut run = StoryRun {
            app: &self.app,
            instances: [&self.app, &self.other],
            number: self.stories.fetch_add(1, Ordering::SeqCst),
            model: Model::default(),
            filled: BTreeSet::new(),
            last: None,
            last_login: None,
        };
        for (operation, instance) in &story.operations {
            run.model.instance = *instance;
            let outcome = run.perform(operation).await?;
            let outcome = outcome.map(|outcome| format!("{outcome:?}"));
            self.seen.borrow_mut().extend(outcome);
        }
        if run.model.has_repeated_a_login {
            self.seen.borrow_mut().insert(REPEATED_LOGIN.to_owned());
        }
        self.app.stack.messages.clear();
        run.compare_table().await
    }
}

/// The run of one story.
pub struct StoryRun<'a> {
    /// The first instance, whose clock the waits move by.
    pub app: &'a TestApp,
    /// Both instances.
    pub instances: [&'a TestApp; INSTANCES],
    pub number: usize,
    pub model: Model,
    /// The days whose counters of text messages are filled.
    filled: BTreeSet<u64>,
    last: Option<Request>,
    /// The last validation that logged in.
    last_login: Option<Request>,
}

impl StoryRun<'_> {
    async fn perform(&mut self, operation: &Operation) -> Result<Option<Outcome>, TestCaseError> {
        self.perform_without_a_request(operation).await?;
        self.model.now = self.asked().now();
        self.fill_the_counters_of_a_new_day().await;
        let (request, disturbance) = self.request(operation);
        let Some(request) = request else {
            return Ok(None);
        };
        self.last = Some(request.clone());
        let outcome = self.send_and_compare(&request, disturbance).await?;
        if matches!(outcome, Outcome::LoggedIn { .. }) {
            self.last_login = Some(request);
        }
        Ok(Some(outcome))
    }

    /// The instance that is asked.
    pub fn asked(&self) -> &TestApp {
        self.instances[self.model.instance]
    }

    /// The cap of text messages has many counters. The model counts what is left in them.
    async fn fill_the_counters_of_a_new_day(&mut self) {
        let day = self.model.now / DAY * DAY / 1000;
        if self.filled.insert(day) {
            for (shard, held) in HELD.iter().enumerate() {
                let partition = format!("deployment#phone#{shard}");
                let mut items = self.app.partition(&partition).await;
                let mut page = items.remove("messages").unwrap_or_default();
                for (name, key) in [("pk", &*partition), ("sk", "messages")] {
                    page.insert(name.to_owned(), AttributeValue::S(key.to_owned()));
                }
                let count = AttributeValue::N(held.to_string());
                page.insert(format!("sms-day#{day}"), count);
                self.app.put(page).await;
            }
        }
    }

    /// The request of an operation, unless the story has nothing to make it of.
    fn request(&self, operation: &Operation) -> (Option<Request>, Disturbance) {
        match *operation {
            Operation::Wait(_) | Operation::SetClaims { .. } => (None, Disturbance::default()),
            Operation::Repeat { login, disturbance } => {
                let request = if login { &self.last_login } else { &self.last };
                (request.clone(), disturbance)
            }
            Operation::Login {
                to,
                client,
                key,
                disturbance,
            } => {
                let key = key.map(|key| format!("key-{key}-of-story-{}", self.number));
                let (to, client) = (self.destination(to), format!("10.0.0.{client}"));
                (Some(Request::Login { to, client, key }), disturbance)
            }
            Operation::Validate {
                to,
                back,
                named,
                guess,
                client,
                key,
                disturbance,
            } => {
                let client = self.validating_client(to, back, client);
                let key = key.map(|key| format!("key-{key}-of-story-{}", self.number));
                let to = self.destination(to);
                let request = self.guess(to, back, named, guess, client, key);
                (Some(request), disturbance)
            }
            Operation::Refresh {
                back,
                token,
                disturbance,
            } => {
                let token = self.token(back, token);
                (token.map(|token| Request::Refresh { token }), disturbance)
            }
            Operation::LogOut {
                back,
                token,
                all,
                disturbance,
            } => {
                let token = self.token(back, token);
                (
                    token.map(|token| Request::LogOut { token, all }),
                    disturbance,
                )
            }
        }
    }

    async fn perform_without_a_request(
        &mut self,
        operation: &Operation,
    ) -> Result<(), TestCaseError> {
        match *operation {
            Operation::Wait(wait) => self.wait(wait),
            Operation::SetClaims { to, value } => {
                let to = self.destination(to);
                let claims = match value {
                    0 => "{}".to_owned(),
                    value => format!(r#"{{"n":{value}}}"#),
                };
                let written = self.app.set_claims(&to, &claims).await;
                prop_assert_eq!(written, self.model.set_claims(&to, value));
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends a request to the service and to the model, compares the outcomes, and remembers what
    /// a client would.
    async fn send_and_compare(
        &mut self,
        request: &Request,
        disturbance: Disturbance,
    ) -> Result<Outcome, TestCaseError> {
        let disturbance = predictable(request, disturbance);
        let expected = self.model.expect(request, disturbance);
        let to = match request {
            Request::Login { to, .. } => to.as_str(),
            _ => "",
        };
        let before = self.app.messages(to).len();
        self.inject(disturbance);
        let answer = self.send(request).await;
        self.asked().faults.stop();
        self.app.stack.messages.set_refusing(false);
        prop_assert_eq!(&outcome(request, &answer), &expected.outcome);
        let messages = self.app.messages(to);
        prop_assert_eq!(messages.len() - before, expected.messages);
        self.learn(request, &expected, &answer)?;
        Ok(expected.outcome)
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
                let messages = self.app.messages(to);
                challenge.code.clone_from(&messages[0].code);
                let same = messages[..expected.messages]
                    .iter()
                    .all(|message| message.code == challenge.code);
                prop_assert!(same, "a repeated message holds another code");
            }
            if answer.status == 200 {
                let id = answer.text("challenge_id");
                let known = challenge.id.get_or_insert_with(|| id.clone());
                prop_assert!(*known == id, "a repeated login got another challenge");
            }
        } else {
            let token = answer.text("refresh_token");
            let current = self.model.sessions[about].tokens.last_mut().unwrap();
            let known = current.get_or_insert_with(|| token.clone());
            prop_assert!(*known == token, "a repeated refresh got another token");
        }
        Ok(())
    }
}

/// When a logout of all sessions fails on the way, nothing tells which of them have ended.
fn predictable(request: &Request, mut disturbance: Disturbance) -> Disturbance {
    let all = matches!(request, Request::LogOut { all: true, .. });
    if all && disturbance.fault == Some((Call::EndSession, FaultEffect::EveryReplyLost)) {
        disturbance.fault = None;
    }
    disturbance
}
