//! What is wrong with the operator's credentials, in one sentence.

use std::error::Error as _;

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use otp_service::fault::{Cause, Fault};

use crate::error::Error;

/// What a call was to reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    account: Option<String>,
    region: String,
    endpoint: Option<String>,
    /// Such as `table users`.
    what: Option<String>,
}

impl Tried {
    /// Takes the region and the credentials of the SDK, before the first call.
    pub async fn with(sdk: &SdkConfig, what: Option<&str>) -> Result<Self, Error> {
        let region = sdk.region().ok_or_else(|| {
            Error::Aws("no region: set AWS_REGION, or give the profile a region".to_owned())
        })?;
        let provider = sdk.credentials_provider().ok_or_else(none)?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| Error::Aws(explain(&error, profile().as_deref())))?;
        Ok(Self {
            account: credentials.account_id().map(|id| id.as_str().to_owned()),
            region: region.as_ref().to_owned(),
            endpoint: sdk.endpoint_url().map(str::to_owned),
            what: what.map(str::to_owned),
        })
    }

    /// Why a call failed, and what it was to reach.
    pub fn told(&self, fault: &Fault) -> Error {
        let why = match &fault.cause {
            Cause::Refused(code) => refused(code, fault.operation),
            _ => None,
        };
        let what = self.what.as_deref();
        let what = what.map_or_else(String::new, |what| format!("{what} in "));
        let why = why.map_or_else(String::new, |why| format!("{why}\n"));
        Error::Aws(format!("{fault}\n{why}tried {what}{}", self.place()))
    }

    /// The region, the account and the endpoint.
    pub fn place(&self) -> String {
        let account = self.account.as_deref();
        let account = account.map_or_else(String::new, |id| format!(" of account {id}"));
        let endpoint = self.endpoint.as_deref();
        let endpoint = endpoint.map_or_else(String::new, |url| format!(" at {url}"));
        format!("region {}{account}{endpoint}", self.region)
    }
}

fn refused(code: &str, operation: &str) -> Option<String> {
    let told = match code {
        "ExpiredTokenException" | "ExpiredToken" => {
            "the session of these credentials has expired: sign in again".to_owned()
        }
        "AccessDeniedException" | "AccessDenied" => format!(
            "these credentials may not call {operation} here: admin/operator-policy.json names \
             what the tool needs"
        ),
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidSignatureException" => {
            "AWS does not know these credentials: check the access key and its secret".to_owned()
        }
        "ResourceNotFoundException" | "NotFoundException" => {
            "there is no such table or key in this account and region".to_owned()
        }
        "ResourceInUseException" | "ContinuousBackupsUnavailableException" => {
            "the table is not ready for this yet: run the command again in a minute".to_owned()
        }
        _ => return None,
    };
    Some(told)
}

fn none() -> Error {
    Error::Aws(explain(
        &CredentialsError::not_loaded_no_source(),
        profile().as_deref(),
    ))
}

fn profile() -> Option<String> {
    otp_settings::variable("AWS_PROFILE").filter(|name| !name.is_empty())
}

/// One sentence, by the words of the SDK, which has no other sign of the cause.
fn explain(error: &CredentialsError, profile: Option<&str>) -> String {
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push(inner.to_string());
        cause = inner.source();
    }
    let words = words.join(": ");
    let lower = words.to_ascii_lowercase();
    let profile = profile.unwrap_or("default");
    if lower.contains("sso") {
        format!(
            "the profile {profile} signs in by SSO: run `aws sso login --profile {profile}`, then \
             `eval \"$(aws configure export-credentials --profile {profile} --format env)\"`"
        )
    } else if lower.contains("not defined") || lower.contains("no profile") {
        format!("there is no profile {profile} in the AWS configuration: check AWS_PROFILE")
    } else if lower.contains("process") {
        format!("the credential process of the profile {profile} failed: {words}")
    } else if lower.contains("expired") {
        "these credentials have expired: sign in again".to_owned()
    } else if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        "no credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned()
    } else {
        format!("no credentials: {words}")
    }
}

#[cfg(test)]
mod tests;
