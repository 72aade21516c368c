//! The log: one JSON line per request, without secrets.
//!
//! It has only this crate's own events, and ignores `RUST_LOG` and
//! `AWS_LAMBDA_LOG_LEVEL`: at finer levels, the SDK and the runtime log whole
//! requests, with their codes and addresses.

use lambda_http::Request;
use otp_domain::{
    ChallengeId, Country, Destination, Pseudonym, Refusal, SessionId, Unauthorized, UserId, WayName,
};
use otp_service::{
    ErrorKind,
    about::{About, MessageId},
    ambient::{self, Stopwatch},
    fault::Fault,
    ledger::{Recorded, Report as DeliveryReport},
};
use tracing::{Level, Subscriber, error, info, warn};
use tracing_subscriber::{
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry::Registry,
};

use crate::{
    api::Report,
    cors::{self, CorsPolicy},
    failure::Failure,
    problem::Problem,
    rejection::Rejection,
    request,
    route::Route,
    settings::Settings,
};

/// The target of every event in the log.
pub const TARGET: &str = "otp";

/// Starts the log on standard output, where Lambda collects it.
pub fn init() {
    let _ = tracing::subscriber::set_global_default(subscriber(std::io::stdout));
}

/// A log that writes to `writer`.
pub fn subscriber<W>(writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_writer(writer);
    Registry::default()
        .with(lines)
        .with(Targets::new().with_target(TARGET, Level::INFO))
}

/// Writes a line for each warning of the settings.
pub fn warnings(settings: &Settings) {
    for reason in settings.warnings(ambient::now()) {
        warn!(target: TARGET, event = "start", outcome = "warning", reason = &*reason);
    }
}

/// Writes a fault that a function finds at its start, before it costs a login.
pub fn start_fault(fault: &Fault) {
    error!(
        target: TARGET,
        event = "start",
        outcome = Problem::DELIVERY_FAILED,
        dependency = fault.dependency.as_str(),
        operation = fault.operation,
        cause = %fault.cause,
    );
}

/// The name of the lines about reports.
const REPORT: &str = "report";

/// Writes that a provider's report cannot be understood.
pub fn not_understood(reason: &str) {
    warn!(target: TARGET, event = REPORT, outcome = "not-understood", reason);
}

/// Writes what a provider reports of a message; nothing if the message is not ours.
pub fn report(
    report: &DeliveryReport,
    recorded: Result<&Recorded, &Fault>,
    pseudonym: Option<&Pseudonym>,
) {
    let about = About::from(report);
    macro_rules! write_report {
        ($level:ident, $outcome:expr, $($fields:tt)*) => {
            $level!(
                target: TARGET,
                event = REPORT,
                outcome = $outcome,
                $($fields)*
                channel = channel(&about),
                way = report.way.as_str(),
                destination = masked(&about),
                pseudonym = pseudonym.map(Pseudonym::as_str),
                challenge_id = about.challenge.as_ref().map(ChallengeId::as_str),
                message_id = about.message.as_ref().map(MessageId::as_str),
            )
        };
    }
    match recorded {
        Ok(Recorded::Foreign) => {}
        Ok(Recorded::New | Recorded::Known) => write_report!(info, report.state.as_str(),),
        Err(fault) => write_report!(
            error,
            Problem::UNAVAILABLE,
            dependency = fault.dependency.as_str(),
            operation = fault.operation,
            cause = %fault.cause,
        ),
    }
}

/// The log line of one request.
pub struct RequestLog {
    request_id: String,
    /// The origin of a web page that gets no CORS headers.
    refused_origin: Option<String>,
    started: Stopwatch,
}

impl RequestLog {
    /// Starts when the request arrives.
    #[must_use]
    pub fn start(request: &Request) -> Self {
        Self {
            request_id: request::gateway_id(request).unwrap_or_default(),
            refused_origin: None,
            started: Stopwatch::start(),
        }
    }

    /// Names the request's origin in the line, if the policy refuses it.
    #[must_use]
    pub fn with_origin(self, cors: &CorsPolicy) -> Self {
        Self {
            refused_origin: cors.refused_origin().map(str::to_owned),
            ..self
        }
    }

