//! `cargo run -p local --example conceal`: whether a stranger can tell who has
//! an account, by what a login answers and by how long it takes.
//!
//! `docs/conceal.md` explains what is measured. Fails when a bound is exceeded.

mod provider;
mod stats;

use std::{
    collections::{BTreeSet, HashMap},
    error::Error,
    fmt,
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use axum::{
    body::Bytes,
    http::{Request, header},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use local::{
    gateway::{Clock, Functions, router},
    stack::{Options, Stack, sdk_config},
};
use otp::{ambient, telemetry};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet, time::MissedTickBehavior};

use crate::{
    provider::Provider,
    stats::{RankTest, median, quantile},
};

const LOGIN: &str = "/api/login-with-otp/";
const VALIDATE: &str = "/api/validate-otp/";

/// Samples of each class.
const SAMPLES: usize = 500;

/// The medians of two classes may differ by this share of the known users',
/// where times are padded. Of a few milliseconds it would be less than chance
/// makes of them; there the ranks alone judge.
const MAX_DIFFERENCE: f64 = 0.05;

/// A rank test that is less likely than this under chance tells classes apart.
const MIN_P: f64 = 0.01;

/// How far from one half the chance of guessing right may be.
const MAX_ADVANTAGE: f64 = 0.05;

/// The time from one request to the next where answers take two seconds, which
/// keeps about 40 in flight.
const PADDED_PACE: Duration = Duration::from_millis(50);

/// The same where answers come at once.
const PACE: Duration = Duration::from_millis(20);

type Http = Client<HttpConnector, Full<Bytes>>;
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Whose destination it is, and what becomes of a message there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Class {
    /// A user's.
    Known,
    /// Nobody's.
    Unknown,
    /// A disabled user's.
    Disabled,
    /// A user's whose message the provider refuses.
    Refused,
    /// A user's whose message the provider never answers for.
    Hanging,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Disabled => "disabled",
            Self::Refused => "known, delivery refused",
            Self::Hanging => "known, delivery hangs",
        })
    }
}

/// One destination, which is asked for once.
struct Subject {
    class: Class,
    to: String,
}

/// What a client got to see of one request.
struct Sample {
    class: Class,
    to: String,
    took: Duration,
    /// The whole answer, but for what is random and for the date.
    seen: String,
    challenge_id: String,
}

/// A stack with destinations of some classes, and a client of it.
struct Site {
    stack: Stack,
    provider: Provider,
    subjects: Vec<Subject>,
    api: SocketAddr,
    http: Http,
}

#[tokio::main]
async fn main() -> Outcome<ExitCode> {
    // Writing the log is part of a request; where it goes is not.
    let log = telemetry::subscriber(std::io::sink);
    tracing::subscriber::set_global_default(log)?;
    let mut verdict = Verdict::default();
    concealed(&mut verdict).await?;
    control(&mut verdict).await?;
    Ok(verdict.announce())
}

/// Logins under `conceal`, then wrong guesses at their codes.
async fn concealed(verdict: &mut Verdict) -> Outcome<()> {
    let classes = [
        Class::Known,
        Class::Unknown,
        Class::Disabled,
        Class::Refused,
        Class::Hanging,
    ];
    let site = Site::start("conceal", &classes).await?;
    let logins = site.logins(&classes, PADDED_PACE).await?;
    site.check_messages(SAMPLES, 2 * SAMPLES)?;
    let title = "Logins under UNKNOWN_USERS=conceal";
    verdict.must_not_tell(&Comparison::of(title, &classes, &logins), true);

    let classes = &classes[..3];
    let refused = site.logins(classes, PACE).await?;
    let title = "Second logins, which the cooldown refuses";
    verdict.must_not_tell(&Comparison::of(title, classes, &refused), false);

    let guesses = site.wrong_guesses(&logins, classes).await?;
    let title = "Wrong guesses at their codes";
    verdict.must_not_tell(&Comparison::of(title, classes, &guesses), false);
    Ok(())
}

