//! `POST /api/validate-otp/`: takes a one-time code for a token.

use std::convert::Infallible;

use lambda_http::{Body, Request, Response};
use otp::{
    ambient,
    domain::UnixTime,
    http::{
        problem::{Failure, Problem},
        request, response,
    },
    telemetry::RequestLog,
    validate::Validate,
};

/// Answers one request that arrived at `now`.
///
/// # Errors
///
/// None: every failure is an answer too.
pub async fn handle(
    validate: &Validate,
    request: Request,
    now: UnixTime,
) -> Result<Response<Body>, Infallible> {
    let page = validate.origins().page(&request);
    if let Some(answer) = page.preflight() {
        return Ok(answer);
    }
    let mut log = RequestLog::start("validate", &request);
    let answer = respond(validate, &request, now, &mut log).await;
    Ok(page.mark(answer.unwrap_or_else(|failure| {
        log.failure(&failure);
        Problem::of(&failure).response()
    })))
}

async fn respond(
    validate: &Validate,
    request: &Request,
    now: UnixTime,
    log: &mut RequestLog,
) -> Result<Response<Body>, Failure> {
    let claim = request::validate(request)?;
    log.about(&claim.destination);
    let rng = &mut ambient::rng();
    let login = validate.log_in(&claim, now, rng).await?;
    log.success("logged-in");
    Ok(response::logged_in(&login))
}
