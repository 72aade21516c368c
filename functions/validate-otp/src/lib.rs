//! `POST /api/validate-otp/` takes a one-time code for tokens; beside it, what
//! becomes of those tokens.

use std::convert::Infallible;

use lambda_http::{Body, Error, Request, Response};
use otp::{
    ambient,
    clients::{self, Connections, endpoints},
    config::Config,
    domain::{Refusal, UnixTime},
    http::{
        event,
        problem::{Failure, Problem},
        request::{self, Rejection},
        response,
        route::Route,
    },
    telemetry::{self, RequestLog},
    validate::Validate,
};

type Answer = Result<Response<Body>, Failure>;

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
    let validate = Validate::new(&config, &sdk);
    let endpoints = endpoints::of_validation(&sdk).await;
    tokio::join!(validate.warm_up(), connections.open(endpoints));
    event::run(Route::Validate, async |request| {
        handle(&validate, request, ambient::now()).await
    })
    .await
}

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
    let mut log = RequestLog::start(Route::Validate, &request);
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
) -> Answer {
    let route = Route::of(request)?;
    log.is_for(route);
    match route {
        Route::Login => Err(Rejection::NotFound.into()),
        Route::Validate => log_in(validate, request, now, log).await,
        Route::Refresh => refresh(validate, request, now, log).await,
        Route::Logout => log_out(validate, request, now, log).await,
        Route::Me => me(validate, request, now, log).await,
        Route::Configuration => {
            log.success("published");
            Ok(response::configuration(validate.issuer()))
        }
        Route::Keys => {
            let keys = validate.published().await?;
            log.success("published");
            Ok(response::keys(&keys))
        }
    }
}

async fn log_in(
    validate: &Validate,
    request: &Request,
    now: UnixTime,
    log: &mut RequestLog,
) -> Answer {
    let claim = request::validate(request)?;
    log.about(&claim.destination);
    let login = validate.log_in(&claim, now, &mut ambient::rng()).await?;
    log.success("logged-in");
    Ok(response::logged_in(&login))
}

async fn refresh(
    validate: &Validate,
    request: &Request,
    now: UnixTime,
    log: &mut RequestLog,
) -> Answer {
    let token = request::refresh(request)?.ok_or(Refusal::InvalidRefreshToken("not ours"))?;
    let family = validate.family(&token).await?;
    log.about(&family.destination);
    let rng = &mut ambient::rng();
    let login = validate.refresh(&token, &family, now, rng).await?;
    log.success("refreshed");
    Ok(response::refreshed(&login))
}

async fn log_out(
    validate: &Validate,
    request: &Request,
    now: UnixTime,
    log: &mut RequestLog,
) -> Answer {
    let leave = request::logout(request)?;
    match validate.log_out(&leave, now).await? {
        Some(family) => {
            log.about(&family.destination);
            log.success("logged-out");
        }
        None => log.success("not-logged-in"),
    }
    Ok(response::logged_out())
}

async fn me(validate: &Validate, request: &Request, now: UnixTime, log: &mut RequestLog) -> Answer {
    let token = request::bearer(request)?;
    let bearer = validate.bearer(&token, now).await?;
    log.about(&bearer.destination);
    let user = validate.profile(&bearer).await?;
    log.success("known");
    Ok(response::profile(&user))
}
