//! The Lambda function behind `POST /api/login-with-otp/`.

use lambda_http::Error;
use login_with_otp::handle;
use otp::{
    ambient,
    clients::{self, Connections, endpoints},
    config::Config,
    http::{event, route::Route},
    login::Login,
    telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
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
