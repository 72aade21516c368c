//! The AWS clients: built once, with their time limits in one place.
//!
//! | service | one attempt | all attempts | attempts |
//! |---|---|---|---|
//! | `DynamoDB` | 1 s | 3 s | 3 |
//! | KMS | 1 s | 3 s | 3 |
//! | SES | 4 s | 6 s | 2 |
//! | SNS | 4 s | 6 s | 1 |
//!
//! A login at its worst (cold key 3, admit 4, deliver 6, withdraw 4) ends within
//! 17 seconds, a validation (cold keys 3, find 3, spend 4, mint 3, redeem 4, prove 1) within
//! 18; concealing, 3 more, for the user is looked for in between; and the first one
//! of an instance while digest keys rotate, 3 more for the other key. A refresh
//! (find 3, mint with a cold key 6, write 4, end a family 4) ends within 17, a
//! logout of all (find 3, end 15) within 18: before the function's time-out of 25
//! and the gateway's of 29. An e-mail is tried twice at most, both times with the
//! same code; a text message, which costs, once.

mod connections;
pub mod endpoints;
mod environment;
mod trust;

use std::time::Duration;

use aws_config::{
    BehaviorVersion, SdkConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};

pub use connections::Connections;
pub use environment::sdk_config;
pub use trust::Roots;

/// The SDK's whole configuration, for people at their own machines: profiles and
/// programs that give credentials, beside the environment, and the system's trust
/// roots.
pub async fn operator_sdk_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(Connections::new(&Roots::of_the_system()).client())
        .load()
        .await
}

/// The table's client.
#[must_use]
pub fn dynamodb(sdk: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::config::Builder::from(sdk)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts(1000, 3000))
        .retry_config(attempts(3));
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// The keys' client.
#[must_use]
pub fn kms(sdk: &SdkConfig) -> aws_sdk_kms::Client {
    let config = aws_sdk_kms::config::Builder::from(sdk)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts(1000, 3000))
        .retry_config(attempts(3));
    aws_sdk_kms::Client::from_conf(config.build())
}

/// The sender of e-mail.
#[must_use]
pub fn ses(sdk: &SdkConfig) -> aws_sdk_sesv2::Client {
    let config = aws_sdk_sesv2::config::Builder::from(sdk)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts(4000, 6000))
        .retry_config(attempts(2));
    aws_sdk_sesv2::Client::from_conf(config.build())
}

/// The sender of text messages.
#[must_use]
pub fn sns(sdk: &SdkConfig) -> aws_sdk_sns::Client {
    let config = aws_sdk_sns::config::Builder::from(sdk)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts(4000, 6000))
        .retry_config(attempts(1));
    aws_sdk_sns::Client::from_conf(config.build())
}

/// The limit for connecting is the connections' own ([`Connections`]).
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
