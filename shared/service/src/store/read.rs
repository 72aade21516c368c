//! Reads, with the patience of every call of the table.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::{Item, Store, transaction::until_settled};
use crate::fault::{Dependency, Fault};

impl Store {
    /// Reads an item.
    pub(super) async fn get(&self, key: Item) -> Result<Option<Item>, Fault> {
        let operation = "GetItem";
        let attempt = || async {
            let read = self
                .client
                .get_item()
                .table_name(&self.table)
                .set_key(Some(key.clone()))
                .consistent_read(true)
                .send()
                .await;
            let output =
                read.map_err(|error| Fault::from_sdk(Dependency::Table, operation, &error))?;
            Ok(output.item)
        };
        until_settled(operation, attempt).await
    }

    /// Reads all items that a query finds.
    pub(super) async fn query(&self, query: QueryFluentBuilder) -> Result<Vec<Item>, Fault> {
        let operation = "Query";
        let attempt = || async {
            let query = query.clone().table_name(&self.table).consistent_read(true);
            let mut pages = query.into_paginator().items().send();
            let mut items = Vec::new();
            while let Some(item) = pages.next().await {
                items.push(
                    item.map_err(|error| Fault::from_sdk(Dependency::Table, operation, &error))?,
                );
            }
            Ok(items)
        };
        until_settled(operation, attempt).await
    }
}
