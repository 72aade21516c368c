//! The table, read and written behind the functions' back.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client as DynamoDb, types::AttributeValue};

use local::aws::clients;
use otp_domain::{Claims, Destination, UnixTime};
use otp_service::{
    ambient,
    table::Table,
    users::{Changed, UserService},
};

use crate::TestApp;

/// An item of the table.
pub type Item = HashMap<String, AttributeValue>;

impl TestApp {
    /// Every item.
    pub async fn items(&self) -> Vec<Item> {
        let scan = self
            .table
            .scan()
            .table_name(&self.settings.sessions.table_name);
        let items = scan.into_paginator().items().send();
        items.collect::<Result<_, _>>().await.expect("a scan")
    }

    /// The items of a partition, by sort key.
    pub async fn partition(&self, key: &str) -> HashMap<String, Item> {
        let query = self
            .table
            .query()
            .table_name(&self.settings.sessions.table_name);
        let items = query
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(key))
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = items.collect::<Result<_, _>>().await.expect("a query");
        let sorted = items.into_iter().map(|item| (sort_key(&item), item));
        sorted.collect()
    }

    /// Deletes an item.
    pub async fn delete(&self, partition: &str, sort: &str) {
        let delete = self
            .table
            .delete_item()
            .table_name(&self.settings.sessions.table_name);
        let delete = delete
            .key("pk", text(partition))
            .key("sk", text(sort))
            .send()
            .await;
        delete.expect("a deletion");
    }

    /// How many sessions the user of a destination has.
    pub async fn sessions_of(&self, to: &str) -> usize {
        let items = self.partition(&partition_key(to)).await;
        let Some(id) = items.get("user").and_then(|user| user.get("user_id")) else {
            return 0;
        };
        let partition = format!("user#{}", id.as_s().unwrap());
        let items = self.partition(&partition).await;
        let sessions = items.keys().filter(|sort| sort.starts_with("session#"));
        sessions.count()
    }

    /// How many sessions there are.
    pub async fn sessions(&self) -> usize {
        let items = self.items().await;
        let sessions = items
            .iter()
            .filter(|item| sort_key(item).starts_with("session#"));
        sessions.count()
    }

    /// The challenges of a destination, by id. Each has the attempts at it as `spent_by`.
    pub async fn challenges(&self, to: &str) -> HashMap<String, Item> {
        let items = self.partition(&partition_key(to)).await.into_iter();
        let challenges = items.filter_map(|(sort, item)| {
            let id = sort.strip_prefix("challenge#")?;
            Some((id.to_owned(), item))
        });
        challenges.collect()
    }

    /// Changes a challenge.
    pub async fn change_challenge(&self, to: &str, id: &str, change: impl FnOnce(&mut Item)) {
        let mut challenge = self
            .challenges(to)
            .await
            .remove(id)
            .expect("the challenge is in the table");
        change(&mut challenge);
        self.put(challenge).await;
    }

    /// How many attempts at a challenge have been made.
    pub async fn attempts_at(&self, to: &str, challenge_id: &str) -> usize {
        let challenges = self.challenges(to).await;
        let challenge = challenges.get(challenge_id);
        attempts(challenge.expect("the challenge is in the table"))
    }

    /// Writes an item.
    pub async fn put(&self, item: Item) {
        let put = self.table.put_item().set_item(Some(item));
        put.table_name(&self.settings.sessions.table_name)
            .send()
            .await
            .expect("the item is written");
    }

    /// Writes a counter, whatever it held.
    pub async fn put_counts(&self, partition: &str, sort: &str, counts: &[(&str, u64)]) {
        let numbers = counts.iter();
        let numbers =
            numbers.map(|(name, n)| ((*name).to_owned(), AttributeValue::N(n.to_string())));
        let key = [("pk", partition), ("sk", sort)].map(|(name, key)| (name.to_owned(), text(key)));
        self.put(key.into_iter().chain(numbers).collect()).await;
    }

    /// Creates or replaces a user with one destination, who has never logged in.
    pub async fn add_user(&self, to: &str, disabled: bool) {
        let id = format!("user of {to}");
        let at = || AttributeValue::N("0".into());
        let key = |pk: String| [("pk", text(&pk)), ("sk", text("user"))];
        let own = HashMap::from([(partition_key(to), at())]);
        let own = [
            ("destinations", AttributeValue::M(own)),
            ("created_at", at()),
            ("version", AttributeValue::N("1".into())),
        ];
        let copy = [("user_id", text(&id))];
        let disabled = disabled.then(|| ("disabled_at", at()));
        let own = key(format!("user#{id}")).into_iter().chain(own);
        let copy = key(partition_key(to)).into_iter().chain(copy);
        for item in [own.collect::<Vec<_>>(), copy.collect()] {
            let item = item.into_iter().chain(disabled.clone());
            let item = item.map(|(name, value)| (name.to_owned(), value));
            self.put(item.collect()).await;
        }
    }

    /// Disables a user with one destination.
    pub async fn disable_user(&self, to: &str) {
        let copy = self.partition(&partition_key(to)).await.remove("user");
        let copy = copy.expect("a user");
        let id = copy["user_id"].as_s().expect("an id").clone();
        let own = self.partition(&format!("user#{id}")).await.remove("user");
        for mut item in [copy, own.expect("the user's own item")] {
            let at = AttributeValue::N("0".into());
            item.insert("disabled_at".to_owned(), at);
            self.put(item).await;
        }
    }

    /// Sets the claims of a user, as an operator does. Returns whether there is one.
    pub async fn set_claims(&self, to: &str, claims: &str) -> bool {
        let table = self.settings.sessions.table_name.clone();
        let client = DynamoDb::new(clients(self.operator.address).sdk());
        let users = UserService::new(Table::new(client, table), self.settings.sessions.events);
        let destination = to.parse().expect("a destination");
        let claims = Claims::parse(claims).expect("claims");
        let now = UnixTime::from_millis(self.now());
        let (to, rng) = ([destination], &mut ambient::rng());
        let set = users.set_claims(&to, &claims, now, rng).await;
        matches!(set.expect("a write"), Changed::Done(_))
    }

    /// Removes a user with one destination, whose last login is forgotten, too.
    pub async fn remove_user(&self, to: &str) {
        let copy = self.partition(&partition_key(to)).await.remove("user");
        if let Some(id) = copy.as_ref().and_then(|user| user.get("user_id")) {
            let id = id.as_s().expect("an id");
            self.delete(&format!("user#{id}"), "user").await;
        }
        self.delete(&partition_key(to), "user").await;
    }
}

/// The partition key of a destination.
#[must_use]
pub fn partition_key(to: &str) -> String {
    let kind = if to.starts_with('+') {
        "phone"
    } else {
        "email"
    };
    format!("{kind}#{to}")
}

/// The partition key of a destination's mailbox.
#[must_use]
pub fn mailbox_key(to: &str) -> String {
    let destination: Destination = to.parse().expect("a destination");
    partition_key(destination.bucket().as_str())
}

/// The sort key of an item.
#[must_use]
pub fn sort_key(item: &Item) -> String {
    item["sk"].as_s().expect("a sort key").clone()
}

/// The attempts that have been made at a challenge.
#[must_use]
pub fn attempts(challenge: &Item) -> usize {
    let set = challenge.get("spent_by");
    set.map_or(0, |set| set.as_ss().expect("a set").len())
}

/// A number of an item.
#[must_use]
pub fn number(item: &Item, name: &str) -> Option<i64> {
    let number = item.get(name)?.as_n().expect("a number");
    Some(number.parse().expect("a whole number"))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
