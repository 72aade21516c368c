//! The program of this function. The tests start it as a process, and cargo tells a test only
//! where the programs of its own package are.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    otp_edge::serve::run::<validate_otp::SessionApi>().await
}
