//! Environment variables, and the SDK's configuration from them.
//!
//! Lambda configures the SDK through environment variables only. The SDK's
//! default chain also looks for profiles, containers and instances, which Lambda
//! never has. That search takes a quarter of a cold start (docs/decisions/aws-clients.md).

use aws_credential_types::{
    Credentials,
    attributes::AccountId,
    credential_feature::AwsCredentialFeature,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::{
    SdkConfig,
    app_name::AppName,
    region::Region,
    service_config::{LoadServiceConfig, ServiceConfigKey},
};

use otp_settings::variable;

/// Reads an environment variable.
type Lookup = fn(&str) -> Option<String>;

/// The configuration for a function: region, credentials and endpoints from the
/// SDK's environment variables.
///
/// | variable | meaning |
/// |---|---|
/// | `AWS_REGION`, else `AWS_DEFAULT_REGION` | the region |
/// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_ACCOUNT_ID` | the credentials |
/// | `AWS_ENDPOINT_URL_DYNAMODB`, `_KMS`, `_SESV2`, `_SNS`, else `AWS_ENDPOINT_URL` | the endpoints |
/// | `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT` | `true` or `false` |
/// | `AWS_SDK_UA_APP_ID` | the name of this application in AWS's logs |
#[must_use]
pub fn sdk_config() -> SdkConfig {
    from_variables(variable)
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(Keys(variable)))
        .identity_cache(IdentityCache::lazy().build())
        .build()
}

fn from_variables(variable: Lookup) -> SdkConfig {
    let switch = |name| Some(variable(name)?.trim().eq_ignore_ascii_case("true"));
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    let app_name = variable("AWS_SDK_UA_APP_ID").and_then(|name| AppName::new(name).ok());
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.map(Region::new))
        .service_config(Endpoints(variable));
    builder.set_app_name(app_name);
    builder.set_use_fips(switch("AWS_USE_FIPS_ENDPOINT"));
    builder.set_use_dual_stack(switch("AWS_USE_DUALSTACK_ENDPOINT"));
    builder.build()
}

/// The credentials, read anew when the SDK asks for them.
#[derive(Debug)]
struct Keys(Lookup);

impl ProvideCredentials for Keys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(self.credentials().ok_or_else(|| {
            CredentialsError::not_loaded("AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set")
        }))
    }
}

impl Keys {
    fn credentials(&self) -> Option<Credentials> {
        let Self(variable) = self;
        let set = |name| variable(name).filter(|value| !value.trim().is_empty());
        let mut keys = Credentials::builder()
            .access_key_id(set("AWS_ACCESS_KEY_ID")?)
            .secret_access_key(set("AWS_SECRET_ACCESS_KEY")?)
            .provider_name("environment");
        keys.set_session_token(set("AWS_SESSION_TOKEN"));
        keys.set_account_id(set("AWS_ACCOUNT_ID").map(AccountId::from));
        let mut keys = keys.build();
        // The user agent names where credentials come from.
        keys.get_property_mut_or_default::<Vec<AwsCredentialFeature>>()
            .push(AwsCredentialFeature::CredentialsEnvVars);
        Some(keys)
    }
}

/// Each client reads its own endpoint variable, or else the common one.
#[derive(Debug)]
struct Endpoints(Lookup);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let Self(variable) = self;
        let service = key.service_id().to_uppercase().replace(' ', "_");
        variable(&format!("{}_{service}", key.env())).or_else(|| variable(key.env()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint_of_table(variable: Lookup) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id("DynamoDB")
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url");
        Endpoints(variable).load_config(key.build().unwrap())
    }

    #[test]
    fn a_services_own_endpoint_goes_before_the_one_for_all() {
        let own = endpoint_of_table(|name| match name {
            "AWS_ENDPOINT_URL_DYNAMODB" => Some("http://own".into()),
            "AWS_ENDPOINT_URL" => Some("http://all".into()),
            _ => None,
        });
        assert_eq!(own.as_deref(), Some("http://own"));
        let all =
            endpoint_of_table(|name| (name == "AWS_ENDPOINT_URL").then(|| "http://all".into()));
        assert_eq!(all.as_deref(), Some("http://all"));
        assert_eq!(endpoint_of_table(|_| None), None);
    }

    #[test]
    fn credentials_need_both_keys_and_take_a_token_if_there_is_one() {
        let temporary = Keys(|name| match name {
            "AWS_ACCESS_KEY_ID" => Some("id".into()),
            "AWS_SECRET_ACCESS_KEY" => Some("secret".into()),
            "AWS_SESSION_TOKEN" => Some("token".into()),
            _ => None,
        });
        let keys = temporary.credentials().unwrap();
        assert_eq!(keys.access_key_id(), "id");
        assert_eq!(keys.secret_access_key(), "secret");
        assert_eq!(keys.session_token(), Some("token"));

        let lasting = Keys(|name| (name != "AWS_SESSION_TOKEN").then(|| "some".into()));
        assert_eq!(lasting.credentials().unwrap().session_token(), None);
        let empty_token = Keys(|name| match name {
            "AWS_SESSION_TOKEN" => Some(" ".into()),
            _ => Some("some".into()),
        });
        assert_eq!(empty_token.credentials().unwrap().session_token(), None);

        let no_id = Keys(|name| (name != "AWS_ACCESS_KEY_ID").then(|| "some".into()));
        assert!(no_id.credentials().is_none());
        let no_secret = Keys(|name| (name != "AWS_SECRET_ACCESS_KEY").then(|| "some".into()));
        assert!(no_secret.credentials().is_none());
    }

    #[test]
    fn the_region_is_lambdas_or_else_the_default() {
        let both = from_variables(|name| match name {
            "AWS_REGION" => Some("eu-central-1".into()),
            "AWS_DEFAULT_REGION" => Some("us-east-1".into()),
            _ => None,
        });
        assert_eq!(both.region(), Some(&Region::new("eu-central-1")));
        let default =
            from_variables(|name| (name == "AWS_DEFAULT_REGION").then(|| "us-east-1".into()));
        assert_eq!(default.region(), Some(&Region::new("us-east-1")));
    }

    #[test]
    fn switches_are_on_only_when_they_say_true() {
        let on = |name: &str| (name == "AWS_USE_FIPS_ENDPOINT").then(|| "True".to_owned());
        assert_eq!(from_variables(on).use_fips(), Some(true));
        let off = |name: &str| (name == "AWS_USE_FIPS_ENDPOINT").then(|| "no".to_owned());
        assert_eq!(from_variables(off).use_fips(), Some(false));
        assert_eq!(from_variables(|_| None).use_fips(), None);
    }
}
