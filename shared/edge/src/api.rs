//! What each function adds to the edge: its routes, and the service behind them.

use aws_config::SdkConfig;
use lambda_http::{Body, Request, Response};
use otp_domain::{Destination, UnixTime};
use otp_service::fault::Fault;

use crate::{problem::Failure, route::Route, settings::Settings};

/// One function's part of the API.
pub trait Api: Sized + Send + Sync {
    /// The function's main route, which the log names if an event has no route.
    const MAIN_ROUTE: Route;

    /// Builds the service. It makes no call yet.
    fn new(settings: &Settings, sdk: &SdkConfig) -> Self;

    /// The endpoints to connect to before the first request.
    fn endpoints(settings: &Settings, sdk: &SdkConfig) -> impl Future<Output = Vec<String>> + Send;

    /// Fetches keys before the first request.
    fn warm_up(&self) -> impl Future<Output = ()> + Send;

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
}

/// A successful answer, with its values for the log.
pub struct Success {
    pub(crate) response: Response<Body>,
    pub(crate) outcome: &'static str,
    pub(crate) destination: Option<Destination>,
    pub(crate) fault: Option<Fault>,
}

impl Success {
    /// A success with this `outcome` in the log.
    #[must_use]
    pub const fn new(outcome: &'static str, response: Response<Body>) -> Self {
        Self {
            response,
            outcome,
            destination: None,
            fault: None,
        }
    }

    /// The same success, with its destination for the log.
    #[must_use]
    pub fn about(self, destination: &Destination) -> Self {
        Self {
            destination: Some(destination.clone()),
            ..self
        }
    }

    /// The same success, with a fault that only the log gets.
    #[must_use]
    pub fn despite(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }
}
