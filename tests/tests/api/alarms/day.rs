//! A day of a deployment: its requests, their answers, and what they report.

use otp_domain::{Asker, ClientAddress, Policy};
use otp_edge::problem::Problem;
use otp_service::session::REUSED;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::metrics::{DAY, Filter, Metrics};

/// A request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request {
    Login,
    Validate,
    Refresh,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Good,
    /// A mistake of the client.
    Refused,
    /// 502, or 200 with `UNKNOWN_USERS=conceal`.
    DeliveryFailed {
        concealed: bool,
    },
    Unavailable,
    /// A 5xx of the gateway: the function has not answered.
    GatewayTimeout,
    GatewayThrottled,
    OutOfConcurrency,
    SmsCapped,
    ClientRefused,
    Reused,
}

/// The name of a client's limit in the log.
fn client_limit(request: Request) -> &'static str {
    let (policy, client) = (Policy::default(), ClientAddress::from_gateway(None));
    match request {
        Request::Login => {
            let to = "alice@example.com".parse().unwrap();
            policy.own_limits(&to, &Asker::from(client))[0].name
        }
        Request::Validate | Request::Refresh => policy.validation_limit(&client).name,
    }
}

/// A day in the making.
pub struct Day {
    pub metrics: Metrics,
    pub rng: StdRng,
    filters: Vec<Filter>,
}

impl Day {
    /// An empty day.
    pub fn new(seed: u64) -> Self {
        Self {
            metrics: Metrics::default(),
            rng: StdRng::seed_from_u64(seed),
            filters: Filter::all(),
        }
    }

    /// The requests of a whole day: `logins(minute)` an hour, each with a validation and three
    /// refreshes, spread at random.
    pub fn fill<A>(&mut self, logins: impl Fn(usize) -> f64, mut answer: A)
    where
        A: FnMut(&mut StdRng, usize, Request) -> Answer,
    {
        for minute in 0..DAY {
            for (request, times) in [
                (Request::Login, 1.0),
                (Request::Validate, 1.0),
                (Request::Refresh, 3.0),
            ] {
                for _ in 0..self.count(logins(minute) * times / 60.0) {
                    let answer = answer(&mut self.rng, minute, request);
                    self.add(minute, request, answer);
                }
            }
        }
    }

    /// A random number of independent events with this mean (Poisson).
    fn count(&mut self, mean: f64) -> usize {
        let limit = (-mean).exp();
        let (mut product, mut count) = (self.rng.random::<f64>(), 0);
        while product > limit {
            product *= self.rng.random::<f64>();
            count += 1;
        }
        count
    }

    /// One request and its answer.
    pub fn add(&mut self, at: usize, request: Request, answer: Answer) {
        let function = match request {
            Request::Login => "Login",
            Request::Validate | Request::Refresh => "Validate",
        };
        let is_5xx = matches!(
            answer,
            Answer::DeliveryFailed { concealed: false }
                | Answer::Unavailable
                | Answer::GatewayTimeout
                | Answer::OutOfConcurrency
        );
        let number = |is: bool| if is { 1.0 } else { 0.0 };
        let metrics = &mut self.metrics;
        metrics.report(at, ("AWS/ApiGateway", "Count", ""), 1.0);
        metrics.report(at, ("AWS/ApiGateway", "5XXError", ""), number(is_5xx));
        let throttled = answer == Answer::GatewayThrottled;
        let error = if throttled { "THROTTLED" } else { "-" };
        self.log(at, "ApiLog", &[("error", error)]);
        if throttled {
            return;
        }
        let starved = answer == Answer::OutOfConcurrency;
        let metrics = &mut self.metrics;
        metrics.report(at, ("AWS/Lambda", "Throttles", function), number(starved));
        if starved {
            return;
        }
        metrics.report(at, ("AWS/Lambda", "Invocations", function), 1.0);
        let (outcome, reason) = match answer {
            Answer::DeliveryFailed { .. } => (Problem::DELIVERY_FAILED, ""),
            Answer::Unavailable => (Problem::UNAVAILABLE, ""),
            Answer::SmsCapped => ("too-many-requests", "sms-day"),
            Answer::ClientRefused => ("too-many-requests", client_limit(request)),
            Answer::Reused => ("invalid-refresh-token", REUSED),
            Answer::Refused => ("invalid-otp", "wrong code"),
            _ if request == Request::Login => ("sent", ""),
            _ if request == Request::Validate => ("logged-in", ""),
            _ => ("good", ""),
        };
        let group = match request {
            Request::Login => "LoginLog",
            Request::Validate | Request::Refresh => "ValidateLog",
        };
        self.log(at, group, &[("outcome", outcome), ("reason", reason)]);
    }

    /// A login function that starts, with this warning.
    pub fn start_with_warning(&mut self, at: usize, reason: &str) {
        let line = [("outcome", "warning"), ("reason", reason)];
        self.log(at, "LoginLog", &line);
    }

    fn log(&mut self, at: usize, group: &str, line: &[(&str, &str)]) {
        for filter in &self.filters {
            filter.read(&mut self.metrics, at, group, line);
        }
    }
}
