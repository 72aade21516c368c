//! A service with destinations of some classes, and the requests that are measured.

use std::{collections::HashMap, fmt, net::SocketAddr, sync::LazyLock, time::Duration};

use otp_service::ambient::Stopwatch;
use serde_json::Value;
use tests::{Call, CallFault, Client, LOGIN, TestApp, VALIDATE, destination, setting, validation};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

/// The samples of each class. With fewer, chance alone exceeds the bounds.
pub static SAMPLES: LazyLock<usize> =
    LazyLock::new(|| setting("CONCEAL_SAMPLES", 500).try_into().unwrap_or(500));

/// Who a destination belongs to, and what happens to a message there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A user's.
    Known,
    /// No user's.
    Unknown,
    /// A disabled user's.
    Disabled,
    /// A user's. The provider refuses the message.
    Refused,
    /// A user's. The provider never answers.
    Hanging,
    /// A disabled user's, under `sign-up`: an admission that sends nothing.
    Admitted,
}

impl Class {
    /// What the proxy does to the call that sends a message.
    const fn fault(self) -> Option<CallFault> {
        match self {
            // What SES answers in its sandbox.
            Self::Refused => Some(CallFault::Error(400, "MessageRejected")),
            Self::Hanging => Some(CallFault::NoReply),
            Self::Known | Self::Unknown | Self::Disabled | Self::Admitted => None,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Disabled => "disabled",
            Self::Refused => "known, delivery refused",
            Self::Hanging => "known, delivery hangs",
            Self::Admitted => "sign-up, nothing to send",
        })
    }
}

/// `UNKNOWN_USERS` and `SIGN_UP_DOMAINS`.
pub type Mode = (&'static str, &'static str);
/// Nobody signs up.
pub const CONCEAL: Mode = ("conceal", "");
/// Everybody may sign up.
pub const SIGN_UP: Mode = ("sign-up", "");
/// None of these destinations may sign up.
pub const OUTSIDE: Mode = ("sign-up", "elsewhere.example");

/// One destination, which logs in once.
struct Subject {
    class: Class,
    to: String,
}

/// What a client saw of one request.
pub struct Sample {
    pub class: Class,
    pub to: String,
    pub took: Duration,
    /// The whole answer without the date and without what is random.
    pub seen: String,
    pub challenge_id: String,
}

/// A request to be measured.
struct Planned {
    class: Class,
    to: String,
    path: &'static str,
    body: Value,
}

pub struct Population {
    app: TestApp,
    subjects: Vec<Subject>,
}

impl Population {
    /// Starts a service in this mode, with destinations of these classes.
    pub async fn start(mode: Mode, classes: &[Class]) -> Self {
        let app = TestApp::with(&[
            ("CONVERSION_GUARD", "0"),
            ("EMAILS_PER_DAY", "1000000"),
            ("UNKNOWN_USERS", mode.0),
            ("SIGN_UP_DOMAINS", mode.1),
            // All requests come from one client.
            ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
            // The clock does not move, so a second login is always refused.
            ("RESEND_COOLDOWN_SECONDS", "86400"),
        ])
        .await;
        // Which login meets such a batch depends on the order of all calls, not on its class.
        app.faults.read_whole_batches();
        let subjects = subjects(classes);
        for subject in &subjects {
            if subject.class != Class::Unknown {
                let disabled = matches!(subject.class, Class::Disabled | Class::Admitted);
                app.add_user(&subject.to, disabled).await;
            }
        }
        let classes = subjects.iter().map(|one| (one.to.clone(), one.class));
        let classes: HashMap<_, _> = classes.collect();
        app.faults.inject_by(move |call, body| {
            let to = (call == Call::SendEmail).then(|| recipient(body)).flatten();
            classes.get(&to?)?.fault()
        });
        Self { app, subjects }
    }

    /// Logs in once with each destination of these classes.
    pub async fn logins(&self, classes: &[Class], pace: Duration) -> Vec<Sample> {
        let subjects = self.subjects.iter();
        let subjects = subjects.filter(|subject| classes.contains(&subject.class));
        let planned = subjects.map(|subject| Planned {
            class: subject.class,
            to: subject.to.clone(),
            path: LOGIN,
            body: destination(&subject.to),
        });
        self.send_shuffled(planned.collect(), pace).await
    }

