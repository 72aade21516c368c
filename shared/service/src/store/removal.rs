//! A destination that a user removes, and what takes that back.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, Put, TransactWriteItem},
};
use otp_domain::{OperationId, OwnDestination, UnixTime, UserId, UserRecord};

use super::{Store, Transition, UserWritten, users::Copy};
use crate::{
    fault::{Dependency, Fault},
    table::{
        Clauses, Item, Written,
        attributes::{
            destination, field, key_in, malformed, millis, partition, sweep_after, text, time,
        },
        until_settled,
    },
};

/// What takes a removal back, as the table keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The MAC of its token.
    pub id: String,
    /// The user who had the destination.
    pub user: UserId,
    /// The destination, and since when the user had it.
    pub removed: OwnDestination,
    /// When it was removed.
    pub removed_at: UnixTime,
    /// Until when the removal can be taken back.
    pub until: UnixTime,
    /// Whether it was taken back, and some sessions may be left.
    pub is_used: bool,
}

/// What an undo changes.
pub struct Undoing<'a> {
    /// The undo.
    pub undo: &'a Undo,
    /// The user who gets the destination back, as it was read, and as it is to be.
    pub owner: (&'a UserRecord, &'a UserRecord),
    /// The user who has it now, and that user without it; `None` for the second if nothing
    /// is left of the user.
    pub holder: Option<(&'a UserRecord, Option<&'a UserRecord>)>,
}

fn key_of(id: &str) -> Item {
    key_in(text(format!("undo#{id}")), "undo")
}

fn from_undo(undo: &Undo) -> Item {
    let mut item = key_of(&undo.id);
    let removed = &undo.removed;
    let pairs = [
        ("owner", text(undo.user.as_str())),
        ("destination", partition(&removed.destination)),
        ("added_at", millis(removed.added_at)),
        ("removed_at", millis(undo.removed_at)),
        ("expires_at", millis(undo.until)),
        ("expires_at_seconds", sweep_after(undo.until)),
    ];
    item.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
    item
}

fn read(id: &str, item: &Item) -> Result<Undo, Fault> {
    let removed = destination(field(item, "destination", AttributeValue::as_s)?);
    Ok(Undo {
        id: id.to_owned(),
        user: UserId::from_table(field(item, "owner", AttributeValue::as_s)?.clone()),
        removed: OwnDestination {
            destination: removed.ok_or_else(|| malformed("destination"))?,
            added_at: time(item, "added_at")?,
        },
        removed_at: time(item, "removed_at")?,
        until: time(item, "expires_at")?,
        is_used: item.contains_key("used_at"),
    })
}

impl Store {
    /// Takes a destination from a user. With `undo`, keeps what takes that back.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn remove_destination(
        &self,
        change: Transition<'_>,
        undo: Option<&Undo>,
        operation: &OperationId,
        now: UnixTime,
    ) -> Result<UserWritten, Fault> {
        let kept = undo.map(|undo| {
            let put = Put::builder()
                .table_name(&self.table.name)
                .set_item(Some(from_undo(undo)))
                .build()?;
            Ok(TransactWriteItem::builder().put(put).build())
        });
        let token = format!("removing-{}", operation.as_str());
        let writes = self.writes(change, now).into_iter().chain(kept);
        Ok(match self.table.transact(&token, writes).await? {
            Written::Committed => UserWritten::Done,
            Written::Cancelled(_) => UserWritten::Outdated,
        })
    }

    /// The undo whose token has this MAC.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or the item is malformed.
    pub async fn find_undo(&self, id: &str) -> Result<Option<Undo>, Fault> {
        let item = self.table.get(key_of(id)).await?;
        item.map(|item| read(id, &item)).transpose()
    }

    /// Gives a destination back, in one transaction with every copy. Returns `false` if a user
    /// has changed since it was read, or the undo is used.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn undo_removal(
        &self,
        undoing: &Undoing<'_>,
        operation: &OperationId,
        now: UnixTime,
    ) -> Result<bool, Fault> {
        let token = format!("undoing-{}", operation.as_str());
        let actions = self.undoing_writes(undoing, now);
        let written = self.table.transact(&token, actions).await?;
        Ok(matches!(written, Written::Committed))
    }

    fn undoing_writes(
        &self,
        undoing: &Undoing<'_>,
        now: UnixTime,
    ) -> Vec<Result<TransactWriteItem, BuildError>> {
        let (undo, to) = (undoing.undo, &undoing.undo.removed.destination);
        let mut used = Clauses::default();
        used.set("used_at", millis(now));
        for condition in ["attribute_exists(pk)", "attribute_not_exists(used_at)"] {
            used.conditions.push(condition.to_owned());
        }
        let of_owner = Transition::Change(undoing.owner.0, undoing.owner.1);
        let of_holder = undoing.holder.map(|(before, after)| match after {
            Some(after) => Transition::Change(before, after),
            None => Transition::Remove(before),
        });
        let taken = match undoing.holder {
            Some((holder, _)) => Copy::TakeFrom(undoing.owner.1, &holder.id),
            None => Copy::Take(undoing.owner.1),
        };
        // The destination changes hands by one write.
        let mut copies: Vec<_> = of_owner.copies();
        copies.extend(of_holder.iter().flat_map(Transition::copies));
        copies.retain(|(at, _)| *at != to);
        let has_it = undoing.owner.0.added_at(to).is_some();
        copies.extend((!has_it).then_some((to, taken)));
        let copies = copies.into_iter();
        let copies = copies.map(|(at, copy)| self.write_copy(at, &copy, now));
        let own = [Some(of_owner), of_holder].into_iter().flatten();
        let own = own.flat_map(|change| self.write_own(change, now));
        [used.update(key_of(&undo.id), &self.table)]
            .into_iter()
            .chain(own)
            .chain(copies)
            .collect()
    }

    /// Forgets an undo that is done.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn forget_undo(&self, undo: &Undo) -> Result<(), Fault> {
        let operation = "DeleteItem";
        let attempt = || async {
            let delete = self.table.client.delete_item();
            let delete = delete.table_name(&self.table.name);
            let sent = delete.set_key(Some(key_of(&undo.id))).send().await;
            sent.map(|_| ())
                .map_err(|error| Fault::from_sdk(Dependency::Table, operation, &error))
        };
        until_settled(operation, attempt).await
    }
}
