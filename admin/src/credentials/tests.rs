use aws_config::{
    Region, profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use otp_service::{
    aws::{TrustRoots, http_client},
    fault::Dependency,
};

use super::*;

const CONFIG: &str = "
[default]
region = eu-central-1
[profile by-sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Operator
[sso-session corp]
sso_region = eu-central-1
sso_start_url = https://example.awsapps.com/start
[profile by-process]
credential_process = false
";

fn sdk(provider: impl ProvideCredentials + 'static) -> SdkConfig {
    SdkConfig::builder()
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .build()
}

async fn of_profile(name: &str) -> String {
    let files = EnvConfigFiles::builder()
        .with_contents(EnvConfigFileKind::Config, CONFIG)
        .build();
    let http = http_client(&TrustRoots::default());
    let config = ProviderConfig::empty().with_http_client(http);
    let provider = ProfileFileCredentialsProvider::builder()
        .configure(&config)
        .profile_files(files)
        .profile_name(name)
        .build();
    let error = provider.provide_credentials().await.expect_err(name);
    explain(&error, Some(name))
}

#[tokio::test]
async fn each_fault_of_a_profile_has_its_sentence() {
    for (profile, sentence) in [
        (
            "by-sso",
            "the profile by-sso signs in by SSO: run `aws sso login --profile by-sso`",
        ),
        (
            "by-process",
            "the credential process of the profile by-process failed",
        ),
        (
            "nowhere",
            "there is no profile nowhere in the AWS configuration",
        ),
        ("default", "no credentials: set AWS_PROFILE"),
    ] {
        let told = of_profile(profile).await;
        assert!(told.starts_with(sentence), "{profile}: {told}");
    }
}

#[tokio::test]
async fn without_a_region_nothing_is_tried() {
    let tried = Tried::with(&SdkConfig::builder().build(), None).await;
    let told = tried.expect_err("no region").to_string();
    assert!(told.starts_with("no region: set AWS_REGION"), "{told}");
}

#[tokio::test]
async fn a_refused_call_says_why_and_what_was_tried() {
    let of = Credentials::builder()
        .access_key_id("AKIAEXAMPLE")
        .secret_access_key("secret")
        .account_id("111122223333")
        .provider_name("tests")
        .build();
    let tried = Tried::with(&sdk(of), Some("table users")).await.unwrap();
    for (code, sentence) in [
        (
            "ExpiredTokenException",
            "the session of these credentials has expired: sign in again",
        ),
        (
            "AccessDeniedException",
            "these credentials may not call Scan here",
        ),
        (
            "UnrecognizedClientException",
            "AWS does not know these credentials",
        ),
        (
            "ResourceNotFoundException",
            "there is no such table or key in this account and region",
        ),
        (
            "ResourceInUseException",
            "the table is not ready for this yet",
        ),
    ] {
        let cause = Cause::Refused(code.to_owned());
        let told = tried
            .told(&Fault::new(Dependency::Table, "Scan", cause))
            .to_string();
        let lines: Vec<_> = told.lines().collect();
        assert_eq!(lines[0], format!("table: Scan: {code}"));
        assert!(lines[1].starts_with(sentence), "{told}");
        assert_eq!(
            lines[2],
            "tried table users in region eu-central-1 of account 111122223333"
        );
    }
    let fault = Fault::new(Dependency::Table, "Scan", "no connection");
    assert_eq!(tried.told(&fault).to_string().lines().count(), 2);
}
