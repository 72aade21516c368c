//! Session items: a refresh token finds one, and a user lists all. One
//! conditional write rotates the token, and one deletion ends the session.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::ReturnValuesOnConditionCheckFailure as OnFailure,
};
use otp_domain::{
    Destination, OperationId, RefreshTokenDigest, RotationSalt, Seal, Session, SessionId, UnixTime,
    UserId,
};
use tokio::time::timeout;

use super::{Store, item};
use crate::{
    ambient,
    fault::{Dependency, Fault},
    table::{
        Clauses,
        attributes::{bytes, millis, sweep_after, text},
        timed_out, until_settled,
    },
};

/// Time limit for ending all sessions of a user.
const BUDGET_FOR_ALL: Duration = Duration::from_secs(15);

/// Which sessions of a user end.
#[derive(Clone, Copy)]
pub enum Ending<'a> {
    /// All.
    All,
    /// All, and this one after the others, so that the client can retry with a token of
    /// it after a failure.
    AllWithLast(&'a SessionId),
    /// All but this one.
    Except(&'a SessionId),
    /// All that began with this destination, but this one.
    ProvenBy(&'a Destination, Option<&'a SessionId>),
}

/// The outcome of a rotation.
pub enum Rotation {
    /// The successor is the session's current token.
    Won,
    /// The presented token was no longer the current one. Holds the session as it
    /// is now, or `None` if it has ended.
    Lost(Option<Box<Session>>),
}

impl Store {
    /// The session with this id, even if it has expired.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find_session(
        &self,
        user: &UserId,
        id: &SessionId,
    ) -> Result<Option<Session>, Fault> {
        let item = self.table.get(item::session_key(user, id)).await?;
        item.map(|item| item::session(&item)).transpose()
    }

    /// Writes the session `after` a refresh, with its new `seal`, on condition that
    /// `before` is still its current token. Of concurrent refreshes of that token, one wins. A
    /// retry of the winning write finds its own digest and counts as a win.
    ///
    /// # Errors
    ///
    /// The table is unreachable. The write may still have won; a retry within the
    /// grace period then gets the same successor.
    pub async fn rotate(
        &self,
        after: &Session,
        seal: &Seal,
        before: &RefreshTokenDigest,
        salt: &RotationSalt,
        now: UnixTime,
    ) -> Result<Rotation, Fault> {
        let operation = "UpdateItem";
        let attempt = || async {
            let sent = self
                .table
                .client
                .update_item()
                .table_name(&self.table.name)
                .set_key(Some(item::session_key(&after.user, &after.id)))
                .update_expression(
                    "SET current_digest = :after, previous_digest = :before, salt = :salt, \
                     refreshed_at = :now, expires_at = :end, expires_at_seconds = :sweep, \
                     seal = :seal, seal_key_id = :seal_key",
                )
                .condition_expression("current_digest = :before AND expires_at > :now")
                .expression_attribute_values(":after", bytes(&after.current))
                .expression_attribute_values(":before", bytes(before))
                .expression_attribute_values(":salt", bytes(salt))
                .expression_attribute_values(":seal", item::seal_mac(seal))
                .expression_attribute_values(":seal_key", item::seal_key(seal))
                .expression_attribute_values(":now", millis(now))
                .expression_attribute_values(":end", millis(after.expires_at))
                .expression_attribute_values(":sweep", sweep_after(after.expires_at))
                .return_values_on_condition_check_failure(OnFailure::AllOld)
                .send()
                .await;
            let Err(error) = sent else {
                return Ok(Rotation::Won);
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let stands = failed.item().map(item::session).transpose()?;
                    let ours = stands
                        .as_ref()
                        .is_some_and(|it| it.current == after.current);
                    Ok(if ours {
                        Rotation::Won
                    } else {
                        Rotation::Lost(stands.map(Box::new))
                    })
                }
                _ => Err(Fault::from_sdk(Dependency::Table, operation, &error)),
            }
        };
        until_settled(operation, attempt).await
    }

    /// Ends a session. Ending it again changes nothing.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn end_session(
        &self,
        user: &UserId,
        id: &SessionId,
        now: UnixTime,
    ) -> Result<(), Fault> {
        if let Some(event) = self.tell_of_end(user, id, now) {
            let mut ended = Clauses::default();
            // A session ends once, and so is its event written once.
            ended.conditions.push("attribute_exists(pk)".to_owned());
            let ended = ended.delete(item::session_key(user, id), &self.table);
            let operation = OperationId::draw(&mut ambient::rng());
            let token = format!("ending-{}", operation.as_str());
            let written = self.table.transact(&token, [ended, event]);
            return written.await.map(|_| ());
        }
        let operation = "DeleteItem";
        let attempt = || async {
            self.table
                .client
                .delete_item()
                .table_name(&self.table.name)
                .set_key(Some(item::session_key(user, id)))
                .send()
                .await
                .map(|_| ())
                .map_err(|error| Fault::from_sdk(Dependency::Table, operation, &error))
        };
        until_settled(operation, attempt).await
    }

    /// Ends these sessions of the user. Returns how many there were.
    ///
    /// # Errors
    ///
    /// The table is unreachable or too slow. Some sessions may have ended.
    pub async fn end_sessions(
        &self,
        user: &UserId,
        ending: Ending<'_>,
        now: UnixTime,
    ) -> Result<usize, Fault> {
        let all = async {
            let mut sessions = self.sessions(user).await?;
            match ending {
                Ending::All => (),
                Ending::AllWithLast(last) => sessions.sort_by_key(|it| it.id == *last),
                Ending::Except(kept) => sessions.retain(|it| it.id != *kept),
                Ending::ProvenBy(destination, kept) => {
                    sessions.retain(|it| it.destination == *destination && Some(&it.id) != kept);
                }
            }
            for session in &sessions {
                self.end_session(user, &session.id, now).await?;
            }
            Ok(sessions.len())
        };
        timeout(BUDGET_FOR_ALL, all)
            .await
            .unwrap_or_else(|_| Err(timed_out("DeleteItem")))
    }

    /// All sessions of a user in any order, expired ones included.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn sessions(&self, user: &UserId) -> Result<Vec<Session>, Fault> {
        let query = self
            .table
            .query()
            .key_condition_expression("pk = :user AND begins_with(sk, :session)")
            .expression_attribute_values(":user", item::sessions(user))
            .expression_attribute_values(":session", text(item::SESSION_PREFIX));
        let items = self.table.find_all(query).await?;
        items.iter().map(item::session).collect()
    }
}
