//! Reads, with the patience of every call of the table.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::KeysAndAttributes};
use futures_util::future::try_join_all;

use super::{Item, Table, attributes::key_of, fault, not_built, until_settled};
use crate::fault::{Cause, Dependency, Fault};

/// The most keys of one `BatchGetItem`.
const MOST_KEYS: usize = 100;

impl Table {
    /// Reads an item.
    pub(crate) async fn get(&self, key: Item) -> Result<Option<Item>, Fault> {
        let operation = "GetItem";
        let attempt = || async {
            let read = self
                .client
                .get_item()
                .table_name(&self.name)
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
    pub(crate) async fn get_all(&self, keys: Vec<Item>) -> Result<Vec<Item>, Fault> {
        let batches = keys.chunks(MOST_KEYS).map(|keys| self.get_batch(keys));
        let found = try_join_all(batches).await?.into_iter().flatten();
        let mut found: HashMap<_, _> = found.map(|it| (key_of(&it), it)).collect();
        let in_order = keys.iter().map(|key| found.remove(&key_of(key)));
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
                .map_err(|_| not_built(operation))?;
            let read = self
                .client
                .batch_get_item()
                .request_items(&self.name, asked)
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
                Err(fault(operation, Cause::Busy("unprocessed keys".into())))
            }
        };
        until_settled(operation, attempt).await
    }

    /// A query of this table.
    pub(crate) fn query(&self) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
    }

    /// Reads all items that a query finds.
    pub(crate) async fn find_all(&self, query: QueryFluentBuilder) -> Result<Vec<Item>, Fault> {
        let operation = "Query";
        let attempt = || async {
            let mut pages = query.clone().into_paginator().items().send();
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
