//! The Lambda function behind `POST /api/validate-otp/`.

use lambda_http::Error;
use otp::{
    ambient, clients,
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
    let validate = Validate::new(&config, &clients::sdk_config().await);
    validate.warm_up().await;
    event::run(Route::Validate, async |request| {
        handle(&validate, request, ambient::now()).await
    })
    .await
}
