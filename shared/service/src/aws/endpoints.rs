//! The endpoints of the AWS services, as the SDK's clients resolve them: one for
//! each connection that a request needs concurrently.

use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use crate::delivery;

/// The endpoints of a login: the table twice, to admit the login and to read its
/// user, and the providers. The warm-up calls KMS anyway.
pub async fn of_login(delivery: &delivery::Settings, sdk: &SdkConfig) -> Vec<String> {
    let table = dynamodb(sdk).await;
    let mut all = vec![table.clone(), table];
    if delivery.email_from.is_some() {
        all.push(ses(sdk).await);
    }
    if !delivery.sms_prefixes.is_empty() {
        all.push(sns(sdk).await);
    }
    all.into_iter().flatten().collect()
}

/// The endpoints of a validation: the table three times, to count the validation,
/// to spend the attempt and to read the user.
pub async fn of_validation(sdk: &SdkConfig) -> Vec<String> {
    dynamodb(sdk)
        .await
        .map_or_else(Vec::new, |table| vec![table; 3])
}

/// The endpoint that the environment or the profile sets, if any.
fn set(sdk: &SdkConfig, service_id: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service_id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let own = sdk.service_config()?.load_config(key);
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
