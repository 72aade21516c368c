//! Which failed calls certainly had no effect.
//!
//! A message cannot be recalled, and a provider does not recognise a repeated
//! one. So a send is repeated, and an admission withdrawn, only if the provider
//! refused the send or was never reached.

use std::{error::Error, iter};

use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext,
    orchestrator::HttpResponse,
    result::{ConnectorError, SdkError},
    retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority},
};
use hyper_util::client::legacy;

/// Whether a failed call certainly had no effect: the service refused it, or no
/// connection was opened. After a timeout, a broken connection, an unreadable
/// answer or a 5xx the service may have done its work.
pub fn is_unsent<E>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::DispatchFailure(failure) => {
            failure.as_connector_error().is_some_and(never_connected)
        }
        SdkError::ResponseError(error) => is_refusal(error.raw()),
        SdkError::ServiceError(error) => is_refusal(error.raw()),
        _ => false,
    }
}

/// A 4xx, without 408 (RFC 9110 section 15.5.9): the server that gave up waiting
/// need not be the one that does the work.
fn is_refusal(answer: &HttpResponse) -> bool {
    let status = answer.status().as_u16();
    (400..500).contains(&status) && status != 408
}

fn never_connected(error: &ConnectorError) -> bool {
    iter::successors(error.source(), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<legacy::Error>())
        .any(legacy::Error::is_connect)
}

/// Forbids to repeat a call that may have had an effect. Of the other failed
/// calls, the SDK repeats those that its other classifiers choose.
#[derive(Debug)]
pub(super) struct RepeatOnlyUnsent;

impl ClassifyRetry for RepeatOnlyUnsent {
    fn classify_retry(&self, attempt: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = attempt.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        let refused = attempt.response().is_some_and(is_refusal);
        if refused || error.as_connector_error().is_some_and(never_connected) {
            RetryAction::NoActionIndicated
        } else {
            RetryAction::RetryForbidden
        }
    }

    fn name(&self) -> &'static str {
        "repeat only unsent"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sns::{
        config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider},
        error::SdkError,
        operation::publish::PublishError,
    };
    use aws_types::SdkConfig;
    use tokio::net::TcpListener;

    use super::*;
    use crate::aws::{Connections, TrustRoots, sns};

    async fn publish(port: u16) -> SdkError<PublishError> {
        let keys = Credentials::for_tests();
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .endpoint_url(format!("http://127.0.0.1:{port}"))
            .http_client(Connections::new(&TrustRoots::of_amazon()).client())
            .build();
        let sent = sns(&sdk)
            .publish()
            .phone_number("+14155550123")
            .message("-");
        sent.send().await.expect_err("nobody answers")
    }

    #[tokio::test]
    async fn a_service_that_was_never_reached_did_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert!(is_unsent(&publish(port).await));
    }

    #[tokio::test]
    async fn a_call_on_a_connection_that_breaks_is_not_repeated() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = tokio::spawn(async move {
            let mut taken = 0;
            while let Ok((stream, _)) = listener.accept().await {
                stream.readable().await.unwrap();
                taken += 1;
                assert_eq!(taken, 1, "the call was repeated");
            }
        });
        assert!(!is_unsent(&publish(port).await));
        assert!(!connections.is_finished(), "the call was repeated");
        connections.abort();
    }
}
