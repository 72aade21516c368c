//! What each function adds to the edge: its routes, and the service behind them.

use std::{pin::Pin, time::Duration};

use lambda_http::{Body, Request, Response};
use otp_domain::{Destination, Pseudonym, UnixTime};
use otp_service::{
    about::About,
    aws::Aws,
    fault::Fault,
    ledger::{Recorded, Report as DeliveryReport},
};

use crate::{failure::Failure, route::Route, settings::Settings};

/// One function's part of the API.
pub trait Api: Sized + Send + Sync {
    /// The function's main route, which the log names if an event has no route.
    const MAIN_ROUTE: Route;

    /// Builds the service. It makes no call yet.
    fn new(settings: &Settings, aws: &Aws) -> Self;

    /// Fetches keys and opens connections before the first request.
    fn warm_up(&self) -> impl Future<Output = ()> + Send;

    /// The pseudonym of a destination, for the log. It makes no call; `None` as long
    /// as the digest key has not been fetched.
    fn pseudonym(&self, of: &Destination) -> Option<Pseudonym>;

    /// Answers a request. Each route is one call of one use case.
    ///
    /// # Errors
    ///
    /// The function does not serve the route, the request is malformed, or the
    /// use case failed.
    fn respond(
        &self,
        route: Route,
        request: &Request,
        now: UnixTime,
    ) -> impl Future<Output = Result<Success, Failure>> + Send;

    /// Records what a provider reports of a message. A function that sends none has none.
    ///
    /// # Errors
    ///
    /// A dependency failed: the report has to come again.
    fn record(
        &self,
        _: &DeliveryReport,
        _: UnixTime,
    ) -> impl Future<Output = Result<Recorded, Fault>> + Send {
        async { Ok(Recorded::Foreign) }
    }
}

/// A successful answer, what the log says of it, and the work that follows it.
pub struct Success {
    pub(crate) response: Response<Body>,
    pub(crate) report: Report,
    pub(crate) remaining: Option<Remaining>,
}

/// What the log says of a success.
pub struct Report {
    pub(crate) outcome: &'static str,
    pub(crate) about: About,
    pub(crate) fault: Option<Fault>,
}

/// Work that follows an answer. Its report is the one that the log gets.
pub struct Remaining {
    pub(crate) work: Pin<Box<dyn Future<Output = Report> + Send>>,
    pub(crate) hold: Duration,
}

impl Success {
    /// A success with this `outcome` in the log.
    #[must_use]
    pub fn new(outcome: &'static str, response: Response<Body>) -> Self {
        Self {
            response,
            report: Report::new(outcome),
            remaining: None,
        }
    }

    /// The same success, about `more` in addition.
    #[must_use]
    pub fn about(self, more: impl Into<About>) -> Self {
        Self {
            report: self.report.about(more),
            ..self
        }
    }

    /// The same success, with a fault that only the log gets.
    #[must_use]
    pub fn despite(self, fault: Fault) -> Self {
        Self {
            report: self.report.despite(fault),
            ..self
        }
    }

    /// The same answer, with `work` that follows it. A function takes its next
    /// event when `hold` has passed, however soon the work is done.
    #[must_use]
    pub fn followed_by(
        self,
        hold: Duration,
        work: impl Future<Output = Report> + Send + 'static,
    ) -> Self {
        let work = Box::pin(work);
        Self {
            remaining: Some(Remaining { work, hold }),
            ..self
        }
    }
}

impl Report {
    /// A report with this outcome.
    #[must_use]
    pub fn new(outcome: &'static str) -> Self {
        Self {
            outcome,
            about: About::default(),
            fault: None,
        }
    }

    /// The same report, about `more` in addition.
    #[must_use]
    pub fn about(self, more: impl Into<About>) -> Self {
        Self {
            about: self.about.and(more),
            ..self
        }
    }

    /// The same report, with a fault.
    #[must_use]
    pub fn despite(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }
}
