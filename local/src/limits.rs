//! Limits, cooldowns and caps: generous on one machine, and forgotten on demand.

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode, routing::delete};
use dynoxide::{
    Database,
    actions::{delete_item::DeleteItemRequest, scan::ScanRequest, update_item::UpdateItemRequest},
    types::{AttributeValue, Item},
};

use crate::{
    aws::dynamodb::{PARTITION_KEY, SORT_KEY},
    functions::Functions,
};

/// More than any test sends. The cooldown stays: a page shows it.
const NO_LIMIT: &str = "1000000";

/// The default of a limit where one person develops and tests: everything comes from one
/// client, to few destinations.
#[must_use]
pub fn generous(setting: &str) -> Option<&'static str> {
    match setting {
        "REQUESTS_PER_IP_PER_HOUR"
        | "SENDS_PER_HOUR"
        | "SENDS_PER_DAY"
        | "SMS_PER_DAY"
        | "SMS_PER_PREFIX_PER_DAY"
        | "EMAILS_PER_DAY" => Some(NO_LIMIT),
        "CONVERSION_GUARD" => Some("0"),
        _ => None,
    }
}

/// What the table has counted so far. Clones share it.
#[derive(Clone)]
pub struct Limits {
    database: Database,
    table: String,
}

impl Limits {
    /// The limits in this table.
    #[must_use]
    pub const fn new(database: Database, table: String) -> Self {
        Self { database, table }
    }

    /// Forgets every cooldown and every count. Users, sessions and live codes stay.
    ///
    /// # Errors
    ///
    /// The emulator fails.
    pub fn reset(&self) -> Result<(), String> {
        let mut from = None;
        loop {
            let request = ScanRequest {
                table_name: self.table.clone(),
                exclusive_start_key: from,
                ..ScanRequest::default()
            };
            let page = self.database.scan(request).map_err(|e| e.to_string())?;
            for item in page.items.unwrap_or_default() {
                self.forget(item)?;
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    fn forget(&self, mut item: Item) -> Result<(), String> {
        let is_of_many = counts(&item);
        let counters = item.keys().filter(|name| is_of_sends(name));
        let counters: Vec<String> = counters.cloned().collect();
        item.retain(|name, _| name == PARTITION_KEY || name == SORT_KEY);
        let (table_name, key) = (self.table.clone(), item);
        if is_of_many {
            let request = DeleteItemRequest {
                table_name,
                key,
                ..DeleteItemRequest::default()
            };
            let deleted = self.database.delete_item(request);
            return deleted.map(|_| ()).map_err(|error| error.to_string());
        }
        if counters.is_empty() {
            return Ok(());
        }
        let names = (0..counters.len()).map(|n| format!("#n{n}"));
        let names: Vec<String> = names.collect();
        let request = UpdateItemRequest {
            table_name,
            key,
            update_expression: Some(format!("REMOVE {}", names.join(", "))),
            expression_attribute_names: Some(names.into_iter().zip(counters).collect()),
            ..UpdateItemRequest::default()
        };
        let updated = self.database.update_item(request);
        updated.map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Whether an item counts for a limit, and holds nothing else.
fn counts(item: &Item) -> bool {
    let Some(AttributeValue::S(partition)) = item.get(PARTITION_KEY) else {
        return false;
    };
    let of_many = ["client#", "prefix#", "deployment#"];
    of_many.iter().any(|scope| partition.starts_with(scope))
}

/// Whether this attribute of a mailbox's day counts for a limit, or is a cooldown. The
/// others are challenges.
fn is_of_sends(name: &str) -> bool {
    let counters = ["sends-hour#", "sends-day#", "sent_at#"];
    counters.iter().any(|counter| name.starts_with(counter))
}

/// Serves `DELETE /api/limits`: the table forgets what it counted, and the functions
/// what they remember of it.
pub fn router(limits: Limits, functions: Arc<Functions>) -> Router {
    Router::new()
        .route("/api/limits", delete(reset))
        .with_state((limits, functions))
}

async fn reset(
    State((limits, functions)): State<(Limits, Arc<Functions>)>,
) -> Result<StatusCode, (StatusCode, String)> {
    let reset = limits.reset();
    reset.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error))?;
    functions.forget_refusals();
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_limit_counts_is_forgotten() {
        for (partition, is_forgotten) in [
            ("client#127.0.0.1", true),
            ("prefix#+1#3", true),
            ("deployment#0", true),
            ("email#a@example.com", false),
            ("user#abc", false),
        ] {
            let key = AttributeValue::S(partition.to_owned());
            let item = Item::from([(PARTITION_KEY.to_owned(), key)]);
            assert_eq!(counts(&item), is_forgotten, "{partition}");
        }
        for (attribute, is_forgotten) in [
            ("sends-hour#1767225600", true),
            ("sends-day#1767225600", true),
            ("sent_at#a@example.com", true),
            ("challenge#0123456789", false),
            ("challenges", false),
            ("spent#0123456789", false),
            ("expires_at_seconds", false),
        ] {
            assert_eq!(is_of_sends(attribute), is_forgotten, "{attribute}");
        }
    }
}