/// Logins where nothing is padded, which the same method has to tell apart.
async fn control(verdict: &mut Verdict) -> Outcome<()> {
    let classes = [Class::Known, Class::Disabled];
    let site = Site::start("sign-up", &classes).await?;
    let logins = site.logins(&classes, PACE).await?;
    site.check_messages(SAMPLES, 0)?;
    let title = "Control: logins under UNKNOWN_USERS=sign-up, which takes no care of its time";
    verdict.must_tell(&Comparison::of(title, &classes, &logins));
    Ok(())
}

impl Site {
    async fn start(mode: &str, classes: &[Class]) -> Outcome<Self> {
        let clock: Clock = Arc::new(ambient::now);
        let settings = |name: &str| match name {
            "UNKNOWN_USERS" => Some(mode.to_owned()),
            // All requests come from one address.
            "REQUESTS_PER_IP_PER_HOUR" => Some("1000000".to_owned()),
            // Whoever asks twice is refused, however late.
            "RESEND_COOLDOWN_SECONDS" => Some("86400".to_owned()),
            _ => None,
        };
        let free = || "127.0.0.1:0".to_owned();
        let stack = Stack::start(Options {
            api: free(),
            inbox: free(),
            aws: free(),
            settings,
            clock: Arc::clone(&clock),
        })
        .await?;
        let subjects = subjects(classes);
        add_users(&stack, &subjects).await?;

        let known = subjects.iter().map(|one| (one.to.clone(), one.class));
        let provider = Provider::new(stack.aws, known.collect());
        let functions = Functions::new(&stack.config, provider.serve().await?, clock);
        tokio::join!(functions.login.warm_up(), functions.validate.warm_up());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let api = listener.local_addr()?;
        let gateway =
            router(Arc::new(functions)).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, gateway).await });
        Ok(Self {
            stack,
            provider,
            subjects,
            api,
            http: client(),
        })
    }

    /// Asks for a code of each destination of these classes.
    async fn logins(&self, classes: &[Class], every: Duration) -> Outcome<Vec<Sample>> {
        let subjects = self.subjects.iter();
        let subjects = subjects.filter(|subject| classes.contains(&subject.class));
        let asks = subjects.map(|subject| Ask {
            class: subject.class,
            to: subject.to.clone(),
            path: LOGIN,
            body: json!({ "email": subject.to }),
        });
        self.interleave(asks.collect(), every).await
    }

    /// Guesses wrong, once at each login of these classes.
    async fn wrong_guesses(&self, logins: &[Sample], classes: &[Class]) -> Outcome<Vec<Sample>> {
        let codes: HashMap<_, _> = self
            .stack
            .messages
            .messages(None)
            .into_iter()
            .map(|message| (message.to, message.code))
            .collect();
        let asks = logins.iter().filter(|login| classes.contains(&login.class));
        let asks = asks.map(|login| {
            let is_right =
                |guess: &str| matches!(codes.get(&login.to), Some(Some(code)) if code == guess);
            let guess = if is_right("123456") {
                "654321"
            } else {
                "123456"
            };
            Ask {
                class: login.class,
                to: login.to.clone(),
                path: VALIDATE,
                body: json!({
                    "email": login.to, "challenge_id": login.challenge_id, "otp": guess,
                }),
            }
        });
        self.interleave(asks.collect(), PACE).await
    }

    /// Sends the requests in random order, one after the other at this pace,
    /// without waiting for answers.
    async fn interleave(&self, mut asks: Vec<Ask>, every: Duration) -> Outcome<Vec<Sample>> {
        asks.sort_by_cached_key(|_| uuid::Uuid::new_v4());
        let mut pace = tokio::time::interval(every);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut running = JoinSet::new();
        for ask in asks {
            pace.tick().await;
            running.spawn(ask.send(self.http.clone(), self.api));
        }
        running.join_all().await.into_iter().collect()
    }

    /// The classes are what they are called: codes reach some and not others.
    fn check_messages(&self, expected: usize, expected_failures: usize) -> Outcome<()> {
        let delivered = self.stack.messages.messages(None).len();
        let failed = self.provider.failed();
        if (delivered, failed) == (expected, expected_failures) {
            return Ok(());
        }
        Err(format!(
            "{delivered} messages were delivered and {failed} failed, \
             not {expected} and {expected_failures}: this is no measurement"
        )
        .into())
    }
}

