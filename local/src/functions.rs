//! Both functions in one process, behind the handlers that ship.

use std::sync::Arc;

use aws_config::SdkConfig;
use lambda_http::{Body, Request, Response};
use login_with_otp::LoginApi;
use otp_domain::UnixTime;
use otp_edge::{
    api::Api, cors::AllowedOrigins, event::Event, payload::ProxyResponse, route::Route, serve,
    settings::Settings,
};
use validate_otp::SessionApi;

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
    /// The functions with these settings. `sdk` says where AWS is.
    #[must_use]
    pub fn new(settings: &Settings, sdk: &SdkConfig, clock: Clock) -> Self {
        Self {
            login: LoginApi::new(settings, sdk),
            sessions: SessionApi::new(settings, sdk),
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
        let (origins, now) = (&self.origins, (self.clock)());
        if route == Route::Login {
            Box::pin(serve::handle(&self.login, origins, request, now)).await
        } else {
            Box::pin(serve::handle(&self.sessions, origins, request, now)).await
        }
    }
    /// Answers an event now, by the function of that route.
    pub async fn answer(&self, route: Route, event: Event) -> ProxyResponse {
        let (origins, now) = (&self.origins, (self.clock)());
        if route == Route::Login {
            Box::pin(serve::answer(&self.login, origins, event, now)).await
        } else {
            Box::pin(serve::answer(&self.sessions, origins, event, now)).await
        }
    }
}
