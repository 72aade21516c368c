//! The Lambda function behind `POST /api/login-with-otp/`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    login_with_otp::run().await
}
