//! Users as an operator sees them: all their destinations at once.
//!
//! A user has one item for each destination. Which those are never changes from
//! the first write to the last, so that whoever read one item can write all of
//! them, on condition that each still is the same user's.
//!
//! Of a removed user one thing stays until no code can be older: when they last
//! logged in. Without it their used and void codes would be good again, for
//! whoever becomes the user next.

mod pages;

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{TransactWriteItem, Update},
};

pub use pages::UserPages;

use super::{
    Store, item,
    transaction::{Written, condition_failed},
};
use crate::{
    domain::{Destination, Profile, RequestId, UnixTime},
    fault::{Dependency, Fault},
};

/// No code lives longer.
const LONGEST_CODE: Duration = Duration::from_mins(10);

/// What an operator does to a user who exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// They get no code and no token any more.
    Disable,
    /// They may log in again.
    Enable,
    /// Their destinations are nobody's any more, and their id is never given
    /// out again: no code, whenever it was issued, logs this user in.
    Remove,
}

impl Store {
    /// Makes a user with all their destinations, or none of it. The inner error
    /// names the destinations that are a user's already.
    ///
    /// # Errors
    ///
    /// The table cannot be reached.
    pub async fn add_user(&self, user: &Profile) -> Result<Result<(), Vec<Destination>>, Fault> {
        let puts = user.destinations.iter().map(|to| self.put_user(user, to));
        let puts = puts.collect::<Result<_, _>>().map_err(|_| not_built())?;
        let token = format!("add-{}", user.id.as_str());
        let reasons = match self.transact(&token, puts).await? {
            Written::Committed => return Ok(Ok(())),
            Written::Cancelled(reasons) => reasons,
        };
        let judged = user.destinations.iter().zip(&reasons);
        Ok(Err(judged
            .filter(|(_, reason)| condition_failed(reason))
            .map(|(destination, _)| destination.clone())
            .collect()))
    }

    /// Keeps what a removed user left behind, but for good.
    fn put_user(&self, user: &Profile, to: &Destination) -> Result<TransactWriteItem, BuildError> {
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

    /// The user of `destination` with all their destinations; the last login is
    /// that by this one.
    ///
    /// # Errors
    ///
    /// The table cannot be reached, or holds an item that is not ours.
    pub async fn find_profile(&self, destination: &Destination) -> Result<Option<Profile>, Fault> {
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
        user.map(|item| item::profile(&item)).transpose()
    }

    /// Does `change` to a user as read before, at all their destinations.
    /// Doing it again changes nothing. `false`: there is no such user any more.
    ///
    /// Challenges are left alone, they expire. Who removes a user must know that
    /// where the first login makes the user, a code issued before can make a
    /// new one.
    ///
    /// # Errors
    ///
    /// The table cannot be reached.
    pub async fn change_user(
        &self,
        user: &Profile,
        change: Change,
        request: &RequestId,
        now: UnixTime,
    ) -> Result<bool, Fault> {
        let actions = user
            .destinations
            .iter()
            .map(|to| self.change_item(user, to, change, now))
            .collect::<Result<_, _>>()
            .map_err(|_| not_built())?;
        let token = format!("change-{}", request.as_str());
        Ok(match self.transact(&token, actions).await? {
            Written::Committed => true,
            Written::Cancelled(_) => false,
        })
    }

    fn change_item(
        &self,
        user: &Profile,
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
