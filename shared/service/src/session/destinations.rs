//! Use case: users change the destinations that log them in.

use otp_domain::{
    Destination, DestinationsRefusal, OperationId, OwnDestination, Purpose, Refusal, UndoToken,
    UnixTime, UserId, UserRecord,
};
use rand::CryptoRng;

use super::{FreshAccount, SessionService, ValidateRequest, account::gone};
use crate::{
    Error,
    about::About,
    store::{Adding, Ending, Transition, Undo, Undoing, UserWritten},
    table,
};

/// How often a change is tried while other changes of the same user come first.
const TRIES: u8 = 5;

/// A user after a removal.
pub struct Removed {
    /// The user.
    pub user: UserRecord,
    /// What takes the removal back, if the owner of the removed destination may.
    pub undo: Option<UndoToken>,
}

impl SessionService {
    /// Adds the destination of a right code to the user. The code must have been sent for
    /// that. The same request again changes nothing.
    ///
    /// # Errors
    ///
    /// Refused if the code is invalid or the client's limit refuses, if the destination is
    /// another user's, or if the user has as many as there may be. A fault if the table or a
    /// key is unavailable.
    pub async fn add_destination(
        &self,
        account: &FreshAccount,
        request: &ValidateRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<UserRecord, Error> {
        let added = self.judge_and_add(account, request, now, rng).await;
        added.map_err(|error| {
            let about = About::from(&request.destination).and(&account.principal);
            error.about(About {
                challenge: request.challenge_id.clone(),
                ..about
            })
        })
    }

    async fn judge_and_add(
        &self,
        account: &FreshAccount,
        request: &ValidateRequest,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<UserRecord, Error> {
        let (to, mut user) = (&request.destination, account.user.clone());
        let purpose = Purpose::Adding(user.id.clone());
        let operation = OperationId::draw(rng);
        let right = self.judge(request, &purpose, &operation, now).await?;
        for nth in 0..TRIES {
            if user.added_at(to).is_some() {
                return Ok(user);
            }
            let after = user.with(to, now).map_err(Refusal::from)?;
            let adding = Adding {
                guess: &right.charged,
                takes_off_guesses: self.takes_off_guesses(to),
                before: &user,
                after: &after,
            };
            let written = self.store.add_destination(&adding, &operation, nth, now);
            match written.await? {
                Some(UserWritten::Done) => return Ok(after),
                Some(UserWritten::Taken(_)) => {
                    return Err(Refusal::from(DestinationsRefusal::Taken).into());
                }
                Some(UserWritten::Outdated) => {}
                None => return Err(Refusal::InvalidOtp("used").into()),
            }
            user = self.read_again(&user.id).await?;
        }
        Err(table::fault("add destination", "the user changed too often meanwhile").into())
    }

    /// Takes a destination from the user, and ends the sessions that began with it, except that
    /// of the token. What is not the user's is gone already.
    ///
    /// # Errors
    ///
    /// Refused if it is the last one, or older than the one by which the session began and that
    /// is new. A fault if the table is unavailable: the destination may be removed.
    pub async fn remove_destination(
        &self,
        account: &FreshAccount,
        to: &Destination,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Removed, Error> {
        let removed = self.remove_and_end(account, to, now, rng).await;
        removed.map_err(|error| error.about(&account.principal))
    }

    async fn remove_and_end(
        &self,
        account: &FreshAccount,
        to: &Destination,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Removed, Error> {
        let principal = &account.principal;
        let removed = self.remove(account, to, now, rng).await?;
        let proven = Ending::ProvenBy(to, Some(&principal.session));
        self.store
            .end_sessions(&principal.user, proven, now)
            .await?;
        Ok(removed)
    }

    async fn remove(
        &self,
        account: &FreshAccount,
        to: &Destination,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Removed, Error> {
        let key = self.digest_keys.current().await?;
        let mut user = account.user.clone();
        for _ in 0..TRIES {
            let Some(added_at) = user.added_at(to) else {
                return Ok(Removed { user, undo: None });
            };
            let removal = user.without(to, &account.proven, now);
            let removal = removal.map_err(Refusal::from)?;
            let undo = removal.undo_until.map(|until| {
                let token = UndoToken::draw(rng);
                let kept = Undo {
                    id: key.undo_id(&token),
                    user: user.id.clone(),
                    removed: OwnDestination {
                        destination: to.clone(),
                        added_at,
                    },
                    removed_at: now,
                    until,
                    is_used: false,
                };
                (token, kept)
            });
            let change = Transition::Change(&user, &removal.user);
            let operation = OperationId::draw(rng);
            let kept = undo.as_ref().map(|(_, kept)| kept);
            let written = self.store.remove_destination(change, kept, &operation, now);
            if written.await? == UserWritten::Done {
                return Ok(Removed {
                    user: removal.user,
                    undo: undo.map(|(token, _)| token),
                });
            }
            user = self.read_again(&user.id).await?;
        }
        Err(table::fault("remove destination", "the user changed too often meanwhile").into())
    }

    async fn read_again(&self, user: &UserId) -> Result<UserRecord, Error> {
        let stands = self.store.find_user_by_id(user).await?;
        stands.filter(|user| !user.is_disabled()).ok_or_else(gone)
    }

    /// Gives a removed destination back to its user by the token of the removal's notice, also
    /// from a user who was made there since. Takes off what was added since, and ends every
    /// session of the user. Logs nobody in.
    ///
    /// # Errors
    ///
    /// Refused if the token is unknown, used or over, if the user is removed, or if a user who
    /// was there before has the destination now. A fault if the table or a key is unavailable.
    pub async fn undo_removal(
        &self,
        token: &UndoToken,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<UserId, Error> {
        let nothing = Refusal::from(DestinationsRefusal::InvalidUndo);
        let mut undo = None;
        for key in self.digest_keys.all().await? {
            undo = undo.or(self.store.find_undo(&key.undo_id(token)).await?);
        }
        let undo = undo.filter(|undo| now < undo.until).ok_or(nothing)?;
        let to = &undo.removed.destination;
        for _ in 0..TRIES {
            let owner = self.store.find_user_by_id(&undo.user).await?;
            let owner = owner.ok_or(nothing)?;
            if undo.is_used {
                return self.finish(&undo, now).await;
            }
            let holder = self.store.find_user_record(to).await?;
            let holder = holder.filter(|holder| holder.id != owner.id);
            if holder
                .as_ref()
                .is_some_and(|it| it.created_at < undo.removed_at)
            {
                return Err(Refusal::from(DestinationsRefusal::Taken).into());
            }
            let left = holder.as_ref().map(|holder| {
                let mut left = holder.clone();
                left.destinations.retain(|own| own.destination != *to);
                (!left.destinations.is_empty()).then_some(left)
            });
            let after = owner.as_before(undo.removed.clone(), undo.removed_at);
            let undoing = Undoing {
                undo: &undo,
                owner: (&owner, &after),
                holder: holder.as_ref().zip(left.as_ref().map(Option::as_ref)),
            };
            let operation = OperationId::draw(rng);
            if self.store.undo_removal(&undoing, &operation, now).await? {
                if let Some(holder) = &holder {
                    let proven = Ending::ProvenBy(to, None);
                    self.store.end_sessions(&holder.id, proven, now).await?;
                }
                return self.finish(&undo, now).await;
            }
        }
        Err(table::fault("undo", "the users changed too often meanwhile").into())
    }

    /// What follows an undo, and its repeat after a failure.
    async fn finish(&self, undo: &Undo, now: UnixTime) -> Result<UserId, Error> {
        self.store
            .end_sessions(&undo.user, Ending::All, now)
            .await?;
        self.store.forget_undo(undo).await?;
        Ok(undo.user.clone())
    }
}
