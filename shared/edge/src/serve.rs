//! The part that both functions share: start, answer events, log, apply CORS.

use std::convert::Infallible;

use lambda_http::{
    Body, LambdaEvent, Request, Response,
    lambda_runtime::{self, Error},
    service_fn,
};
use otp_domain::UnixTime;
use otp_service::{ambient, aws::Connections};

use crate::{
    api::Api,
    client, environment,
    event::Event,
    log::{self, RequestLog},
    payload::ProxyResponse,
    problem::{Failure, Problem},
    rejection::Rejection,
    route::Route,
    settings::Settings,
};

/// Runs a function: reads its settings, builds its API, and answers events until
/// Lambda ends it.
///
/// # Errors
///
/// A setting is wrong, or the Lambda Runtime API is unreachable.
pub async fn run<A: Api>() -> Result<(), Error> {
    log::init();
    let settings = Settings::from_env()?;
    log::warnings(&settings);
    let connections = Connections::new(&settings.trust_roots);
    let sdk = environment::sdk_config(&connections);
    let api = A::new(&settings, &sdk);
    let endpoints = A::endpoints(&settings, &sdk).await;
    tokio::join!(api.warm_up(), connections.open(endpoints));
    let (api, settings) = (&api, &settings);
    lambda_runtime::run(service_fn(
        async move |event: LambdaEvent<Event>| -> Result<_, Infallible> {
            Ok(answer(api, settings, event.payload, ambient::now()).await)
        },
    ))
    .await
}

/// Answers one event that arrived at `now`, in its gateway's payload format.
pub async fn answer<A: Api>(
    api: &A,
    settings: &Settings,
    event: Event,
    now: UnixTime,
) -> ProxyResponse {
    let payload = event.payload;
    let response = match event.request {
        Ok(request) => handle(api, settings, request, now).await,
        Err(rejection) => refuse::<A>(rejection),
    };
    payload.response(response)
}

/// Answers one request that arrived at `now`.
pub async fn handle<A: Api>(
    api: &A,
    settings: &Settings,
    mut request: Request,
    now: UnixTime,
) -> Response<Body> {
    let cors = settings.allowed_origins.policy(&request);
    if let Some(response) = cors.preflight() {
        return response;
    }
    client::identify(&mut request, settings.trusted_proxies);
    let log = RequestLog::start(&request).with_origin(&cors);
    let format = Route::error_format_of(&request);
    let (route, result) = match Route::of(&request) {
        Ok(route) => (route, api.respond(route, &request, now).await),
        Err(rejection) => (A::MAIN_ROUTE, Err(rejection.into())),
    };
    log.write(route, &result, |of| api.pseudonym(of));
    cors.apply(match result {
        Ok(success) => success.response,
        Err(failure) => Problem::of(&failure).response_as(format),
    })
}

fn refuse<A: Api>(rejection: Rejection) -> Response<Body> {
    let failure = Failure::Rejected(rejection);
    let response = Problem::of(&failure).response();
    RequestLog::start(&Request::default()).write(A::MAIN_ROUTE, &Err(failure), |_| None);
    response
}
