//! The function behind `POST /api/login-with-otp/`: it sends codes.

use std::sync::Arc;

use lambda_http::Request;
use otp_domain::{Delivery, Destination, Pseudonym, UnixTime};
use otp_edge::{
    api::{Api, Report, Success},
    failure::Failure,
    log,
    problem::Problem,
    rejection::Rejection,
    request, response,
    route::Route,
    settings::Settings,
};
use otp_service::{
    ambient,
    aws::Aws,
    login::{ConcealedOutcome, Concluded, DeliveryOutcome, HOLD, LoginService},
};

/// The routes of this function.
pub struct LoginApi(Arc<LoginService>);

impl LoginApi {
    /// Forgets which limits refused lately.
    pub fn forget_refusals(&self) {
        self.0.forget_refusals();
    }
}

impl Api for LoginApi {
    const MAIN_ROUTE: Route = Route::Login;

    fn new(settings: &Settings, aws: &Aws) -> Self {
        Self(Arc::new(LoginService::new(&settings.login, aws)))
    }

    async fn warm_up(&self) {
        if let Err(fault) = self.0.warm_up().await {
            log::start_fault(&fault);
        }
    }

    fn pseudonym(&self, of: &Destination) -> Option<Pseudonym> {
        self.0.pseudonym(of)
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
        let login = request::login(request)?;
        let requested = self
            .0
            .request_code(&login, now, &mut ambient::rng())
            .await?;
        let response = response::code_requested(&requested);
        let success = |outcome| Success::new(outcome, response).about(requested.about);
        Ok(match requested.outcome {
            DeliveryOutcome::Sent(_) => success("sent"),
            DeliveryOutcome::Suppressed => success("not-sent"),
            DeliveryOutcome::Replayed(_) => success("sent-before"),
            DeliveryOutcome::Unconfirmed(fault) => {
                success(Delivery::Unconfirmed.as_str()).despite(fault)
            }
            DeliveryOutcome::Ahead(login) => {
                let service = Arc::clone(&self.0);
                success("admitted")
                    .followed_by(HOLD, async move { report(service.conclude(*login).await) })
            }
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
        ConcealedOutcome::UserUnread(fault) => report(Problem::UNAVAILABLE).despite(fault),
    }
}
