//! The part that both functions share: start, answer events, log, apply CORS.

use lambda_http::{
    Body, LambdaEvent, Request, Response,
    lambda_runtime::{Error, Runtime, layers::TracingLayer},
    service_fn,
    tower::util::AndThenLayer,
};
use otp_domain::UnixTime;
use otp_service::{ambient, aws::Aws, fault::Fault};

use crate::{
    afterwards::{Afterwards, Between},
    api::{Api, Remaining},
    client, environment,
    event::{Asked, Event},
    failure::Failure,
    log::{self, RequestLog},
    payload::ProxyResponse,
    problem::Problem,
    rejection::Rejection,
    report::Reports,
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
    let aws = Aws::new(environment::sdk_config(), &settings.trust_roots);
    let api = A::new(&settings, &aws);
    api.warm_up().await;
    let (api, settings, between) = (&api, &settings, &Between::default());
    let handler = service_fn(async move |event: LambdaEvent<Event>| -> Result<_, Error> {
        let now = ambient::now();
        match event.payload {
            Event::Request(asked) => {
                let (answer, afterwards) = answer(api, settings, *asked, now).await;
                between.put(afterwards);
                Ok(Some(answer))
            }
            Event::Reports(reports) => {
                let recorded = record(api, reports, now).await;
                recorded
                    .map(|()| None)
                    .map_err(|fault| fault.to_string().into())
            }
        }
    });
    // The outer layer sees a call end when the runtime has sent its answer.
    Runtime::new(handler)
        .layer(TracingLayer::new())
        .layer(AndThenLayer::new(move |()| async move {
            between.run().await;
            Ok::<_, Error>(())
        }))
        .run()
        .await
}

/// Records what providers report. A report that cannot be understood is logged and dropped:
/// it would be no clearer the next time.
///
/// # Errors
///
/// A report could not be recorded. Lambda brings all of them again, which changes nothing
/// for those that are recorded.
pub async fn record<A: Api>(api: &A, reports: Reports, now: UnixTime) -> Result<(), Fault> {
    for report in reports {
        let report = match report {
            Ok(report) => report,
            Err(reason) => {
                log::not_understood(reason);
                continue;
            }
        };
        let recorded = api.record(&report, now).await;
        let pseudonym = api.pseudonym(&report.to);
        log::report(&report, recorded.as_ref(), pseudonym.as_ref());
        recorded?;
    }
    Ok(())
}

/// Answers one request that arrived at `now`, in its gateway's payload format.
pub async fn answer<A: Api>(
    api: &A,
    settings: &Settings,
    asked: Asked,
    now: UnixTime,
) -> (ProxyResponse, Option<Afterwards>) {
    let payload = asked.payload;
    let (response, afterwards) = match asked.request {
        Ok(request) => handle(api, settings, request, now).await,
        Err(rejection) => (refuse::<A>(rejection), None),
    };
    (payload.response(response), afterwards)
}

/// Answers one request that arrived at `now`.
pub async fn handle<A: Api>(
    api: &A,
    settings: &Settings,
    mut request: Request,
    now: UnixTime,
) -> (Response<Body>, Option<Afterwards>) {
    let cors = settings.allowed_origins.policy(&request);
    if let Some(response) = cors.preflight() {
        return (response, None);
    }
    client::identify(&mut request, settings.trusted_proxies);
    let log = RequestLog::start(&request).with_origin(&cors);
    let format = Route::error_format_of(&request);
    let (route, result) = match Route::of(&request) {
        Ok(route) => (route, api.respond(route, &request, now).await),
        Err(rejection) => (A::MAIN_ROUTE, Err(rejection.into())),
    };
    let success = match result {
        Ok(success) => success,
        Err(failure) => {
            log.write(route, Err(&failure), |of| api.pseudonym(of));
            return (cors.apply(Problem::of(&failure).response_as(format)), None);
        }
    };
    let about = &success.report.about;
    let afterwards = match success.remaining {
        None => {
            log.write(route, Ok(&success.report), |of| api.pseudonym(of));
            None
        }
        Some(Remaining { work, hold }) => {
            let pseudonym = about.destination.as_ref().and_then(|of| api.pseudonym(of));
            Some(Afterwards::new(hold, async move {
                log.write(route, Ok(&work.await), |_| pseudonym);
            }))
        }
    };
    (cors.apply(success.response), afterwards)
}

fn refuse<A: Api>(rejection: Rejection) -> Response<Body> {
    let failure = Failure::Rejected(rejection);
    let response = Problem::of(&failure).response();
    RequestLog::start(&Request::default()).write(A::MAIN_ROUTE, Err(&failure), |_| None);
    response
}
