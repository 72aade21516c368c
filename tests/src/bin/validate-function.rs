//! The program of the function `validate-otp`, for the tests that start it as a process: cargo tells a
//! test where the programs of its own package are, and of no other.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    validate_otp::run().await
}