/// The addresses say nothing of their classes, not even by length.
fn subjects(classes: &[Class]) -> Vec<Subject> {
    let classes = classes.iter().flat_map(|class| [*class; SAMPLES]);
    classes
        .map(|class| Subject {
            class,
            to: format!("{}@example.com", uuid::Uuid::new_v4().simple()),
        })
        .collect()
}

/// Makes the users behind the functions' back.
async fn add_users(stack: &Stack, subjects: &[Subject]) -> Outcome<()> {
    let client = aws_sdk_dynamodb::Client::new(&sdk_config(stack.aws));
    let text = |value: String| AttributeValue::S(value);
    let users = subjects
        .iter()
        .filter(|subject| subject.class != Class::Unknown);
    for user in users {
        let mut put = client
            .put_item()
            .table_name(&stack.config.table_name)
            .item("pk", text(format!("email#{}", user.to)))
            .item("sk", text("user".to_owned()))
            .item("user_id", text(uuid::Uuid::new_v4().to_string()))
            .item("created_at", AttributeValue::N("0".into()));
        if user.class == Class::Disabled {
            put = put.item("disabled_at", AttributeValue::N("0".into()));
        }
        put.send().await?;
    }
    Ok(())
}

/// A request to be made.
struct Ask {
    class: Class,
    to: String,
    path: &'static str,
    body: Value,
}

impl Ask {
    /// Measures from before the first byte leaves to after the last has come.
    async fn send(self, http: Http, api: SocketAddr) -> Outcome<Sample> {
        let request = Request::post(format!("http://{api}{}", self.path))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(self.body.to_string())))?;
        let started = ambient::Stopwatch::start();
        let (mut head, body) = http.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        let took = started.elapsed();

        let json: Value = serde_json::from_slice(&body)?;
        let challenge_id = json["challenge_id"].as_str().unwrap_or_default().to_owned();
        let mut body = String::from_utf8(body.to_vec())?;
        if !challenge_id.is_empty() {
            body = body.replace(&challenge_id, &"*".repeat(challenge_id.len()));
        }
        // How long to wait depends on when the first login was.
        if let Some(wait) = json["retry_after"].as_u64() {
            let wait = wait.to_string();
            body = body.replace(&wait, &"*".repeat(wait.len()));
            if head
                .headers
                .get(header::RETRY_AFTER)
                .is_some_and(|value| *value == *wait)
            {
                head.headers.remove(header::RETRY_AFTER);
            }
        }
        head.headers.remove(header::DATE);
        Ok(Sample {
            class: self.class,
            to: self.to,
            took,
            seen: format!(
                "{:?} {} {:?} {body}",
                head.version, head.status, head.headers
            ),
            challenge_id,
        })
    }
}

