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
        item.retain(|name, _| name == PARTITION_KEY || name == SORT_KEY);
        let text = |name| match item.get(name) {
            Some(AttributeValue::S(text)) => text.as_str(),
            _ => "",
        };
        if !counts(text(PARTITION_KEY), text(SORT_KEY)) {
            return Ok(());
        }
        let request = DeleteItemRequest {
            table_name: self.table.clone(),
            key: item,
            ..DeleteItemRequest::default()
        };
        let deleted = self.database.delete_item(request);
        deleted.map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Whether an item with this key counts for a limit.
fn counts(partition: &str, sort: &str) -> bool {
    let of_many = ["client#", "prefix#", "deployment#"];
    let is_window = |(name, start): (&str, &str)| {
        name != "challenge" && !start.is_empty() && start.bytes().all(|b| b.is_ascii_digit())
    };
    sort == "cooldown"
        || of_many.iter().any(|scope| partition.starts_with(scope))
        || sort.split_once('#').is_some_and(is_window)
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
        for (partition, sort) in [
            ("email#a@example.com", "cooldown"),
            ("email#a@example.com", "sends-hour#1767225600"),
            ("client#127.0.0.1", "logins-hour#1767225600"),
            ("prefix#+1#3", "sms-unproven#1767225600"),
            ("deployment#0", "sms-day#1767225600"),
        ] {
            assert!(counts(partition, sort), "kept {partition} {sort}");
        }
        for (partition, sort) in [
            ("email#a@example.com", "user"),
            ("email#a@example.com", "challenge#0123456789"),
            ("email#a@example.com", "request#aGFzaA"),
            ("user#abc", "family#aGFzaA"),
        ] {
            assert!(!counts(partition, sort), "forgot {partition} {sort}");
        }
    }
}
