//! The Lambda function behind `POST /api/validate-otp/` and the routes of
//! sessions.

use lambda_http::Error;
use validate_otp::SessionApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    otp_edge::serve::run::<SessionApi>().await
}
