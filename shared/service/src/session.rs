//! The use cases of sessions: a validation starts a session, a refresh continues
//! it, and a logout ends it. Each file below has one method of
//! [`SessionService`].

mod account;
mod deletion;
mod destinations;
mod discovery;
mod logout;
mod own_sessions;
mod refresh;
mod repeat;
mod revoke;
mod start;
mod validate;

use std::time::Duration;

use otp_domain::{Destination, Policy, Pseudonym, Session, SessionLifetimes, TestIdentities};

use crate::{
    access_token::{self, TokenIssuer},
    aws::{Aws, Service},
    fault::Fault,
    keys::DigestKeys,
    ledger::Ledger,
    store::{Events, Store},
    table::Table,
    users::UserService,
};

pub use account::{Account, FreshAccount};
pub use destinations::Removed;
pub use logout::LogoutRequest;
pub use refresh::{REUSED, RefreshRequest, Refreshed};
pub use revoke::RevokeRequest;
pub use validate::{DeviceToken, LoggedIn, ValidateRequest};

/// The settings of the session use cases.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// The table's name or ARN.
    pub table_name: String,
    /// Whether changes of users become events.
    pub events: Events,
    /// The KMS key that the digest key derives from.
    pub digest_key_id: String,
    /// The second digest key: while keys rotate, its codes still verify.
    pub second_digest_key_id: Option<String>,
    /// The rules of codes and limits.
    pub policy: Policy,
    /// The lifetimes of a session.
    pub lifetimes: SessionLifetimes,
    /// Destinations with a fixed code.
    pub test_identities: TestIdentities,
    /// How old the login behind a token may be that changes its user's account.
    pub fresh_login: Duration,
    /// The settings of access tokens.
    pub tokens: access_token::Settings,
}

/// The use cases of sessions and of users' own accounts. It can sign tokens, but cannot send
/// messages.
pub struct SessionService {
    aws: Aws,
    policy: Policy,
    lifetimes: SessionLifetimes,
    test_identities: TestIdentities,
    fresh_login: Duration,
    digest_keys: DigestKeys,
    store: Store,
    users: UserService,
    ledger: Ledger,
    tokens: TokenIssuer,
}

impl SessionService {
    /// The pseudonym of a destination, for the log.
    #[must_use]
    pub fn pseudonym(&self, of: &Destination) -> Option<Pseudonym> {
        self.digest_keys.pseudonym(of)
    }

    /// Forgets which limits refused lately, for a local stack that resets its limits.
    pub fn forget_refusals(&self) {
        self.ledger.reset();
    }

    /// Builds the clients. It makes no call yet.
    #[must_use]
    pub fn new(settings: &SessionSettings, aws: &Aws) -> Self {
        let kms = aws.kms();
        let table = Table::new(aws.dynamodb(), settings.table_name.clone());
        Self {
            aws: aws.clone(),
            policy: settings.policy.clone(),
            lifetimes: settings.lifetimes,
            test_identities: settings.test_identities.clone(),
            fresh_login: settings.fresh_login,
            digest_keys: DigestKeys::new(
                &kms,
                &settings.digest_key_id,
                settings.second_digest_key_id.as_deref(),
            ),
            store: Store::new(table.clone(), settings.events),
            users: UserService::new(table.clone(), settings.events),
            ledger: Ledger::new(table),
            tokens: TokenIssuer::new(&settings.tokens, &kms),
        }
    }

    /// Fetches the keys and opens a connection before the first request. If that fails,
    /// the first request tries again and reports the fault.
    pub async fn warm_up(&self) {
        let table = self.aws.connect(Service::Table);
        let _ = tokio::join!(self.digest_keys.current(), self.tokens.warm_up(), table);
    }

    /// Whether this service has started the session: a writer of the table has no
    /// key for its seal.
    async fn is_genuine(&self, session: &Session) -> Result<bool, Fault> {
        let Some(seal) = &session.seal else {
            return Ok(false);
        };
        let key = self.digest_keys.named(&seal.key_id).await?;
        Ok(session.is_genuine(key))
    }
}
