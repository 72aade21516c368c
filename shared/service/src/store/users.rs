//! Users with all their destinations, for operators.
//!
//! A user has one item per destination. The set of destinations never changes.
//! After reading one item, an operation can therefore write all of them, on
//! condition that each still belongs to the user.
//!
//! `claims` says where the claims are.
//!
//! A removed user leaves a tombstone with the last login, until every older code
//! has expired. Without it, used and void codes would be valid again for the next
//! user of the destination.

mod claims;
mod pages;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{TransactWriteItem, Update},
};
use otp_domain::{Challenge, Destination, OperationId, UnixTime, UserId, UserRecord};

pub use pages::UserPages;

use super::{Store, item};
use crate::{
    fault::Fault,
    table::{
        Written,
        attributes::{millis, number, sweep_after, text},
        condition_failed,
    },
};

/// A change to an existing user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The user gets no codes and no tokens.
    Disable,
    /// The user may log in again.
    Enable,
    /// The destinations are free again. The id is never reused, so no code can
    /// log this user in.
    Remove,
}

/// The outcome of adding a user.
pub enum AddUser {
    /// The user was created.
    Added,
    /// Nothing was written: these destinations already belong to a user.
    Taken(Vec<Destination>),
}

impl Store {
    /// Creates a user with all destinations, or nothing.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn add_user(&self, user: &UserRecord) -> Result<AddUser, Fault> {
        let claims = (!user.claims.is_empty()).then(|| self.put_claims(&user.id, &user.claims));
        let puts = user.destinations.iter().map(|to| self.put_user(user, to));
        let token = format!("add-{}", user.id.as_str());
        let reasons = match self.table.transact(&token, puts.chain(claims)).await? {
            Written::Committed => return Ok(AddUser::Added),
            Written::Cancelled(reasons) => reasons,
        };
        let judged = user.destinations.iter().zip(&reasons);
        Ok(AddUser::Taken(
            judged
                .filter(|(_, reason)| condition_failed(reason))
                .map(|(destination, _)| destination.clone())
                .collect(),
        ))
    }

    /// Preserves a tombstone's last login and clears its TTL.
    fn put_user(
        &self,
        user: &UserRecord,
        to: &Destination,
    ) -> Result<TransactWriteItem, BuildError> {
        let mut set = "SET user_id = :user, created_at = :at".to_owned();
        let mut update = Update::builder()
            .expression_attribute_values(":user", text(user.id.as_str()))
            .expression_attribute_values(":at", millis(user.created_at));
        if user.disabled {
            set.push_str(", disabled_at = :at");
        }
        if !user.claims.is_empty() {
            set.push_str(", claims = :claims");
            update = update.expression_attribute_values(":claims", text(user.claims.to_json()));
        }
        if user.destinations.len() > 1 {
            set.push_str(", destinations = :all");
            update = update.expression_attribute_values(":all", item::partitions(user));
        }
        let update = update
            .table_name(&self.table.name)
            .set_key(Some(item::user_key(to)))
            .update_expression(format!("{set} REMOVE expires_at_seconds"))
            .condition_expression("attribute_not_exists(user_id)")
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The user of `destination`, with every destination. The last login is that
    /// of `destination`.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find_user_record(
        &self,
        destination: &Destination,
    ) -> Result<Option<UserRecord>, Fault> {
        let item = self.table.get(item::user_key(destination)).await?;
        let user = item.filter(item::is_user);
        user.map(|item| item::user_record(&item)).transpose()
    }

    /// The user with this id, with every destination.
    ///
    /// The table has no index of ids: a session of the user names a destination;
    /// without a session, this reads the whole table.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find_user_by_id(&self, id: &UserId) -> Result<Option<UserRecord>, Fault> {
        if let Some(session) = self.sessions(id).await?.first() {
            let user = self.find_user_record(&session.destination).await?;
            if let Some(user) = user.filter(|user| user.id == *id) {
                return Ok(Some(user));
            }
        }
        let mut pages = self.users();
        while let Some(users) = pages.next().await? {
            if let Some(user) = users.into_iter().find(|user| user.id == *id) {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    /// Applies `change` to every item of a user. Applying it again changes
    /// nothing. Returns `false` if the user is removed.
    ///
    /// Challenges stay until they expire. With `UNKNOWN_USERS=sign-up`, a code
    /// issued before the removal can create a new user.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn change_user(
        &self,
        user: &UserRecord,
        change: Change,
        operation: &OperationId,
        now: UnixTime,
    ) -> Result<bool, Fault> {
        let actions = user
            .destinations
            .iter()
            .map(|to| self.change_item(user, to, change, now))
            .chain((change == Change::Remove).then(|| self.remove_claims(&user.id)));
        let token = format!("change-{}", operation.as_str());
        Ok(match self.table.transact(&token, actions).await? {
            Written::Committed => true,
            Written::Cancelled(_) => false,
        })
    }

    /// Ends the known devices of a user at every destination.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn end_devices(
        &self,
        user: &UserRecord,
        operation: &OperationId,
    ) -> Result<(), Fault> {
        let ends = user.destinations.iter().map(|to| {
            let update = Update::builder()
                .table_name(&self.table.name)
                .set_key(Some(item::user_key(to)))
                .update_expression("SET devices_ended = if_not_exists(devices, :none)")
                .condition_expression("user_id = :user")
                .expression_attribute_values(":none", number(0))
                .expression_attribute_values(":user", text(user.id.as_str()));
            Ok(TransactWriteItem::builder().update(update.build()?).build())
        });
        let token = format!("devices-{}", operation.as_str());
        // A user who was removed meanwhile knows no device.
        self.table.transact(&token, ends).await.map(|_| ())
    }

    fn change_item(
        &self,
        user: &UserRecord,
        to: &Destination,
        change: Change,
        now: UnixTime,
    ) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(&self.table.name)
            .set_key(Some(item::user_key(to)))
            .condition_expression("user_id = :user")
            .expression_attribute_values(":user", text(user.id.as_str()));
        let update = match change {
            Change::Disable => update
                .update_expression("SET disabled_at = if_not_exists(disabled_at, :now)")
                .expression_attribute_values(":now", millis(now)),
            Change::Enable => update.update_expression("REMOVE disabled_at"),
            Change::Remove => update
                .update_expression(
                    "SET expires_at_seconds = :sweep REMOVE user_id, created_at, \
                     last_login_by, disabled_at, destinations, claims, devices, \
                     devices_ended",
                )
                .expression_attribute_values(
                    ":sweep",
                    sweep_after(now.plus(Challenge::LONGEST_LIFE)),
                ),
        };
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }
}
