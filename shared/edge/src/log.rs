//! The log: one JSON line per request, without secrets.
//!
//! It has only this crate's own events, and ignores `RUST_LOG` and
//! `AWS_LAMBDA_LOG_LEVEL`: at finer levels, the SDK and the runtime log whole
//! requests, with their codes and addresses.

use lambda_http::Request;
use otp_domain::{Destination, Refusal, Unauthorized};
use otp_service::{
    ErrorKind,
    ambient::{self, Stopwatch},
    fault::Fault,
};
use tracing::{Level, Subscriber, error, info, warn};
use tracing_subscriber::{
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry::Registry,
};

use crate::{
    api::Success,
    cors::{self, CorsPolicy},
    problem::{Failure, Problem},
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
        cause = fault.cause,
    );
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

    /// Writes the line.
    pub fn write(&self, route: Route, result: &Result<Success, Failure>) {
        match result {
            Ok(success) => {
                let about = success.destination.as_ref();
                match &success.fault {
                    None => self.info(route, success.outcome, None, about),
                    Some(fault) => self.fault(route, success.outcome, fault, about),
                }
            }
            Err(failure) => self.failure(route, failure),
        }
    }

    fn failure(&self, route: Route, failure: &Failure) {
        let problem = Problem::of(failure);
        let outcome = problem.name();
        match failure {
            Failure::Rejected(rejection) => {
                let reason = match rejection {
                    Rejection::InvalidRequest(explanation) => explanation.reason(),
                    _ => problem.detail(),
                };
                self.info(route, outcome, Some(reason), None);
            }
            Failure::Service(error) | Failure::StaleCookie(error) => {
                let about = error.destination.as_ref();
                match &error.kind {
                    ErrorKind::Refused(refusal) => {
                        let reason = reason(*refusal).unwrap_or(problem.detail());
                        self.info(route, outcome, Some(reason), about);
                    }
                    ErrorKind::Fault(fault) => self.fault(route, outcome, fault, about),
                }
            }
        }
    }

    fn info(&self, route: Route, outcome: &str, reason: Option<&str>, about: Option<&Destination>) {
        info!(
            target: TARGET,
            event = route.name(),
            outcome,
            reason,
            channel = channel(about),
            destination = masked(about),
            refused_origin = self.refused_origin,
            refused_by = self.refused_by(),
            request_id = self.request_id,
            duration_ms = self.millis(),
        );
    }

    fn fault(&self, route: Route, outcome: &str, fault: &Fault, about: Option<&Destination>) {
        error!(
            target: TARGET,
            event = route.name(),
            outcome,
            dependency = fault.dependency.as_str(),
            operation = fault.operation,
            cause = fault.cause,
            channel = channel(about),
            destination = masked(about),
            refused_origin = self.refused_origin,
            refused_by = self.refused_by(),
            request_id = self.request_id,
            duration_ms = self.millis(),
        );
    }

    /// The setting that would allow the origin.
    fn refused_by(&self) -> Option<&'static str> {
        self.refused_origin.as_ref().map(|_| cors::SETTING)
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn channel(about: Option<&Destination>) -> &'static str {
    about.map_or("", |destination| destination.channel().as_str())
}

fn masked(about: Option<&Destination>) -> String {
    about.map_or_else(String::new, Destination::masked)
}

/// The reason that only the log gets; `None` if the client's sentence says it all.
const fn reason(refusal: Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::InvalidOtp(reason)
        | Refusal::InvalidRefreshToken(reason)
        | Refusal::Unauthorized(Unauthorized::InvalidToken(reason)) => Some(reason),
        Refusal::TooManyRequests { limit, .. } => Some(limit),
        Refusal::Unauthorized(Unauthorized::NoToken) => Some("no token"),
        Refusal::DestinationNotAllowed
        | Refusal::DestinationRefused
        | Refusal::UnknownApp
        | Refusal::UserNotFound(_) => None,
    }
}
