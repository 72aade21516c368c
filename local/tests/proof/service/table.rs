//! What stands in the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::Service;

pub type Item = HashMap<String, AttributeValue>;

impl Service {
    /// What stands in a partition of the table, by sort key.
    pub async fn partition(&self, key: &str) -> HashMap<String, Item> {
        let pages = self
            .table
            .query()
            .table_name(&self.stack.config.table_name)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(key.to_owned()))
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.collect::<Result<_, _>>().await.expect("a query");
        items
            .into_iter()
            .map(|item| (item["sk"].as_s().unwrap().clone(), item))
            .collect()
    }

    /// How many families of the user of `to` stand.
    pub async fn families(&self, to: &str) -> usize {
        let items = self.partition(&partition_name(to)).await;
        let Some(id) = items.get("user").and_then(|user| user.get("user_id")) else {
            return 0;
        };
        self.partition(&format!("user#{}", id.as_s().unwrap()))
            .await
            .len()
    }
}

/// The partition of a destination.
pub fn partition_name(to: &str) -> String {
    let channel = if to.starts_with('+') { "sms" } else { "email" };
    format!("{channel}#{to}")
}

/// The attempts spent on a challenge, as it stands in the table.
pub fn spent(challenge: &Item) -> usize {
    challenge
        .get("spent_by")
        .map_or(0, |set| set.as_ss().expect("a set").len())
}

pub fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)
        .map(|value| value.as_n().unwrap().parse().unwrap())
}
