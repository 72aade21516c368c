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
    use aws_smithy_runtime_api::client::{
        interceptors::context::Input, orchestrator::OrchestratorError,
    };
    use aws_smithy_types::body::SdkBody;
    use aws_types::SdkConfig;
    use hyper_util::rt::TokioExecutor;
    use tokio::net::TcpListener;

    use super::*;
    use crate::aws::{Aws, TrustRoots};

    async fn publish(port: u16) -> SdkError<PublishError> {
        let keys = Credentials::new("key", "secret", None, None, "test");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .endpoint_url(format!("http://127.0.0.1:{port}"))
            .build();
        let sent = Aws::new(sdk, &TrustRoots::of_amazon())
            .sns()
            .publish()
            .phone_number("+14155550123")
            .message("-");
        sent.send().await.expect_err("nobody answers")
    }

    /// An answer with this status.
    fn answer(status: u16) -> HttpResponse {
        HttpResponse::new(status.try_into().unwrap(), SdkBody::empty())
    }

    #[test]
    fn only_a_refusal_tells_that_nothing_was_sent_and_408_is_none() {
        for status in 200..600 {
            let refused = (400..=407).contains(&status) || (409..=499).contains(&status);
            let error: SdkError<(), _> = SdkError::service_error((), answer(status));
            assert_eq!(is_unsent(&error), refused, "{status}");
            // The same answer, whose body cannot be read.
            let error: SdkError<(), _> = SdkError::response_error("unreadable", answer(status));
            assert_eq!(is_unsent(&error), refused, "{status}");
        }
    }

    #[test]
    fn a_call_that_was_not_built_did_nothing_and_one_that_got_no_answer_may_have() {
        let io = || ConnectorError::io("broken".into());
        let late = || ConnectorError::timeout("late".into());
        for (error, unsent) in [
            (SdkError::construction_failure("no region"), true),
            (SdkError::timeout_error("late"), false),
            (SdkError::dispatch_failure(io()), false),
            (SdkError::dispatch_failure(late()), false),
        ] {
            let error: SdkError<(), HttpResponse> = error;
            assert_eq!(is_unsent(&error), unsent, "{error:?}");
        }
    }

    /// A port of this machine that nobody listens at.
    async fn closed_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn only_a_refused_call_and_one_without_a_connection_may_be_repeated() {
        let judged = |status: Option<u16>, error| {
            let mut attempt = InterceptorContext::new(Input::erase(()));
            if let Some(status) = status {
                attempt.set_response(answer(status));
            }
            attempt.set_output_or_error(Err(error));
            RepeatOnlyUnsent.classify_retry(&attempt)
        };
        for (status, action) in [
            (400, RetryAction::NoActionIndicated),
            (429, RetryAction::NoActionIndicated),
            (408, RetryAction::RetryForbidden),
            (200, RetryAction::RetryForbidden),
            (500, RetryAction::RetryForbidden),
            (503, RetryAction::RetryForbidden),
        ] {
            let error = OrchestratorError::other("an error of the service");
            assert_eq!(judged(Some(status), error), action, "{status}");
        }
        let broken = OrchestratorError::connector(ConnectorError::io("broken".into()));
        assert_eq!(judged(None, broken), RetryAction::RetryForbidden);
        let client = legacy::Client::builder(TokioExecutor::new()).build_http::<String>();
        let address = format!("http://127.0.0.1:{}", closed_port().await);
        let never = client.get(address.parse().unwrap()).await.unwrap_err();
        let never = OrchestratorError::connector(ConnectorError::io(never.into()));
        assert_eq!(judged(None, never), RetryAction::NoActionIndicated);
    }

    #[tokio::test]
    async fn a_service_that_was_never_reached_did_nothing() {
        assert!(is_unsent(&publish(closed_port().await).await));
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