fn client() -> Http {
    let mut connector = HttpConnector::new();
    // Two small writes must not wait for each other's acknowledgement.
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

/// The classes of one run, each beside the known users.
struct Comparison {
    title: &'static str,
    rows: Vec<Row>,
    /// Every different answer there was.
    answers: BTreeSet<String>,
}

struct Row {
    class: Class,
    /// In order of length.
    times: Vec<Duration>,
    /// What tells it from the known users, whom nothing tells from themselves.
    against_known: Option<Difference>,
}

struct Difference {
    /// Of the medians, as a share of the known users'.
    medians: f64,
    ranks: RankTest,
}

impl Comparison {
    fn of(title: &'static str, classes: &[Class], samples: &[Sample]) -> Self {
        let times = |class| {
            let own = samples.iter().filter(|sample| sample.class == class);
            let mut times: Vec<_> = own.map(|sample| sample.took).collect();
            times.sort_unstable();
            times
        };
        let known = times(Class::Known);
        let rows = classes.iter().map(|&class| {
            let times = times(class);
            let against_known = (class != Class::Known).then(|| Difference {
                medians: median(&times).div_duration_f64(median(&known)) - 1.0,
                ranks: RankTest::of(&known, &times),
            });
            Row {
                class,
                times,
                against_known,
            }
        });
        Self {
            title,
            rows: rows.collect(),
            answers: samples.iter().map(|sample| sample.seen.clone()).collect(),
        }
    }

    fn differences(&self) -> impl Iterator<Item = (Class, &Difference)> {
        self.rows
            .iter()
            .filter_map(|row| Some((row.class, row.against_known.as_ref()?)))
    }

    /// By how much a class would have to be slower for this run to tell it from
    /// the known users, as likely as not.
    fn least_visible(&self) -> Duration {
        let known = self.rows.first().map_or(&[][..], |row| &row.times);
        let is_seen = |shift: &u64| {
            let later = known
                .iter()
                .map(|time| *time + Duration::from_micros(*shift));
            RankTest::of(known, &later.collect::<Vec<_>>()).p <= MIN_P
        };
        let shifts = (0..).map(|n| 10 * n);
        Duration::from_micros(shifts.take(1000).find(is_seen).unwrap_or(10_000))
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the measurement is what this program prints"
)]
impl Comparison {
    fn print(&self) {
        println!("{}", self.title);
        println!(
            "{:<24} {:>4} {:>9} {:>9} {:>9} {:>9}   {:>9} {:>6} {:>7}",
            "times in ms", "n", "min", "median", "p90", "p99", "median", "AUC", "p"
        );
        for row in &self.rows {
            row.print();
        }
        println!(
            "different answers: {}; a class slower by {:.2} ms would have shown",
            self.answers.len(),
            millis(self.least_visible())
        );
        for answer in &self.answers {
            println!("  {answer}");
        }
        println!();
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the measurement is what this program prints"
)]
impl Row {
    fn print(&self) {
        let q = |q| millis(quantile(&self.times, q));
        print!(
            "{:<24} {:>4} {:>9.3} {:>9.3} {:>9.3} {:>9.3}",
            self.class,
            self.times.len(),
            q(0.0),
            millis(median(&self.times)),
            q(0.9),
            q(0.99)
        );
        if let Some(Difference { medians, ranks }) = &self.against_known {
            let percent = medians * 100.0;
            print!("   {percent:>+8.3}% {:>6.3} {:>7.4}", ranks.auc, ranks.p);
        }
        println!();
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Every bound that was exceeded.
#[derive(Default)]
struct Verdict(Vec<String>);

impl Verdict {
    fn must_not_tell(&mut self, comparison: &Comparison, is_padded: bool) {
        comparison.print();
        let title = comparison.title;
        if comparison.answers.len() > 1 {
            self.0.push(format!("{title}: the answers differ"));
        }
        for (class, Difference { medians, ranks }) in comparison.differences() {
            if is_padded && medians.abs() >= MAX_DIFFERENCE {
                self.0.push(format!("{title}: {class}: the medians differ"));
            }
            if ranks.p <= MIN_P || (ranks.auc - 0.5).abs() > MAX_ADVANTAGE {
                self.0.push(format!("{title}: {class}: the ranks differ"));
            }
        }
    }

    /// A method that sees nothing anywhere proves nothing.
    fn must_tell(&mut self, comparison: &Comparison) {
        comparison.print();
        for (class, Difference { ranks, .. }) in comparison.differences() {
            if ranks.p > MIN_P || (ranks.auc - 0.5).abs() <= MAX_ADVANTAGE {
                let title = comparison.title;
                self.0.push(format!("{title}: {class}: not told apart"));
            }
        }
    }

    #[expect(
        clippy::print_stdout,
        reason = "the measurement is what this program prints"
    )]
    fn announce(&self) -> ExitCode {
        for exceeded in &self.0 {
            println!("FAILED {exceeded}");
        }
        if self.0.is_empty() {
            println!("ok: nobody is told apart, except in the control");
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
