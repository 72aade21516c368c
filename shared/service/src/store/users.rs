//! Users as an operator sees them: all their destinations at once.
//!
//! A user has one item for each destination. The set of destinations never
//! changes, so an operation that read one item can write all of them, on
//! condition that each still belongs to the same user.
//!
//! A removed user leaves a tombstone: the last login, until every code from
//! before it has expired. Without it, used and void codes would be good again
//! for the next user of the destination.

mod pages;

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{TransactWriteItem, Update},
};
use otp_domain::{Destination, OperationId, UnixTime, UserRecord};

pub use pages::UserPages;

use super::{
    Store, item,
    transaction::{Written, condition_failed},
};
use crate::fault::{Dependency, Fault};

/// The longest life of a code.
const LONGEST_CODE: Duration = Duration::from_mins(10);

/// What an operator does to an existing user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The user gets no code and no token.
    Disable,
    /// The user may log in again.
    Enable,
    /// The destinations are free again, and the id is never used again: no code,
    /// whenever it was issued, logs this user in.
    Remove,
}

/// How adding a user ended.
pub enum AddUser {
    /// The user exists now.
    Added,
    /// Nothing was written: these destinations belong to a user already.
    Taken(Vec<Destination>),
}

impl Store {
    /// Creates a user with all destinations, or nothing.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn add_user(&self, user: &UserRecord) -> Result<AddUser, Fault> {
        let puts = user.destinations.iter().map(|to| self.put_user(user, to));
        let puts = puts.collect::<Result<_, _>>().map_err(|_| not_built())?;
        let token = format!("add-{}", user.id.as_str());
        let reasons = match self.transact(&token, puts).await? {
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
            .expression_attribute_values(":user", item::text(user.id.as_str()))
            .expression_attribute_values(":at", item::millis(user.created_at));
        if user.disabled {
            set.push_str(", disabled_at = :at");
        }
        if user.destinations.len() > 1 {
            set.push_str(", destinations = :all");
            update = update.expression_attribute_values(":all", item::partitions(user));
        }
        let update = update
            .table_name(&self.table)
            .set_key(Some(item::user_key(to)))
            .update_expression(format!("{set} REMOVE expires_at_seconds"))
            .condition_expression("attribute_not_exists(user_id)")
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The user of `destination`, with every destination; the last login is that
    /// of this destination.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find_user_record(
        &self,
        destination: &Destination,
    ) -> Result<Option<UserRecord>, Fault> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item::user_key(destination)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Table, "GetItem", &error))?;
        let user = output.item.filter(item::is_user);
        user.map(|item| item::user_record(&item)).transpose()
    }

    /// Applies `change` to every item of a user. Applying it again changes
    /// nothing. `false`: the user is gone.
    ///
    /// Challenges stay until they expire. Where the first login creates the
    /// user, a code from before a removal can create a new one.
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
            .collect::<Result<_, _>>()
            .map_err(|_| not_built())?;
        let token = format!("change-{}", operation.as_str());
        Ok(match self.transact(&token, actions).await? {
            Written::Committed => true,
            Written::Cancelled(_) => false,
        })
    }

    fn change_item(
        &self,
        user: &UserRecord,
        to: &Destination,
        change: Change,
        now: UnixTime,
    ) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::user_key(to)))
            .condition_expression("user_id = :user")
            .expression_attribute_values(":user", item::text(user.id.as_str()));
        let update = match change {
            Change::Disable => update
                .update_expression("SET disabled_at = if_not_exists(disabled_at, :now)")
                .expression_attribute_values(":now", item::millis(now)),
            Change::Enable => update.update_expression("REMOVE disabled_at"),
            Change::Remove => update
                .update_expression(
                    "SET expires_at_seconds = :sweep REMOVE user_id, created_at, \
                     last_login_by, disabled_at, destinations",
                )
                .expression_attribute_values(":sweep", item::sweep_after(now.plus(LONGEST_CODE))),
        };
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }
}

fn not_built() -> Fault {
    Fault::new(Dependency::Table, "users", "request not built")
}
