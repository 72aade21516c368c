//! The Lambda function behind `POST /api/login-with-otp/`.

use lambda_http::Error;
use login_with_otp::LoginApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    otp_edge::serve::run::<LoginApi>().await
}
