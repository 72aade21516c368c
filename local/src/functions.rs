//! Both functions in one process, behind the handlers that ship.

use std::{net::SocketAddr, sync::Arc};

use lambda_http::{Body, Request, Response};
use login_with_otp::LoginApi;
use otp_domain::UnixTime;
use otp_edge::{api::Api, cors::AllowedOrigins, route::Route, serve, settings::Settings};
use validate_otp::SessionApi;

use crate::aws::sdk_config;

/// Returns the time of a request.
pub type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// The two functions and their clock.
pub struct Functions {
    login: LoginApi,
    sessions: SessionApi,
    origins: AllowedOrigins,
    clock: Clock,
}

impl Functions {
    /// The functions with these settings, calling the AWS endpoints at `aws`.
    #[must_use]
    pub fn new(settings: &Settings, aws: SocketAddr, clock: Clock) -> Self {
        let sdk = sdk_config(aws);
        Self {
            login: LoginApi::new(settings, &sdk),
            sessions: SessionApi::new(settings, &sdk),
            origins: settings.allowed_origins.clone(),
            clock,
        }
    }

    /// Fetches keys, as the functions do at their start.
    pub async fn warm_up(&self) {
        tokio::join!(self.login.warm_up(), self.sessions.warm_up());
    }

    /// Answers a request now, by the function of that route.
    pub async fn handle(&self, route: Route, request: Request) -> Response<Body> {
        self.handle_at(route, request, (self.clock)()).await
    }

    /// Answers a request that arrived at `now`, by the function of that route.
    pub async fn handle_at(&self, route: Route, request: Request, now: UnixTime) -> Response<Body> {
        if route == Route::Login {
            Box::pin(serve::handle(&self.login, &self.origins, request, now)).await
        } else {
            Box::pin(serve::handle(&self.sessions, &self.origins, request, now)).await
        }
    }
}
