//! Sessions: validating a code starts one, refreshing continues it, logging out
//! ends it. Each use case is one method of [`SessionService`], in a file of its
//! own.

mod discovery;
mod logout;
mod profile;
mod refresh;
mod validate;

use aws_config::SdkConfig;
use otp_domain::{Policy, SessionLifetimes, TestIdentities};

use crate::{
    access_token::{self, TokenIssuer},
    aws,
    keys::DigestKeys,
    store::Store,
};

pub use logout::LogoutRequest;
pub use profile::Profile;
pub use refresh::{REUSED, RefreshRequest, Refreshed};
pub use validate::{LoggedIn, ValidateRequest};

/// What the session use cases need to know.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// The table's name or ARN.
    pub table_name: String,
    /// The KMS key that the digest key derives from.
    pub digest_key_id: String,
    /// A second such key, whose codes still verify while keys rotate.
    pub second_digest_key_id: Option<String>,
    /// The rules of codes and limits.
    pub policy: Policy,
    /// How long sessions live.
    pub lifetimes: SessionLifetimes,
    /// Destinations with a fixed code.
    pub test_identities: TestIdentities,
    /// How access tokens are made.
    pub tokens: access_token::Settings,
}

/// Starts, continues and ends sessions. It can sign tokens; it cannot send
/// messages.
pub struct SessionService {
    policy: Policy,
    lifetimes: SessionLifetimes,
    test_identities: TestIdentities,
    digest_keys: DigestKeys,
    store: Store,
    tokens: TokenIssuer,
}

impl SessionService {
    /// Builds the clients. It makes no call yet.
    #[must_use]
    pub fn new(settings: &SessionSettings, sdk: &SdkConfig) -> Self {
        let kms = aws::kms(sdk);
        Self {
            policy: settings.policy.clone(),
            lifetimes: settings.lifetimes,
            test_identities: settings.test_identities.clone(),
            digest_keys: DigestKeys::new(
                &kms,
                &settings.digest_key_id,
                settings.second_digest_key_id.as_deref(),
            ),
            store: Store::new(aws::dynamodb(sdk), settings.table_name.clone()),
            tokens: TokenIssuer::new(&settings.tokens, &kms),
        }
    }

    /// Fetches the keys before the first request. If this fails, the first
    /// request tries again and reports the fault.
    pub async fn warm_up(&self) {
        let _ = tokio::join!(self.digest_keys.current(), self.tokens.warm_up());
    }
}
