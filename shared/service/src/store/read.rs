//! Reads, with the patience of every call of the table.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::KeysAndAttributes};
use futures_util::future::try_join_all;

use super::{Item, Store, item, transaction::until_settled};
use crate::fault::{Dependency, Fault};

/// The most keys of one `BatchGetItem`.
const MOST_KEYS: usize = 100;

/// The cause of a batch that the table has not read to its end. It is transient.
const UNPROCESSED: &str = "ProvisionedThroughputExceeded";

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

    /// Reads the items of many keys, in the order of the keys. An item that is not
    /// there has no attributes.
    pub(super) async fn get_all(&self, keys: Vec<Item>) -> Result<Vec<Item>, Fault> {
        let batches = keys.chunks(MOST_KEYS).map(|keys| self.get_batch(keys));
        let found = try_join_all(batches).await?.into_iter().flatten();
        let mut found: HashMap<_, _> = found.map(|it| (item::key_of(&it), it)).collect();
        let in_order = keys.iter().map(|key| found.remove(&item::key_of(key)));
        Ok(in_order.map(Option::unwrap_or_default).collect())
    }

    async fn get_batch(&self, keys: &[Item]) -> Result<Vec<Item>, Fault> {
        let operation = "BatchGetItem";
        let progress = Mutex::new((Vec::new(), keys.to_vec()));
        let progress = || progress.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = || async {
            let left = progress().1.clone();
            let asked = KeysAndAttributes::builder()
                .set_keys(Some(left))
                .consistent_read(true)
                .build()
                .map_err(|_| Fault::new(Dependency::Table, operation, "request not built"))?;
            let read = self
                .client
                .batch_get_item()
                .request_items(&self.table, asked)
                .send()
                .await;
            let output =
                read.map_err(|error| Fault::from_sdk(Dependency::Table, operation, &error))?;
            let (found, left) = &mut *progress();
            found.extend(output.responses.into_iter().flatten().flat_map(|it| it.1));
            let unprocessed = output.unprocessed_keys.into_iter().flatten();
            *left = unprocessed.flat_map(|it| it.1.keys).collect();
            if left.is_empty() {
                Ok(std::mem::take(found))
            } else {
                Err(Fault::new(Dependency::Table, operation, UNPROCESSED))
            }
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
