//! The function behind `POST /api/login-with-otp/`: it sends codes, and hears what became of
//! them.

use std::sync::Arc;

use lambda_http::Request;
use otp_domain::{Delivery, Destination, Pseudonym, Refusal, UnixTime, Ways};
use otp_edge::{
    api::{Api, Report, Success},
    cookie::RefreshCookie,
    failure::Failure,
    log,
    problem::Problem,
    rejection::Rejection,
    request, response,
    route::Route,
    settings::Settings,
};
use otp_service::{
    Error, ErrorKind, ambient,
    aws::Aws,
    fault::{Dependency, Fault},
    ledger::{Recorded, Report as DeliveryReport},
    login::{ConcealedOutcome, Concluded, DeliveryOutcome, HOLD, LoginService},
};

/// The routes of this function.
pub struct LoginApi {
    service: Result<Arc<LoginService>, Fault>,
    refresh_cookie: RefreshCookie,
    ways: Ways,
}

impl LoginApi {
    /// Forgets which limits refused lately.
    pub fn forget_refusals(&self) {
        if let Ok(service) = &self.service {
            service.forget_refusals();
        }
    }
}

impl Api for LoginApi {
    const MAIN_ROUTE: Route = Route::Login;

    fn new(settings: &Settings, aws: &Aws) -> Self {
        let service = |settings| Arc::new(LoginService::new(settings, aws));
        let login = settings.login.as_ref().map(service);
        let ways = settings.login.as_ref().map(|it| it.delivery.ways.clone());
        Self {
            service: login.map_err(|_| Fault::new(Dependency::Settings, "read", "wrong settings")),
            refresh_cookie: settings.refresh_cookie.clone(),
            ways: ways.unwrap_or_default(),
        }
    }

    async fn warm_up(&self) {
        if let Ok(service) = &self.service
            && let Err(fault) = service.warm_up().await
        {
            log::start_fault(&fault);
        }
    }

    fn pseudonym(&self, of: &Destination) -> Option<Pseudonym> {
        self.service.as_ref().ok()?.pseudonym(of)
    }

    async fn record(&self, report: &DeliveryReport, now: UnixTime) -> Result<Recorded, Fault> {
        self.service.clone()?.record(report, now).await
    }

    async fn respond(
        &self,
        route: Route,
        request: &Request,
        now: UnixTime,
    ) -> Result<Success, Failure> {
        if route != Route::Login {
            return Err(Rejection::NotFound.into());
        }
        let login = request::login(request, &self.refresh_cookie, &self.ways)?;
        let service = self.service.clone().map_err(Error::from)?;
        let requested = service
            .request_code(&login, now, &mut ambient::rng())
            .await?;
        let response = response::code_requested(&requested, &self.ways);
        let success = |outcome| Success::new(outcome, response).about(requested.about);
        Ok(match requested.outcome {
            DeliveryOutcome::Sent => success("sent"),
            DeliveryOutcome::Suppressed => success("not-sent"),
            DeliveryOutcome::Replayed(_) => success("sent-before"),
            DeliveryOutcome::Unconfirmed(fault) => {
                success(Delivery::Unconfirmed.as_str()).despite(fault)
            }
            DeliveryOutcome::Ahead(login) => success("admitted").followed_by(HOLD, async move {
                report(service.conclude(*login, &mut ambient::rng()).await)
            }),
        })
    }
}

/// What the log says of a concealed login.
fn report(concluded: Concluded) -> Report {
    let report = |outcome| Report::new(outcome).about(concluded.about);
    match concluded.outcome {
        ConcealedOutcome::Sent => report("sent"),
        ConcealedOutcome::Suppressed => report("not-sent"),
        ConcealedOutcome::Refused => report(Problem::DESTINATION_REFUSED),
        ConcealedOutcome::NotSent(fault) => report(Problem::DELIVERY_FAILED).despite(fault),
        ConcealedOutcome::Unconfirmed(fault) => {
            report(Delivery::Unconfirmed.as_str()).despite(fault)
        }
        ConcealedOutcome::NotAdmitted(error) => match error.kind {
            ErrorKind::Refused(Refusal::DestinationUndeliverable(..)) => {
                report(Problem::DESTINATION_UNDELIVERABLE)
            }
            ErrorKind::Refused(_) => report(Problem::TOO_MANY_REQUESTS),
            ErrorKind::Fault(fault) => report(Problem::UNAVAILABLE).despite(fault),
        },
        ConcealedOutcome::UserUnread(fault) => report(Problem::UNAVAILABLE).despite(fault),
    }
}
