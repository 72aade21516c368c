//! The endpoints of the AWS services, as the SDK's clients resolve them.

use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// A service to which connections are opened ahead. A function that starts calls KMS
/// anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `DynamoDB`.
    Table,
    /// SES.
    Email,
    /// SNS.
    Sms,
}

impl Service {
    pub(super) async fn endpoint(self, sdk: &SdkConfig) -> Option<String> {
        match self {
            Self::Table => dynamodb(sdk).await,
            Self::Email => ses(sdk).await,
            Self::Sms => sns(sdk).await,
        }
    }
}

/// The endpoint that the environment or the profile sets, if any.
fn set(sdk: &SdkConfig, service_id: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service_id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let own = sdk.service_config().and_then(|own| own.load_config(key));
    own.or_else(|| sdk.endpoint_url().map(str::to_owned))
}

macro_rules! endpoint {
    ($name:ident, $service:ident, $id:literal) => {
        async fn $name(sdk: &SdkConfig) -> Option<String> {
            use $service::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
            let params = Params::builder()
                .set_region(sdk.region().map(ToString::to_string))
                .set_endpoint(set(sdk, $id))
                .set_use_fips(sdk.use_fips())
                .set_use_dual_stack(sdk.use_dual_stack())
                .build()
                .ok()?;
            let resolver: &dyn ResolveEndpoint = &DefaultResolver::new();
            Some(
                resolver
                    .resolve_endpoint(&params)
                    .await
                    .ok()?
                    .url()
                    .to_owned(),
            )
        }
    };
}

endpoint!(dynamodb, aws_sdk_dynamodb, "DynamoDB");
endpoint!(ses, aws_sdk_sesv2, "SESv2");
endpoint!(sns, aws_sdk_sns, "SNS");

#[cfg(test)]
mod tests {
    use aws_types::region::Region;

    use super::*;
    use crate::aws::{Aws, TrustRoots};

    #[tokio::test]
    async fn a_provider_may_be_in_another_region_than_the_table() {
        let sdk = SdkConfig::builder().region(Region::from_static("eu-west-1"));
        let sdk = sdk.behavior_version(aws_sdk_sns::config::BehaviorVersion::latest());
        let aws = Aws::new(sdk.build(), &TrustRoots::default());
        let other = Region::from_static("us-east-1");
        for (region, name) in [(None, "eu-west-1"), (Some(&other), "us-east-1")] {
            let there = aws.in_region(region);
            // A client signs for its region.
            assert_eq!(
                there.ses().config().region().map(Region::as_ref),
                Some(name)
            );
            assert_eq!(
                there.sns().config().region().map(Region::as_ref),
                Some(name)
            );
            for service in [Service::Email, Service::Sms] {
                let url = service.endpoint(there.sdk()).await.unwrap();
                assert!(url.contains(name), "{url}");
            }
        }
    }
}
