//! The Lambda function behind `POST /api/login-with-otp/`.

use lambda_http::Error;
use login_with_otp::handle;
use otp::{
    ambient, clients,
    config::Config,
    http::{event, route::Route},
    login::Login,
    telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = Config::from_env()?;
    let login = Login::new(&config, &clients::sdk_config().await);
    login.warm_up().await;
    event::run(Route::Login, async |request| {
        handle(&login, request, ambient::now()).await
    })
    .await
}
