//! All that the table holds of one user, as JSON.

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::UserRecord;
use serde_json::{Map, Number, Value};

use super::super::{Store, item};
use crate::{
    fault::Fault,
    table::{
        Item,
        attributes::{partition, text},
    },
};

impl Store {
    /// Every item of a user and of the user's destinations. Without what only keys and
    /// tokens are for, which says nothing of the person.
    ///
    /// # Errors
    ///
    /// The table is unreachable or too slow.
    pub async fn stored(&self, user: &UserRecord) -> Result<Vec<Value>, Fault> {
        let mut items = self.items_in(item::sessions(&user.id), "").await?;
        for own in &user.destinations {
            let destination = &own.destination;
            items.extend(self.items_in(partition(destination), "").await?);
            let mailbox = destination.bucket();
            // Its other items are of another destination.
            if mailbox != *destination {
                items.extend(self.items_in(partition(&mailbox), "sends#").await?);
            }
        }
        Ok(items.iter().map(json).collect())
    }

    async fn items_in(&self, partition: AttributeValue, prefix: &str) -> Result<Vec<Item>, Fault> {
        let query = self
            .table
            .query()
            .key_condition_expression("pk = :partition")
            .expression_attribute_values(":partition", partition);
        let query = if prefix.is_empty() {
            query
        } else {
            query
                .key_condition_expression("pk = :partition AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", text(prefix))
        };
        self.table.find_all(query).await
    }
}

/// An item without its binary attributes: digests, seals and salts.
fn json(item: &Item) -> Value {
    let mut names: Vec<_> = item.iter().collect();
    names.sort_by_key(|(name, _)| *name);
    let members = names.into_iter().filter_map(|(name, value)| {
        let value = match value {
            AttributeValue::S(text) => text.clone().into(),
            AttributeValue::N(text) => text.parse::<Number>().map_or(Value::Null, Value::Number),
            AttributeValue::Bool(it) => (*it).into(),
            AttributeValue::Ss(texts) => texts.clone().into(),
            _ => return None,
        };
        Some((name.clone(), value))
    });
    Value::Object(members.collect::<Map<_, _>>())
}
