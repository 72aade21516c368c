//! Limits, cooldowns and caps: generous on one machine, and forgotten on demand.

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode, routing::delete};
use dynoxide::{
    Database,
    actions::{delete_item::DeleteItemRequest, scan::ScanRequest},
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
        if !counts(&item) {
            return Ok(());
        }
        item.retain(|name, _| name == PARTITION_KEY || name == SORT_KEY);
        let request = DeleteItemRequest {
            table_name: self.table.clone(),
            key: item,
            ..DeleteItemRequest::default()
        };
        let deleted = self.database.delete_item(request);
        deleted.map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Whether an item counts for a limit, or is a destination's or a device's past.
fn counts(item: &Item) -> bool {
    let key = |name| match item.get(name) {
        Some(AttributeValue::S(key)) => key.as_str(),
        _ => "",
    };
    let (partition, sort) = (key(PARTITION_KEY), key(SORT_KEY));
    let mut of_many = ["client#", "prefix#", "network#", "deployment#"].into_iter();
    of_many.any(|scope| partition.starts_with(scope))
        || ["history", "guesses", "sends"].contains(&sort)
        || sort.starts_with("device#")
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
        for (partition, sort, is_forgotten) in [
            ("client#127.0.0.1", "logins-hour#1767225600", true),
            ("prefix#+1#3", "messages", true),
            ("network#+1#203.0.113.0/24", "messages", true),
            ("deployment#email#0", "messages", true),
            ("email#a@example.com", "sends", true),
            ("phone#+14155550123", "history", true),
            ("phone#+14155550123", "guesses", true),
            ("phone#+14155550123", "device#AAAA", true),
            ("phone#+14155550123", "device#AAAA#sends", true),
            ("email#a@example.com", "challenge#0123456789", false),
            ("email#a@example.com", "request#0123456789", false),
            ("email#a@example.com", "user", false),
            ("user#abc", "session#0123456789", false),
        ] {
            let key = [(PARTITION_KEY, partition), (SORT_KEY, sort)];
            let key = key.map(|(name, key)| (name.to_owned(), AttributeValue::S(key.to_owned())));
            assert_eq!(counts(&Item::from(key)), is_forgotten, "{partition} {sort}");
        }
    }
}
