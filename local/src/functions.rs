//! Both functions in one process, with the handlers that are deployed.

use std::sync::Arc;

use lambda_http::{Body, Request, Response};
use login_with_otp::LoginApi;
use otp_domain::UnixTime;
use otp_edge::{
    afterwards::Afterwards,
    api::Api,
    event::{Asked, Event},
    payload::ProxyResponse,
    route::{Function, Route},
    serve,
    settings::Settings,
};
use otp_service::{aws::Aws, fault::Fault};
use tokio::sync::watch;
use validate_otp::SessionApi;

/// The functions' clock.
pub type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// The two functions and their clock.
pub struct Functions {
    login: LoginApi,
    sessions: SessionApi,
    settings: Settings,
    clock: Clock,
    remaining: Remaining,
}

impl Functions {
    /// The functions with these settings, and these AWS clients.
    #[must_use]
    pub fn new(settings: &Settings, aws: &Aws, clock: Clock) -> Self {
        Self {
            login: LoginApi::new(settings, aws),
            sessions: SessionApi::new(settings, aws),
            settings: settings.clone(),
            clock,
            remaining: Remaining::default(),
        }
    }

    /// Fetches the keys, like the functions at their start.
    pub async fn warm_up(&self) {
        tokio::join!(self.login.warm_up(), self.sessions.warm_up());
    }

    /// Forgets which limits refused lately.
    pub fn forget_refusals(&self) {
        self.login.forget_refusals();
        self.sessions.forget_refusals();
    }

    /// Answers a request now, with the function of this route. Work that follows the
    /// answer goes on beside further requests.
    pub async fn handle(&self, route: Route, request: Request) -> Response<Body> {
        let (settings, now) = (&self.settings, (self.clock)());
        let (answer, afterwards) = match route.function() {
            Function::Login => Box::pin(serve::handle(&self.login, settings, request, now)).await,
            Function::Validate => {
                Box::pin(serve::handle(&self.sessions, settings, request, now)).await
            }
        };
        self.remaining.start(afterwards);
        answer
    }

    /// Takes an event now, with the function of this route, and answers it if it is a
    /// request. Work that follows the answer goes on beside further requests.
    ///
    /// # Errors
    ///
    /// What the event reports could not be recorded: it has to come again.
    pub async fn invoke(&self, route: Route, event: Event) -> Result<Option<ProxyResponse>, Fault> {
        let now = (self.clock)();
        match (event, route.function()) {
            (Event::Request(asked), function) => Ok(Some(self.answer(function, *asked).await)),
            (Event::Reports(reports), Function::Login) => serve::record(&self.login, reports, now)
                .await
                .map(|()| None),
            (Event::Reports(reports), Function::Validate) => {
                serve::record(&self.sessions, reports, now)
                    .await
                    .map(|()| None)
            }
        }
    }

    async fn answer(&self, function: Function, asked: Asked) -> ProxyResponse {
        let (settings, now) = (&self.settings, (self.clock)());
        let (answer, afterwards) = match function {
            Function::Login => Box::pin(serve::answer(&self.login, settings, asked, now)).await,
            Function::Validate => {
                Box::pin(serve::answer(&self.sessions, settings, asked, now)).await
            }
        };
        self.remaining.start(afterwards);
        answer
    }

    /// Waits until no answer has work left.
    pub async fn settle(&self) {
        self.remaining.end().await;
    }
}

/// Counts the answers that have work left.
#[derive(Default)]
struct Remaining(watch::Sender<usize>);

impl Remaining {
    fn start(&self, afterwards: Option<Afterwards>) {
        let Some(afterwards) = afterwards else {
            return;
        };
        let one = One::of(&self.0);
        tokio::spawn(async move {
            afterwards.run().await;
            drop(one);
        });
    }

    async fn end(&self) {
        // The sender is here, so there is no error.
        let _ = self.0.subscribe().wait_for(|left| *left == 0).await;
    }
}

/// One answer with work left; also a panic ends it.
struct One(watch::Sender<usize>);

impl One {
    fn of(left: &watch::Sender<usize>) -> Self {
        left.send_modify(|left| *left += 1);
        Self(left.clone())
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.send_modify(|left| *left -= 1);
    }
}
