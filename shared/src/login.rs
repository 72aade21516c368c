//! Use case: somebody asks for a code.

use std::time::Duration;

use aws_config::SdkConfig;
use rand::CryptoRng;

use crate::{
    clients,
    config::Config,
    delivery::Delivery,
    domain::{ChallengeId, Channel, Destination, Policy, UnixTime, issue},
    http::problem::Failure,
    keys::DigestKeys,
    store::Store,
};

/// Everything that the login function works with. It can send, and it cannot
/// sign.
pub struct Login {
    policy: Policy,
    digest_keys: DigestKeys,
    store: Store,
    delivery: Delivery,
}

/// A code is on its way.
#[derive(Debug)]
pub struct Sent {
    /// What the client answers with.
    pub challenge_id: ChallengeId,
    /// How the code travels.
    pub channel: Channel,
    /// How many digits to ask for.
    pub code_length: u8,
    /// How long the code lives.
    pub expires_in: Duration,
    /// When another may be asked for, as far as the cooldown goes.
    pub resend_in: Duration,
}

impl Login {
    /// Builds the clients; calls nobody yet.
    #[must_use]
    pub fn new(config: &Config, sdk: &SdkConfig) -> Self {
        Self {
            policy: config.policy.clone(),
            digest_keys: DigestKeys::new(clients::kms(sdk), config.digest_key_id.clone()),
            store: Store::new(clients::dynamodb(sdk), config.table_name.clone()),
            delivery: Delivery::new(config, sdk),
        }
    }

    /// Fetches the digest key ahead of the first request. If that fails, the
    /// first request tries again and answers for it.
    pub async fn warm_up(&self) {
        let _ = self.digest_keys.current().await;
    }

    /// Issues a challenge, stores it, and only then sends its code.
    ///
    /// # Errors
    ///
    /// The destination is not sent to, a limit is used up, the delivery failed
    /// (then the challenge is withdrawn), or we are broken.
    pub async fn send_code(
        &self,
        to: &Destination,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Sent, Failure> {
        self.delivery.check(to)?;
        let key = self.digest_keys.current().await?;
        let (challenge, code) = issue(to, &self.policy, key, now, rng);
        self.store.admit(&challenge, &self.policy).await??;
        if let Err(fault) = self.delivery.deliver(to, &code).await {
            self.store.withdraw(&challenge, &self.policy).await?;
            return Err(fault.into());
        }
        Ok(Sent {
            challenge_id: challenge.id,
            channel: to.channel(),
            code_length: self.policy.code_length,
            expires_in: self.policy.code_ttl,
            resend_in: self.policy.cooldown,
        })
    }
}
