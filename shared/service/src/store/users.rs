//! Users: an item of each user, and a copy at each of the user's destinations.
//!
//! A user's own item says which destinations log the user in, and all else that is known of
//! the user. A login reads one item, that of its destination, so this has a copy of what a
//! login needs.
//!
//! [`Store::write_user`] writes both in one transaction, and nothing else does, except that a
//! first login creates its own copy. Each change counts the version up, on condition that it
//! still is the one that was read: of two changes at once, one finds that it was late, and
//! reads again.
//!
//! A destination that is its user's no longer leaves a tombstone with the last login, until
//! every older code has expired. Without it, used and void codes would be valid again for the
//! next user of the destination.

mod pages;
mod stored;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{Delete, Put, TransactWriteItem},
};
use otp_domain::{Challenge, Destination, OperationId, UnixTime, UserId, UserRecord};

pub use pages::UserPages;

use super::{Store, item};
use crate::{
    fault::Fault,
    table::{
        Clauses, Written,
        attributes::{number, sweep_after, text},
        condition_failed,
    },
};

/// What becomes of a user.
#[derive(Clone, Copy)]
pub enum Transition<'a> {
    /// There is a new one.
    Create(&'a UserRecord),
    /// The first, as it was read, turns into the second.
    Change(&'a UserRecord, &'a UserRecord),
    /// The one that was read is removed.
    Remove(&'a UserRecord),
}

/// How a transition ended.
#[derive(Debug, PartialEq, Eq)]
pub enum UserWritten {
    /// It is written.
    Done,
    /// Nothing was written: the user has changed since it was read, or is removed.
    Outdated,
    /// Nothing was written: these destinations already belong to a user.
    Taken(Vec<Destination>),
}

/// What a transition writes at one destination.
pub(super) enum Copy<'a> {
    /// The destination is the user's from now on.
    Take(&'a UserRecord),
    /// The same, and it was the second user's.
    TakeFrom(&'a UserRecord, &'a UserId),
    /// It stays the user's.
    Keep(&'a UserRecord),
    /// It is the user's no longer.
    Leave(&'a UserId),
}

impl<'a> Transition<'a> {
    pub(super) const fn before(&self) -> Option<&'a UserRecord> {
        match self {
            Self::Create(_) => None,
            Self::Change(before, _) | Self::Remove(before) => Some(before),
        }
    }

    pub(super) const fn after(&self) -> Option<&'a UserRecord> {
        match self {
            Self::Create(after) | Self::Change(_, after) => Some(after),
            Self::Remove(_) => None,
        }
    }

    /// Every copy that differs, with its destination.
    pub(super) fn copies(&self) -> Vec<(&'a Destination, Copy<'a>)> {
        let (before, after) = (self.before(), self.after());
        let has = |user: Option<&UserRecord>, to| user.is_some_and(|it| it.added_at(to).is_some());
        let left = before.into_iter().flat_map(|before| {
            let own = before.destinations.iter().map(|own| &own.destination);
            let gone = own.filter(move |to| !has(after, to));
            gone.map(|to| (to, Copy::Leave(&before.id)))
        });
        let others = after.into_iter().flat_map(|after| {
            let own = after.destinations.iter().map(|own| &own.destination);
            own.filter_map(move |to| match before {
                Some(before) if before.added_at(to).is_some() => {
                    let differs = item::copied(before).ne(item::copied(after));
                    differs.then_some((to, Copy::Keep(after)))
                }
                _ => Some((to, Copy::Take(after))),
            })
        });
        left.chain(others).collect()
    }

    /// Why nothing was written, by which writes failed.
    pub(super) fn judge(&self, failed: &[bool]) -> UserWritten {
        let own_failed = failed.first() == Some(&true);
        let copies = self.copies();
        let of_copies = &failed[failed.len().saturating_sub(copies.len())..];
        let copies = copies.into_iter().zip(of_copies);
        let taken = copies.filter(|((_, copy), failed)| **failed && matches!(copy, Copy::Take(_)));
        let taken: Vec<_> = taken.map(|((to, _), _)| to.clone()).collect();
        let is_outdated = own_failed && !matches!(self, Self::Create(_));
        if is_outdated || taken.is_empty() {
            UserWritten::Outdated
        } else {
            UserWritten::Taken(taken)
        }
    }
}

impl Store {
    /// Creates, changes or removes a user, with every copy. `what` and `operation` name the
    /// transition: a repeat of the call changes nothing.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn write_user(
        &self,
        change: Transition<'_>,
        what: &str,
        operation: &OperationId,
        now: UnixTime,
    ) -> Result<UserWritten, Fault> {
        let token = format!("{what}-{}", operation.as_str());
        let actions = self.writes(change, now);
        Ok(match self.table.transact(&token, actions).await? {
            Written::Committed => UserWritten::Done,
            Written::Cancelled(reasons) => {
                let failed: Vec<bool> = reasons.iter().map(condition_failed).collect();
                change.judge(&failed)
            }
        })
    }

    /// All that a transition writes: the user's own item and its event, and then the copies.
    pub(super) fn writes(
        &self,
        change: Transition<'_>,
        now: UnixTime,
    ) -> Vec<Result<TransactWriteItem, BuildError>> {
        let copies = change.copies().into_iter();
        let copies = copies.map(|(to, copy)| self.write_copy(to, &copy, now));
        self.write_own(change, now).chain(copies).collect()
    }

    /// Writes the user's own item, and the events of the transition.
    pub(super) fn write_own(
        &self,
        change: Transition<'_>,
        now: UnixTime,
    ) -> impl Iterator<Item = Result<TransactWriteItem, BuildError>> {
        [self.write_record(change, now)]
            .into_iter()
            .chain(self.tell(change, now))
    }

    fn write_record(
        &self,
        change: Transition<'_>,
        now: UnixTime,
    ) -> Result<TransactWriteItem, BuildError> {
        let key = |user: &UserRecord| Some(item::own_key(&user.id));
        let table = &self.table.name;
        let action = TransactWriteItem::builder();
        let put = |user: &UserRecord| {
            let item = Some(item::from_record(user));
            Put::builder().table_name(table).set_item(item)
        };
        Ok(match change {
            Transition::Create(user) => {
                let put = put(user).condition_expression("attribute_not_exists(pk)");
                action.put(put.build()?)
            }
            Transition::Change(before, after) => {
                let put = put(&UserRecord {
                    version: before.next_version(now),
                    ..after.clone()
                });
                let put = put
                    .condition_expression("version = :before")
                    .expression_attribute_values(":before", number(before.version));
                action.put(put.build()?)
            }
            Transition::Remove(before) => {
                let delete = Delete::builder()
                    .table_name(table)
                    .set_key(key(before))
                    .condition_expression("version = :before")
                    .expression_attribute_values(":before", number(before.version));
                action.delete(delete.build()?)
            }
        }
        .build())
    }

    /// A copy that is taken preserves a tombstone's last login, and clears its TTL.
    pub(super) fn write_copy(
        &self,
        to: &Destination,
        copy: &Copy<'_>,
        now: UnixTime,
    ) -> Result<TransactWriteItem, BuildError> {
        let mut update = Clauses::default();
        let copied: Vec<_> = match copy {
            Copy::Take(user) | Copy::TakeFrom(user, _) | Copy::Keep(user) => {
                item::copied(user).collect()
            }
            Copy::Leave(_) => Vec::new(),
        };
        let stale = item::COPIED.iter();
        let stale = stale.filter(|name| copied.iter().all(|(own, _)| own != *name));
        update.remove.extend(stale.map(|name| (*name).to_owned()));
        for (name, value) in copied.clone() {
            update.set(name, value);
        }
        match copy {
            Copy::Take(user) => {
                update.set("user_id", text(user.id.as_str()));
                update.remove.push("expires_at_seconds".to_owned());
                update
                    .conditions
                    .push("attribute_not_exists(user_id)".to_owned());
            }
            Copy::TakeFrom(user, holder) => {
                update.set("user_id", text(user.id.as_str()));
                require(holder, &mut update);
            }
            Copy::Keep(user) => require(&user.id, &mut update),
            Copy::Leave(user) => {
                let sweep = sweep_after(now.plus(Challenge::LONGEST_LIFE));
                update.set("expires_at_seconds", sweep);
                let own = ["user_id", "last_login_by", "devices", "devices_ended"];
                update.remove.extend(own.map(str::to_owned));
                require(user, &mut update);
            }
        }
        update.update(item::user_key(to), &self.table)
    }

    /// The user with this id. The last login is not looked for.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find_user_by_id(&self, id: &UserId) -> Result<Option<UserRecord>, Fault> {
        let item = self.table.get(item::own_key(id)).await?;
        item.map(|item| item::record(&item)).transpose()
    }

    /// The user of `destination`. The last login is not looked for.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find_user_record(
        &self,
        destination: &Destination,
    ) -> Result<Option<UserRecord>, Fault> {
        let Some(user) = self.find_user(destination).await? else {
            return Ok(None);
        };
        let user = self.find_user_by_id(&user.id).await?;
        // It may have changed since its copy was read.
        Ok(user.filter(|user| user.added_at(destination).is_some()))
    }

    /// Looks for the last logins of some users.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn with_last_logins(
        &self,
        mut users: Vec<UserRecord>,
    ) -> Result<Vec<UserRecord>, Fault> {
        let all = users.iter().flat_map(|user| &user.destinations);
        let keys = all.map(|own| item::user_key(&own.destination)).collect();
        let mut copies = self.table.get_all(keys).await?.into_iter();
        for user in &mut users {
            for copy in copies.by_ref().take(user.destinations.len()) {
                user.last_login_at = user.last_login_at.max(item::last_login(&copy)?);
            }
        }
        Ok(users)
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
        let ends = user.destinations.iter().map(|own| {
            let mut update = Clauses::default();
            let none = update.value(number(0));
            let ended = format!("devices_ended = if_not_exists(devices, {none})");
            update.set.push(ended);
            require(&user.id, &mut update);
            update.update(item::user_key(&own.destination), &self.table)
        });
        let token = format!("devices-{}", operation.as_str());
        // A user who was removed meanwhile knows no device.
        self.table.transact(&token, ends).await.map(|_| ())
    }
}

/// Requires that a copy still is this user's.
fn require(user: &UserId, update: &mut Clauses) {
    let user = update.value(text(user.as_str()));
    update.conditions.push(format!("user_id = {user}"));
}
