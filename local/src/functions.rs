//! Both functions in one process, with the handlers that are deployed.

use std::sync::Arc;

use aws_config::SdkConfig;
use lambda_http::{Body, Request, Response};
use login_with_otp::LoginApi;
use otp_domain::UnixTime;
use otp_edge::{
    api::Api, event::Event, payload::ProxyResponse, route::Route, serve, settings::Settings,
};
use validate_otp::SessionApi;

/// The functions' clock.
pub type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// The two functions and their clock.
pub struct Functions {
    login: LoginApi,
    sessions: SessionApi,
    settings: Settings,
    clock: Clock,
}

impl Functions {
    /// The functions with these settings. `sdk` has the AWS endpoints.
    #[must_use]
    pub fn new(settings: &Settings, sdk: &SdkConfig, clock: Clock) -> Self {
        Self {
            login: LoginApi::new(settings, sdk),
            sessions: SessionApi::new(settings, sdk),
            settings: settings.clone(),
            clock,
        }
    }

    /// Fetches the keys, like the functions at their start.
    pub async fn warm_up(&self) {
        tokio::join!(self.login.warm_up(), self.sessions.warm_up());
    }

    /// Forgets which limits refused lately.
    pub fn forget_refusals(&self) {
        self.login.forget_refusals();
    }

    /// Answers a request now, with the function of this route.
    pub async fn handle(&self, route: Route, request: Request) -> Response<Body> {
        let (settings, now) = (&self.settings, (self.clock)());
        if route == Route::Login {
            Box::pin(serve::handle(&self.login, settings, request, now)).await
        } else {
            Box::pin(serve::handle(&self.sessions, settings, request, now)).await
        }
    }
    /// Answers an event now, with the function of this route.
    pub async fn answer(&self, route: Route, event: Event) -> ProxyResponse {
        let (settings, now) = (&self.settings, (self.clock)());
        if route == Route::Login {
            Box::pin(serve::answer(&self.login, settings, event, now)).await
        } else {
            Box::pin(serve::answer(&self.sessions, settings, event, now)).await
        }
    }
}
