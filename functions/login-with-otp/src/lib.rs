//! `POST /api/login-with-otp/`: sends a one-time code.

use std::convert::Infallible;

use lambda_http::{Body, Error, Request, Response};
use otp::{
    ambient,
    clients::{self, Connections, endpoints},
    config::Config,
    domain::UnixTime,
    http::{
        event,
        problem::{Failure, Problem},
        request::{self, Rejection},
        response,
        route::Route,
    },
    login::Login,
    telemetry::{self, RequestLog},
};

/// Runs the function until Lambda ends it.
///
/// # Errors
///
/// The settings are wrong, or Lambda's runtime interface cannot be reached.
pub async fn run() -> Result<(), Error> {
    telemetry::init();
    let config = Config::from_env()?;
    let connections = Connections::new(&config.roots);
    let sdk = clients::sdk_config(&connections);
    let login = Login::new(&config, &sdk);
    let endpoints = endpoints::of_login(&config, &sdk).await;
    tokio::join!(login.warm_up(), connections.open(endpoints));
    event::run(Route::Login, async |request| {
        handle(&login, request, ambient::now()).await
    })
    .await
}

/// Answers one request that arrived at `now`.
///
/// # Errors
///
/// None: every failure is an answer too.
pub async fn handle(
    login: &Login,
    request: Request,
    now: UnixTime,
) -> Result<Response<Body>, Infallible> {
    let page = login.origins().page(&request);
    if let Some(answer) = page.preflight() {
        return Ok(answer);
    }
    let mut log = RequestLog::start(Route::Login, &request);
    let answer = respond(login, &request, now, &mut log).await;
    Ok(page.mark(answer.unwrap_or_else(|failure| {
        log.failure(&failure);
        Problem::of(&failure).response()
    })))
}

async fn respond(
    login: &Login,
    request: &Request,
    now: UnixTime,
    log: &mut RequestLog,
) -> Result<Response<Body>, Failure> {
    if Route::of(request)? != Route::Login {
        return Err(Rejection::NotFound.into());
    }
    let ask = request::login(request)?;
    log.about(&ask.destination);
    let rng = &mut ambient::rng();
    let sent = login.send_code(&ask, now, rng).await?;
    log.sent(&sent.delivery);
    Ok(response::sent(&sent))
}
