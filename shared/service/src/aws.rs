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
//! | validation | cold keys 3, newest challenge 3, attempt 3, mint 3, redeem 3 | 15 |
//! | validation that loses a race to itself | the same, winner's session 3, mint 3 | 21 |
//! | refresh | session 3, mint with a cold key 6, rotate 3, end the session 3 | 15 |
//! | logout of all | session 3, end all 15 | 18 |
//!
//! `UNKNOWN_USERS=conceal` adds 3 to a validation. It answers a login within 7, and
//! holds the instance for 2 more. A repeated login waits up to 3 for the first one.

mod connections;
pub mod endpoints;
mod http;
mod signing;
mod trust;
mod unsent;

use std::time::Duration;

use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::SdkConfig;

use self::{signing::CachedSigning, unsent::RepeatOnlyUnsent};

pub use connections::Connections;
pub use trust::TrustRoots;
pub(crate) use unsent::is_unsent;

/// The client of the table.
#[must_use]
pub fn dynamodb(sdk: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::config::Builder::from(sdk)
        .push_auth_scheme(CachedSigning::default())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts(1000, 3000))
        .retry_config(attempts(3));
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// The client of the keys.
#[must_use]
pub fn kms(sdk: &SdkConfig) -> aws_sdk_kms::Client {
    let config = aws_sdk_kms::config::Builder::from(sdk)
        .push_auth_scheme(CachedSigning::default())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts(1000, 3000))
        .retry_config(attempts(3));
    aws_sdk_kms::Client::from_conf(config.build())
}

/// The client that sends e-mail.
#[must_use]
pub fn ses(sdk: &SdkConfig) -> aws_sdk_sesv2::Client {
    let config = aws_sdk_sesv2::config::Builder::from(sdk)
        .push_auth_scheme(CachedSigning::default())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts(4000, 6000))
        .retry_config(attempts(2))
        .retry_classifier(RepeatOnlyUnsent);
    aws_sdk_sesv2::Client::from_conf(config.build())
}

/// The client that sends text messages.
#[must_use]
pub fn sns(sdk: &SdkConfig) -> aws_sdk_sns::Client {
    let config = aws_sdk_sns::config::Builder::from(sdk)
        .push_auth_scheme(CachedSigning::default())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts(4000, 6000))
        .retry_config(attempts(2))
        .retry_classifier(RepeatOnlyUnsent);
    aws_sdk_sns::Client::from_conf(config.build())
}

/// Sets no connect timeout: [`Connections`] has its own.
fn timeouts(attempt_millis: u64, operation_millis: u64) -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(attempt_millis))
        .operation_timeout(Duration::from_millis(operation_millis))
        .build()
}

fn attempts(max: u32) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(max)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_millis(500))
}
