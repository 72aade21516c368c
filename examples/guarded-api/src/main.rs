//! The Lambda function behind `GET /hello`.

use guarded_api::handle;
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(async |request: Request| {
        Ok::<_, Error>(handle(&request))
    }))
    .await
}
