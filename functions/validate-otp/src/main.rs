//! The Lambda function behind `POST /api/validate-otp/` and what becomes of its
//! tokens.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    validate_otp::run().await
}
