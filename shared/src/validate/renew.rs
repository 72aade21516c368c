//! Use case: a login goes on, or ends.

use std::time::Duration;

use rand::CryptoRng;

use super::Validate;
use crate::{
    domain::{Family, Presented, RefreshToken, Refusal, Salt, UnixTime, UserId},
    http::{problem::Failure, request::Leave},
    store::Refreshed,
    token::Token,
};

/// A login that goes on.
#[derive(Debug)]
pub struct Renewed {
    /// What the user may show elsewhere.
    pub token: Token,
    /// Who they are.
    pub user: UserId,
    /// What the next refresh takes.
    pub refresh_token: RefreshToken,
    /// How long that is good for, unless it is used.
    pub refresh_expires_in: Duration,
}

impl Validate {
    /// The family that a refresh token names.
    ///
    /// # Errors
    ///
    /// There is none, or we are broken.
    pub async fn family(&self, token: &RefreshToken) -> Result<Family, Failure> {
        let name = token.family();
        let family = self.store.find_family(token.user(), &name).await?;
        Ok(family.ok_or(Refusal::InvalidRefreshToken("no such family"))?)
    }

    /// Takes a token of `family` for its successor, and mints with it. The
    /// signing comes before the write, as at a login: a signing key out of reach
    /// costs nothing.
    ///
    /// # Errors
    ///
    /// The token is not good for a refresh, its user may not log in any more, or
    /// we are broken.
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        family: &Family,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Renewed, Failure> {
        let presented = self.present(token, family, now).await?;
        let (user, minted) = tokio::join!(
            self.store.find_user(&family.destination),
            self.tokens.mint(family, now, rng),
        );
        if !user?.is_some_and(|user| user.id == family.user && !user.disabled) {
            self.store.end_family(&family.user, &family.name).await?;
            return Err(Refusal::InvalidRefreshToken("no such user any more").into());
        }
        let minted = minted?;
        let (successor, expires_at) = match presented {
            Some(successor) => (successor, family.expires_at),
            None => self.succeed(token, family, now, rng).await?,
        };
        Ok(Renewed {
            token: minted,
            user: family.user.clone(),
            refresh_token: successor,
            refresh_expires_in: now.until(expires_at),
        })
    }

    /// The successor that the token has already, or `None` if one is due.
    async fn present(
        &self,
        token: &RefreshToken,
        family: &Family,
        now: UnixTime,
    ) -> Result<Option<RefreshToken>, Failure> {
        match family.judge(token, self.lifetimes, now) {
            Presented::Current => Ok(None),
            Presented::Again(successor) => Ok(Some(successor)),
            Presented::Expired => Err(Refusal::InvalidRefreshToken("expired").into()),
            Presented::Copied => {
                self.store.end_family(&family.user, &family.name).await?;
                Err(Refusal::InvalidRefreshToken("copied: family revoked").into())
            }
        }
    }

    /// Makes the successor and writes it; if another refresh of the same token
    /// was first, its successor is ours.
    async fn succeed(
        &self,
        token: &RefreshToken,
        family: &Family,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<(RefreshToken, UnixTime), Failure> {
        let salt = Salt::draw(rng);
        let after = family.refreshed(token, salt.clone(), self.lifetimes, now);
        let lost = |reason| Failure::from(Refusal::InvalidRefreshToken(reason));
        match self
            .store
            .refresh(&after, &token.digest(), &salt, now)
            .await?
        {
            Refreshed::Done => Ok((token.successor(&salt), after.expires_at)),
            Refreshed::Lost(None) => Err(lost("family ended meanwhile")),
            Refreshed::Lost(Some(stands)) => {
                let successor = self.present(token, &stands, now).await?;
                let successor = successor.ok_or(lost("expired meanwhile"))?;
                Ok((successor, stands.expires_at))
            }
        }
    }

    /// Ends the login that the token is of; with `all`, every other of the same
    /// user too, if the token is still good. Whoever holds an old one ends the
    /// one family, as anywhere else.
    ///
    /// # Errors
    ///
    /// We are broken. Some of it may be done, then.
    pub async fn log_out(&self, leave: &Leave, now: UnixTime) -> Result<Option<Family>, Failure> {
        let Some(token) = &leave.token else {
            return Ok(None);
        };
        let found = self
            .store
            .find_family(token.user(), &token.family())
            .await?;
        let Some(family) = found else {
            return Ok(None);
        };
        let good = matches!(
            family.judge(token, self.lifetimes, now),
            Presented::Current | Presented::Again(_)
        );
        if leave.all && good {
            let last = Some(&family.name);
            self.store.end_families(&family.user, last).await?;
        } else {
            self.store.end_family(&family.user, &family.name).await?;
        }
        Ok(Some(family))
    }
}
