//! What an operator asks about a destination, and lifts.

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{
    ChallengeId, Destination, FullLimit, Mark, Policy, Purpose, Scope, UnixTime, User, WayName,
};

use super::{
    Ledger,
    admit::read,
    asked_for,
    deliveries::{Change, Deliveries, SENT},
    entry::{Entry, Owed},
    history,
    page::Page,
};
use crate::{
    ambient,
    fault::{Dependency, Fault},
    store::Store,
    table::{
        Clauses, Item,
        attributes::{destination, field, key, partition, text},
        until_settled,
    },
};

/// What the table knows of a destination.
pub struct Past {
    /// The user, if there is one.
    pub user: Option<User>,
    /// The last messages, and the marks of each way.
    pub deliveries: Deliveries,
}

impl Ledger {
    /// What the table knows of a destination.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn past(&self, to: &Destination) -> Result<Past, Fault> {
        let keys = vec![Store::key_of_user(to), key(to, history::SORT_KEY)];
        let found = self.table.get_all(keys).await?;
        let [user, history] = &found[..] else {
            return Err(crate::table::fault("read", "not as many items as keys"));
        };
        Ok(Past {
            user: Store::read_user(user)?,
            deliveries: Deliveries::read(history)?,
        })
    }

    /// The limit of the destination that would refuse a stranger's next code, if one would: of
    /// several, the one that lasts longest.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn refusing(
        &self,
        to: &Destination,
        policy: &Policy,
        now: UnixTime,
    ) -> Result<Option<FullLimit>, Fault> {
        let limits = policy.sends(&Scope::Destination(to.bucket()));
        let cooldown = Entry::Cooldown(asked_for(to, None), policy.cooldown);
        let entries = limits.iter().map(Entry::of).chain([cooldown]);
        let mut pages = Page::of(entries, now, &mut ambient::rng());
        let all = pages.iter().map(Page::unknown).collect();
        read(self, &mut pages, all, Owed::default()).await?;
        let refusals = pages.iter_mut().filter_map(Page::move_on);
        Ok(refusals.max_by_key(|limit| limit.ends_at))
    }

    /// Lifts the marks of a destination that count now. A report from before comes too late.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn lift(
        &self,
        to: &Destination,
        now: UnixTime,
    ) -> Result<Vec<(WayName, Mark)>, Fault> {
        let known = self.past(to).await?.deliveries;
        let marked: Vec<_> = known.marks(now).collect();
        for (way, _) in &marked {
            let latest = known.ways[way].marked_at.values().copied().max();
            let lifted_at = latest.map_or(now, |at| at.max(now));
            let change = Change {
                way,
                mark: None,
                reached_at: Some(lifted_at.plus(std::time::Duration::from_millis(1))),
                message: None,
            };
            let mut update = Clauses::default();
            change.write(&mut update);
            update.conditions.push("attribute_exists(pk)".to_owned());
            self.write(update, key(to, history::SORT_KEY)).await?;
        }
        Ok(marked)
    }

    /// Ends the cooldowns of a destination and of its known devices, and forgets their sends of
    /// today. Wrong guesses stay.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn forget_sends(&self, to: &Destination) -> Result<(), Fault> {
        let mut items = self.partition_of(to).await?;
        if to.bucket() != *to {
            items.extend(self.partition_of(&to.bucket()).await?);
        }
        for item in items {
            let sort = field(&item, "sk", AttributeValue::as_s)?.clone();
            let of_item = Item::from([
                ("pk".to_owned(), item["pk"].clone()),
                ("sk".to_owned(), text(&sort)),
            ]);
            if sort == "sends" || sort.ends_with("#sends") {
                self.delete(of_item).await?;
            } else if item.contains_key("cooling_until") {
                let mut update = Clauses::default();
                update.remove.push("cooling_until".to_owned());
                update.conditions.push("attribute_exists(pk)".to_owned());
                self.write(update, of_item).await?;
            }
        }
        Ok(())
    }

    /// The destination of a challenge that is live, or of which a message is known. Reads the
    /// whole table.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn find_destination(&self, of: &ChallengeId) -> Result<Option<Destination>, Fault> {
        let operation = "Scan";
        let scan = self
            .table
            .client
            .scan()
            .table_name(&self.table.name)
            .consistent_read(true)
            .filter_expression("sk = :challenge OR attribute_exists(#sent)")
            .expression_attribute_names("#sent", format!("{SENT}{}", of.as_str()))
            .expression_attribute_values(
                ":challenge",
                text(super::challenge::sort_key(&Purpose::Login, of)),
            );
        let mut pages = scan.into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item =
                item.map_err(|error| Fault::from_sdk(Dependency::Table, operation, &error))?;
            let found = destination(field(&item, "pk", AttributeValue::as_s)?);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn partition_of(&self, to: &Destination) -> Result<Vec<Item>, Fault> {
        let query = self.table.query().key_condition_expression("pk = :to");
        let query = query.expression_attribute_values(":to", partition(to));
        self.table.find_all(query).await
    }

    async fn write(&self, update: Clauses, key: Item) -> Result<(), Fault> {
        let written = update.update_alone(key, &self.table).send().await;
        // What is gone, or newer, needs no lifting.
        let Err(error) = written else { return Ok(()) };
        if error.as_service_error().is_some_and(
            aws_sdk_dynamodb::operation::update_item::UpdateItemError::is_conditional_check_failed_exception,
        ) {
            return Ok(());
        }
        Err(Fault::from_sdk(Dependency::Table, "UpdateItem", &error))
    }

    async fn delete(&self, key: Item) -> Result<(), Fault> {
        let operation = "DeleteItem";
        let attempt = || async {
            let table = &self.table;
            let delete = table.client.delete_item().table_name(&table.name);
            let deleted = delete.set_key(Some(key.clone())).send().await;
            let failed = |error| Fault::from_sdk(Dependency::Table, operation, &error);
            deleted.map(|_| ()).map_err(failed)
        };
        until_settled(operation, attempt).await
    }
}