    /// Guesses wrong, once at the code of each login of these classes.
    pub async fn wrong_guesses(
        &self,
        logins: &[Sample],
        classes: &[Class],
        pace: Duration,
    ) -> Vec<Sample> {
        let messages = self.app.stack.messages.messages(None).into_iter();
        let codes = messages.map(|message| (message.to, message.code));
        let codes: HashMap<_, _> = codes.collect();
        let logins = logins.iter().filter(|login| classes.contains(&login.class));
        let planned = logins.map(|login| {
            let code = codes.get(&login.to).and_then(Option::as_deref);
            let guess = if code == Some("123456") {
                "654321"
            } else {
                "123456"
            };
            Planned {
                class: login.class,
                to: login.to.clone(),
                path: VALIDATE,
                body: validation(&login.to, Some(&login.challenge_id), guess),
            }
        });
        self.send_shuffled(planned.collect(), pace).await
    }

    /// Sends the requests in random order at this pace, without waiting for answers.
    async fn send_shuffled(&self, mut planned: Vec<Planned>, pace: Duration) -> Vec<Sample> {
        planned.sort_by_cached_key(|_| uuid::Uuid::new_v4());
        let mut ticks = interval(pace);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut running = JoinSet::new();
        for request in planned {
            ticks.tick().await;
            running.spawn(request.send(self.app.client.hurried()));
        }
        running.join_all().await
    }

    /// Every destination, in random order.
    pub fn shuffled(&self) -> Vec<(Class, String)> {
        let subjects = self.subjects.iter();
        let mut all: Vec<_> = subjects.map(|one| (one.class, one.to.clone())).collect();
        all.sort_by_cached_key(|_| uuid::Uuid::new_v4());
        all
    }

    /// Where the services of this population are.
    pub const fn services(&self) -> SocketAddr {
        self.app.faults.address
    }

    /// Checks that the classes are what they are called, by the messages that were delivered and
    /// those that failed.
    pub async fn check_messages(&self, delivered: usize, failed: usize) -> Result<(), String> {
        self.app.settle().await;
        let inbox = self.app.stack.messages.messages(None).len();
        let injected = self.app.faults.injected();
        if (inbox, injected) == (delivered, failed) {
            return Ok(());
        }
        Err(format!(
            "no valid measurement: {inbox} messages were delivered and {injected} failed, \
             instead of {delivered} and {failed}"
        ))
    }
}

impl Planned {
    async fn send(self, client: Client) -> Sample {
        let body = self.body.to_string();
        let started = Stopwatch::start();
        let answer = client.post(self.path, &[], body).await;
        let took = started.elapsed();

        let id = answer.json["challenge_id"].as_str().unwrap_or_default();
        let mut body = String::from_utf8_lossy(&answer.bytes).into_owned();
        // The destination is what the client sent.
        let to = answer.json["destination"].as_str().unwrap_or_default();
        for own in [id, to].into_iter().filter(|text| !text.is_empty()) {
            body = body.replace(own, &"*".repeat(own.len()));
        }
        let mut headers = answer.headers.clone();
        headers.remove("date");
        Sample {
            class: self.class,
            to: self.to,
            took,
            seen: format!("{} {headers:?} {body}", answer.status),
            challenge_id: id.to_owned(),
        }
    }
}

/// The addresses have one length, and nothing in them depends on the class.
fn subjects(classes: &[Class]) -> Vec<Subject> {
    let classes = classes
        .iter()
        .flat_map(|class| std::iter::repeat_n(*class, *SAMPLES));
    let subjects = classes.map(|class| Subject {
        class,
        to: format!("{}@example.com", uuid::Uuid::new_v4().simple()),
    });
    subjects.collect()
}

/// The recipient of an e-mail, from the body of the call that sends it.
fn recipient(body: &[u8]) -> Option<String> {
    let message: Value = serde_json::from_slice(body).ok()?;
    let to = message["Destination"]["ToAddresses"][0].as_str();
    to.map(str::to_owned)
}
