//! The Lambda function behind `POST /api/validate-otp/` and what becomes of its
//! tokens.

use lambda_http::Error;
use otp::{
    ambient,
    clients::{self, Connections, endpoints},
    config::Config,
    http::{event, route::Route},
    telemetry,
    validate::Validate,
};
use validate_otp::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
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
