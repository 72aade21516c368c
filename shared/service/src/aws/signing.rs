//! The signature of a request (AWS Signature Version 4), cheaper than the SDK's.
//!
//! The SDK derives the signing key anew for each request, hashes in portable code
//! and signs every header. Here the derived key is kept, aws-lc hashes with the
//! processor's instructions, and only the headers that AWS demands are signed
//! (docs/decisions/aws-clients.md). What is not a plain request, and every repeated
//! attempt, is left to the SDK's signer, which also corrects a clock that is wrong.

mod key;
mod plain;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_credential_types::Credentials;
use aws_runtime::auth::{
    SigV4OperationSigningConfig, SigningOptions,
    sigv4::{SCHEME_ID, SigV4Signer},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        auth::{AuthScheme, AuthSchemeEndpointConfig, AuthSchemeId, Sign},
        identity::{Identity, SharedIdentityResolver},
        orchestrator::HttpRequest,
        retries::RequestAttempts,
        runtime_components::{GetIdentityResolver, RuntimeComponents},
    },
};
use aws_smithy_types::{Document, config_bag::ConfigBag};
use aws_types::{SigningName, region::SigningRegion};

use self::{
    key::{Scope, SigningKey},
    plain::PlainRequest,
};

/// Replaces the SDK's scheme of the same id. Each client has one of its own, so
/// that it keeps the key of one service.
#[derive(Debug, Default)]
pub(super) struct CachedSigning(Signer);

impl AuthScheme for CachedSigning {
    fn scheme_id(&self) -> AuthSchemeId {
        SCHEME_ID
    }

    fn identity_resolver(
        &self,
        resolvers: &dyn GetIdentityResolver,
    ) -> Option<SharedIdentityResolver> {
        resolvers.identity_resolver(SCHEME_ID)
    }

    fn signer(&self) -> &dyn Sign {
        &self.0
    }
}

#[derive(Default)]
struct Signer {
    /// The key of the last request.
    key: Mutex<Option<SigningKey>>,
    sdk: SigV4Signer,
}

impl Signer {
    fn sign_plain(
        &self,
        request: &mut HttpRequest,
        scope: &Scope<'_>,
        since_epoch: Duration,
    ) -> bool {
        let signed = PlainRequest::of(request).map(|plain| {
            let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
            let key = match kept.take().filter(|key| key.is_of(scope)) {
                Some(key) => kept.insert(key),
                None => kept.insert(SigningKey::derive(scope)),
            };
            plain.sign(key, since_epoch)
        });
        let Some(signed) = signed else {
            return false;
        };
        let headers = request.headers_mut();
        headers.insert("x-amz-date", signed.date);
        headers.insert("authorization", signed.authorization);
        if let Some(token) = scope.credentials.session_token() {
            headers.insert("x-amz-security-token", token.to_owned());
        }
        true
    }
}

impl Sign for Signer {
    fn sign_http_request(
        &self,
        request: &mut HttpRequest,
        identity: &Identity,
        endpoint: AuthSchemeEndpointConfig<'_>,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        let now = components.time_source().unwrap_or_default().now();
        let since_epoch = since_epoch(now);
        let signed = is_first_attempt(config)
            && has_usual_options(config)
            && since_epoch
                .zip(scope(identity, &endpoint, config, since_epoch))
                .is_some_and(|(since_epoch, scope)| self.sign_plain(request, &scope, since_epoch));
        if signed {
            return Ok(());
        }
        self.sdk
            .sign_http_request(request, identity, endpoint, components, config)
    }
}

/// Leaves the key out.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

fn since_epoch(now: SystemTime) -> Option<Duration> {
    now.duration_since(UNIX_EPOCH).ok()
}

/// A service refuses a request whose time is wrong, and tells its own time. Only
/// the SDK's signer knows by how much the clock is to be corrected.
fn is_first_attempt(config: &ConfigBag) -> bool {
    config
        .load::<RequestAttempts>()
        .is_none_or(|attempt| attempt.attempts() == 1)
}

fn has_usual_options(config: &ConfigBag) -> bool {
    config
        .load::<SigV4OperationSigningConfig>()
        .is_some_and(|operation| operation.signing_options == SigningOptions::default())
}

/// `None` if the SDK's signer would refuse to sign.
fn scope<'a>(
    identity: &'a Identity,
    endpoint: &AuthSchemeEndpointConfig<'a>,
    config: &'a ConfigBag,
    since_epoch: Option<Duration>,
) -> Option<Scope<'a>> {
    let of_client = || Some(config.load::<SigningRegion>()?.as_ref());
    let region = match endpoint.get("signingRegion") {
        None => of_client()?,
        Some(Document::String(region)) => region,
        Some(_) => return None,
    };
    let of_client = || Some(config.load::<SigningName>()?.as_ref());
    let service = match endpoint.get("signingName") {
        None => of_client()?,
        Some(Document::String(name)) => name,
        Some(_) => return None,
    };
    Some(Scope {
        credentials: identity.data::<Credentials>()?,
        day: since_epoch?.as_secs() / key::DAY,
        region,
        service,
    })
}
