//! Families of refresh tokens: found by the token, listed by the user, kept
//! alive by one conditional write, ended by one deletion.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::ReturnValuesOnConditionCheckFailure as OnFailure,
};
use tokio::time::timeout;

use super::{Store, item, transaction::until_settled};
use crate::{
    domain::{Family, FamilyName, RefreshDigest, Salt, UnixTime, UserId},
    fault::{Dependency, Fault},
};

/// Time to end all families of a user, of whom each login left one.
const BUDGET_FOR_ALL: Duration = Duration::from_secs(15);

/// How a refresh ended.
pub enum Refreshed {
    /// The new token is the family's current one.
    Done,
    /// The presented token was not the current one any more; the family as it
    /// stands, unless it has ended.
    Lost(Option<Box<Family>>),
}

impl Store {
    /// The family of that name, expired ones included.
    ///
    /// # Errors
    ///
    /// The table cannot be reached, or holds an item that is not ours.
    pub async fn find_family(
        &self,
        user: &UserId,
        name: &FamilyName,
    ) -> Result<Option<Family>, Fault> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item::family_key(user, name)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Table, "GetItem", &error))?;
        output.item.map(|item| item::family(&item)).transpose()
    }

    /// Writes the family as it is after a refresh, on condition that it still
    /// lives on in the token `before`. In any parallelism one refresh of that
    /// token wins; a repeat of the winning write is recognised by what it wrote.
    ///
    /// # Errors
    ///
    /// The table cannot be reached. The refresh may have won, then: the same
    /// token gets the same successor again, within the grace.
    pub async fn refresh(
        &self,
        after: &Family,
        before: &RefreshDigest,
        salt: &Salt,
        now: UnixTime,
    ) -> Result<Refreshed, Fault> {
        let operation = "UpdateItem";
        let attempt = || async {
            let sent = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(item::family_key(&after.user, &after.name)))
                .update_expression(
                    "SET current_digest = :after, previous_digest = :before, salt = :salt, \
                     refreshed_at = :now, expires_at = :end, expires_at_seconds = :sweep",
                )
                .condition_expression("current_digest = :before AND expires_at > :now")
                .expression_attribute_values(":after", item::bytes(&after.current))
                .expression_attribute_values(":before", item::bytes(before))
                .expression_attribute_values(":salt", item::bytes(salt))
                .expression_attribute_values(":now", item::millis(now))
                .expression_attribute_values(":end", item::millis(after.expires_at))
                .expression_attribute_values(":sweep", item::sweep_after(after.expires_at))
                .return_values_on_condition_check_failure(OnFailure::AllOld)
                .send()
                .await;
            let Err(error) = sent else {
                return Ok(Refreshed::Done);
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let stands = failed.item().map(item::family).transpose()?;
                    let ours = stands
                        .as_ref()
                        .is_some_and(|it| it.current == after.current);
                    Ok(if ours {
                        Refreshed::Done
                    } else {
                        Refreshed::Lost(stands.map(Box::new))
                    })
                }
                _ => Err(Fault::from_sdk(Dependency::Table, operation, &error)),
            }
        };
        until_settled(operation, attempt).await
    }

    /// Ends a family. Ending it again changes nothing.
    ///
    /// # Errors
    ///
    /// The table cannot be reached.
    pub async fn end_family(&self, user: &UserId, name: &FamilyName) -> Result<(), Fault> {
        let operation = "DeleteItem";
        let attempt = || async {
            self.client
                .delete_item()
                .table_name(&self.table)
                .set_key(Some(item::family_key(user, name)))
                .send()
                .await
                .map(|_| ())
                .map_err(|error| Fault::from_sdk(Dependency::Table, operation, &error))
        };
        until_settled(operation, attempt).await
    }

    /// Ends every family that the user has by now, `last` after all others: it is
    /// what a client repeats the request with, if this fails on the way.
    ///
    /// # Errors
    ///
    /// The table cannot be reached, or not in time. Some families may be ended,
    /// then.
    pub async fn end_families(
        &self,
        user: &UserId,
        last: Option<&FamilyName>,
    ) -> Result<usize, Fault> {
        let all = async {
            let mut families = self.families(user).await?;
            families.sort_by_key(|family| Some(&family.name) == last);
            for family in &families {
                self.end_family(user, &family.name).await?;
            }
            Ok(families.len())
        };
        timeout(BUDGET_FOR_ALL, all)
            .await
            .unwrap_or_else(|_| Err(Fault::new(Dependency::Table, "DeleteItem", "timeout")))
    }

    /// All families of a user, in no order, expired ones included.
    ///
    /// # Errors
    ///
    /// The table cannot be reached, or holds an item that is not ours.
    pub async fn families(&self, user: &UserId) -> Result<Vec<Family>, Fault> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :user AND begins_with(sk, :family)")
            .expression_attribute_values(":user", item::families(user))
            .expression_attribute_values(":family", item::text(item::FAMILY_PREFIX))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut families = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| Fault::from_sdk(Dependency::Table, "Query", &error))?;
            families.push(item::family(&item)?);
        }
        Ok(families)
    }
}
