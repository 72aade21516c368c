//! The log: one JSON line per request, and no secret on it.
//!
//! Only this crate's own events are written, whatever `RUST_LOG` or
//! `AWS_LAMBDA_LOG_LEVEL` say: at finer levels the SDK and the runtime log whole
//! requests, and with them codes and addresses.

use lambda_http::Request;
use tracing::{Level, Subscriber, error, info};
use tracing_subscriber::{
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry::Registry,
};

use crate::{
    ambient::Stopwatch,
    domain::{Destination, Refusal, Unauthorized},
    http::{
        problem::{Failure, Problem},
        request,
        route::Route,
    },
    login::Delivery,
};

/// The target of every event that is written.
const TARGET: &str = "otp";

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

/// Collects what there is to say about one request.
pub struct RequestLog {
    route: Route,
    request_id: String,
    channel: &'static str,
    destination: String,
    started: Stopwatch,
}

impl RequestLog {
    /// Begins when the request arrives; `route` is what it will most likely be for.
    #[must_use]
    pub fn start(route: Route, request: &Request) -> Self {
        Self {
            route,
            request_id: request::gateway_id(request).unwrap_or_default(),
            channel: "",
            destination: String::new(),
            started: Stopwatch::start(),
        }
    }

    /// Remembers what the request is for.
    pub const fn is_for(&mut self, route: Route) {
        self.route = route;
    }

    /// Remembers whom the request is about.
    pub fn about(&mut self, destination: &Destination) {
        self.channel = destination.channel().as_str();
        self.destination = destination.masked();
    }

    /// Writes the line of a request that succeeded.
    pub fn success(&self, outcome: &'static str) {
        info!(
            target: TARGET,
            event = self.route.name(),
            outcome,
            channel = self.channel,
            destination = self.destination,
            request_id = self.request_id,
            duration_ms = self.millis(),
        );
    }

    /// Writes the line of a login that told its client that a code was sent.
    pub fn sent(&self, delivery: &Delivery) {
        match delivery {
            Delivery::Done => self.success("sent"),
            Delivery::Pretended => self.success("not-sent"),
            Delivery::Before => self.success("sent-before"),
            Delivery::Failed(fault) => self.failure(&Failure::Broken(fault.clone())),
        }
    }

    /// Writes the line of a request that did not.
    pub fn failure(&self, failure: &Failure) {
        let outcome = Problem::of(failure).name();
        match failure {
            Failure::Broken(fault) => error!(
                target: TARGET,
                event = self.route.name(),
                outcome,
                dependency = fault.dependency.as_str(),
                operation = fault.operation,
                cause = fault.cause,
                channel = self.channel,
                destination = self.destination,
                request_id = self.request_id,
                duration_ms = self.millis(),
            ),
            Failure::Rejected(_) | Failure::Refused(_) => info!(
                target: TARGET,
                event = self.route.name(),
                outcome,
                reason = reason(failure),
                channel = self.channel,
                destination = self.destination,
                request_id = self.request_id,
                duration_ms = self.millis(),
            ),
        }
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// What the client is not told, where there is anything.
fn reason(failure: &Failure) -> &'static str {
    match failure {
        Failure::Refused(
            Refusal::InvalidOtp(reason)
            | Refusal::InvalidRefreshToken(reason)
            | Refusal::Unauthorized(Unauthorized::InvalidToken(reason)),
        ) => reason,
        Failure::Refused(Refusal::TooManyRequests { limit, .. }) => limit,
        _ => "",
    }
}
