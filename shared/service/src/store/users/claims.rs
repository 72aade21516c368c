//! The claims of a user, in two places that one transaction writes:
//!
//! - each of the user's destination items, which a validation reads anyway;
//! - an item beside the user's sessions, which a refresh can read at once with the
//!   session: the refresh token names the user, but not the destination.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{Delete, TransactWriteItem, Update},
};
use otp_domain::{Claims, Destination, OperationId, UserId, UserRecord};

use super::super::{Store, item};
use crate::{
    fault::{Dependency, Fault},
    table::{
        Written,
        attributes::{claims, text},
    },
};

impl Store {
    /// Sets the claims of a user. Setting them again changes nothing. Returns
    /// `false` if the user is removed.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn set_claims(
        &self,
        user: &UserRecord,
        claims: &Claims,
        operation: &OperationId,
    ) -> Result<bool, Fault> {
        let own = user.destinations.iter();
        let own = own.map(|to| self.set_users_claims(user, to, claims));
        let beside = if claims.is_empty() {
            self.remove_claims(&user.id)
        } else {
            self.put_claims(&user.id, claims)
        };
        let token = format!("claims-{}", operation.as_str());
        let written = self.table.transact(&token, own.chain([beside])).await?;
        Ok(matches!(written, Written::Committed))
    }

    fn set_users_claims(
        &self,
        user: &UserRecord,
        to: &Destination,
        claims: &Claims,
    ) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(&self.table.name)
            .set_key(Some(item::user_key(to)))
            .condition_expression("user_id = :user")
            .expression_attribute_values(":user", text(user.id.as_str()));
        let update = if claims.is_empty() {
            update.update_expression("REMOVE claims")
        } else {
            update
                .update_expression("SET claims = :claims")
                .expression_attribute_values(":claims", text(claims.to_json()))
        };
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    /// Writes the item beside the user's sessions.
    pub(super) fn put_claims(
        &self,
        user: &UserId,
        claims: &Claims,
    ) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(&self.table.name)
            .set_key(Some(item::claims_key(user)))
            .update_expression("SET claims = :claims")
            .expression_attribute_values(":claims", text(claims.to_json()))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Removes the item beside the user's sessions.
    pub(super) fn remove_claims(&self, user: &UserId) -> Result<TransactWriteItem, BuildError> {
        let delete = Delete::builder()
            .table_name(&self.table.name)
            .set_key(Some(item::claims_key(user)))
            .build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// The claims of a user, for a refresh.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or the item is malformed.
    pub async fn find_claims(&self, user: &UserId) -> Result<Claims, Fault> {
        let output = self
            .table
            .client
            .get_item()
            .table_name(&self.table.name)
            .set_key(Some(item::claims_key(user)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Table, "GetItem", &error))?;
        claims(&output.item.unwrap_or_default())
    }
}