    /// Writes the line. `pseudonym` gives that of a destination.
    pub fn write(
        &self,
        route: Route,
        result: Result<&Report, &Failure>,
        pseudonym: impl FnOnce(&Destination) -> Option<Pseudonym>,
    ) {
        let nobody = About::default();
        let about = match result {
            Ok(report) => &report.about,
            Err(Failure::Service(error) | Failure::StaleCookie(error)) => &error.about,
            Err(Failure::Rejected(_)) => &nobody,
        };
        let pseudonym = about.destination.as_ref().and_then(pseudonym);
        let line = Line {
            log: self,
            route,
            about,
            country: country(about),
            pseudonym: pseudonym.as_ref(),
        };
        match result {
            Ok(report) => match &report.fault {
                None => line.info(report.outcome, None),
                Some(fault) => line.fault(report.outcome, fault),
            },
            Err(failure) => line.failure(failure),
        }
    }

    /// The setting that would allow the origin.
    fn refused_by(&self) -> Option<&'static str> {
        self.refused_origin.as_ref().map(|_| cors::SETTING)
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// What a line says in every case.
struct Line<'a> {
    log: &'a RequestLog,
    route: Route,
    about: &'a About,
    country: Option<Country>,
    pseudonym: Option<&'a Pseudonym>,
}

/// Writes an event with the members of every line, and `$fields` between them.
macro_rules! write_line {
    ($level:ident, $line:expr, $outcome:expr, $($fields:tt)*) => {{
        let Line { log, route, about, country, pseudonym } = $line;
        $level!(
            target: TARGET,
            event = route.name(),
            outcome = $outcome,
            $($fields)*
            channel = channel(about),
            destination = masked(about),
            country = country.as_ref().map(Country::code),
            pseudonym = pseudonym.map(Pseudonym::as_str),
            user_id = about.user.as_ref().map(UserId::as_str),
            challenge_id = about.challenge.as_ref().map(ChallengeId::as_str),
            session_id = about.session.as_ref().map(SessionId::as_str),
            way = about.way.as_ref().map(WayName::as_str),
            message_id = about.message.as_ref().map(MessageId::as_str),
            refused_origin = log.refused_origin,
            refused_by = log.refused_by(),
            request_id = log.request_id,
            duration_ms = log.millis(),
        );
    }};
}

impl Line<'_> {
    fn failure(&self, failure: &Failure) {
        let problem = Problem::of(failure);
        let outcome = problem.name();
        match failure {
            Failure::Rejected(Rejection::InvalidRequest(explanation)) => {
                self.info(outcome, Some(explanation.reason()));
            }
            Failure::Rejected(_) => self.info(outcome, Some(problem.detail())),
            Failure::Service(error) | Failure::StaleCookie(error) => match &error.kind {
                ErrorKind::Refused(refusal) => {
                    let reason = reason(*refusal).unwrap_or(problem.detail());
                    self.info(outcome, Some(reason));
                }
                ErrorKind::Fault(fault) => self.fault(outcome, fault),
            },
        }
    }

    fn info(&self, outcome: &str, reason: Option<&str>) {
        write_line!(info, self, outcome, reason,);
    }

    fn fault(&self, outcome: &str, fault: &Fault) {
        write_line!(
            error,
            self,
            outcome,
            dependency = fault.dependency.as_str(),
            operation = fault.operation,
            cause = %fault.cause,
        );
    }
}

fn channel(about: &About) -> Option<&'static str> {
    let to = about.destination.as_ref();
    to.map(|destination| destination.kind().channel())
}

fn country(about: &About) -> Option<Country> {
    match about.destination.as_ref()? {
        Destination::Phone(number) => Country::of(number),
        Destination::Email(_) => None,
    }
}

fn masked(about: &About) -> Option<String> {
    about.destination.as_ref().map(Destination::masked)
}

/// The reason that only the log gets; `None` if the client's sentence says it all.
const fn reason(refusal: Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::InvalidOtp(reason)
        | Refusal::InvalidRefreshToken(reason)
        | Refusal::Unauthorized(Unauthorized::InvalidToken(reason)) => Some(reason),
        Refusal::TooManyRequests { limit, .. } => Some(limit),
        Refusal::Unauthorized(Unauthorized::NoToken) => Some("no token"),
        Refusal::DestinationUndeliverable(_, mark) => Some(mark.as_str()),
        Refusal::DestinationNotAllowed
        | Refusal::DestinationRefused
        | Refusal::UnknownApp
        | Refusal::UserNotFound(_)
        | Refusal::Destinations(_)
        | Refusal::StaleLogin(_)
        | Refusal::NotRevocable => None,
    }
}
