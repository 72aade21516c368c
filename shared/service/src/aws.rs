//! The AWS clients, with their time limits in one place.
//!
//! | service | one attempt | all attempts | attempts |
//! |---|---|---|---|
//! | `DynamoDB` | 1 s | 3 s | 3 |
//! | KMS | 1 s | 3 s | 3 |
//! | SES | 4 s | 6 s | 2 |
//! | SNS | 4 s | 6 s | 2 |
//!
//! SES and SNS get a second attempt only if the first certainly sent nothing.
//!
//! Above that, the store repeats a call of the table that is throttled or meets
//! a conflict, read or write, until 3 s have passed.
//!
//! Every use case ends before the function's timeout of 25 s and the gateway's
//! of 29 s. The worst cases, in seconds:
//!
//! | use case | steps | total |
//! |---|---|---|
//! | login | cold key 3, admit 3, count 1, deliver 6 (8 by an SES template), withdraw 3 | 18 |
//! | login, several ways | the same, and 3 until the last way is tried | 21 |
//! | validation | cold keys 3, newest challenge 3, attempt 3, mint 3, redeem 3 | 15 |
//! | validation that loses a race to itself | the same, winner's session 3, mint 3 | 21 |
//! | refresh | session 3, mint with a cold key 6, rotate 3, end the session 3 | 15 |
//! | logout of all | session 3, end all 15 | 18 |
//!
//! `UNKNOWN_USERS=conceal` adds 3 to a validation. It answers a login within 7, and
//! holds the instance for 2 more. A repeated login waits up to 3 for the first one.

mod connections;
mod endpoints;
mod suppression;
mod trust;
mod unsent;

use std::{sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};

use self::{connections::Connections, unsent::RepeatOnlyUnsent};

pub(crate) use connections::ProviderConnection;
pub use connections::http_client;
pub use endpoints::Service;
pub use trust::TrustRoots;
pub(crate) use unsent::is_unsent;

/// What the clients of a program are built from. They share its connections.
#[derive(Clone, Debug)]
pub struct Aws {
    sdk: Arc<SdkConfig>,
    connections: Connections,
}

impl Aws {
    /// Clients with this region, these credentials and endpoints, which trust `roots`.
    /// It opens no connection yet.
    #[must_use]
    pub fn new(sdk: SdkConfig, roots: &TrustRoots) -> Self {
        Self::keeping(connections::KEPT, sdk, roots)
    }

    /// The same for a program that makes so many calls at once: it keeps a connection for
    /// each.
    #[must_use]
    pub fn keeping(calls: usize, sdk: SdkConfig, roots: &TrustRoots) -> Self {
        let connections = Connections::new(roots, calls);
        let sdk = sdk.into_builder().http_client(connections.kept());
        Self {
            sdk: Arc::new(sdk.build()),
            connections,
        }
    }

    /// The same for a service in another region, if one is given.
    #[must_use]
    pub fn in_region(&self, region: Option<&Region>) -> Self {
        let region = region.or(self.sdk.region()).cloned();
        Self {
            sdk: Arc::new(
                SdkConfig::clone(&self.sdk)
                    .into_builder()
                    .region(region)
                    .build(),
            ),
            connections: self.connections.clone(),
        }
    }

    /// The configuration, for a client of one's own.
    #[must_use]
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The client of the table.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.repeatable())
    }

    /// The client of the keys.
    #[must_use]
    pub fn kms(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.repeatable())
    }

    /// The client that sends e-mail.
    #[must_use]
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        let config = aws_sdk_sesv2::config::Builder::from(&self.sending());
        aws_sdk_sesv2::Client::from_conf(config.retry_classifier(RepeatOnlyUnsent).build())
    }

    /// The client that sends text messages.
    #[must_use]
    pub fn sns(&self) -> aws_sdk_sns::Client {
        let config = aws_sdk_sns::config::Builder::from(&self.sending());
        aws_sdk_sns::Client::from_conf(config.retry_classifier(RepeatOnlyUnsent).build())
    }

    /// Opens a connection to a service, so that the next call finds it open. One that
    /// cannot be opened is not an error: the call that needs it opens it again and
    /// reports the failure.
    pub async fn connect(&self, service: Service) {
        if let Some(endpoint) = service.endpoint(&self.sdk).await {
            self.connections.open(service, &endpoint).await;
        }
    }

    fn repeatable(&self) -> SdkConfig {
        configured(SdkConfig::clone(&self.sdk), 1000, 3000, 3)
    }

    fn sending(&self) -> SdkConfig {
        let sdk = SdkConfig::clone(&self.sdk).into_builder();
        configured(
            sdk.http_client(self.connections.fresh()).build(),
            4000,
            6000,
            2,
        )
    }
}

/// Sets no connect timeout: [`Connections`] has its own.
fn configured(
    sdk: SdkConfig,
    attempt_millis: u64,
    operation_millis: u64,
    attempts: u32,
) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(attempt_millis))
        .operation_timeout(Duration::from_millis(operation_millis));
    let retries = RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_millis(500));
    sdk.into_builder()
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts.build())
        .retry_config(retries)
        .build()
}
