//! The table as `DynamoDB` serves it under load: transactions hold their items,
//! and whoever meets a held item is refused.

use std::{
    collections::HashSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};
use tokio::time::sleep;

/// The answer of the table: the status and the body.
pub type Answer = (u16, String);

/// How long a call takes, and how long a transaction holds its items.
pub const CALL: Duration = Duration::from_millis(8);

/// The emulator, behind the rules of conflicts.
pub struct Table {
    database: Database,
    held: Mutex<HashSet<String>>,
    transactions: AtomicU64,
    conflicts: AtomicU64,
}

/// What happened at the table.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// The transactions that were tried.
    pub transactions: u64,
    /// The calls that met a held item.
    pub conflicts: u64,
}

impl Table {
    pub fn new(name: &str) -> Result<Self, String> {
        let database = Database::memory().map_err(|error| error.to_string())?;
        local::aws::dynamodb::create_table(&database, name)?;
        Ok(Self {
            database,
            held: Mutex::default(),
            transactions: AtomicU64::new(0),
            conflicts: AtomicU64::new(0),
        })
    }

    pub fn counts(&self) -> Counts {
        Counts {
            transactions: self.transactions.load(Ordering::Relaxed),
            conflicts: self.conflicts.load(Ordering::Relaxed),
        }
    }

    fn held(&self) -> MutexGuard<'_, HashSet<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one call, after its time has passed.
    pub async fn call(&self, operation: &str, body: &str) -> Answer {
        match operation {
            "TransactWriteItems" => self.transact(body).await,
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                let request = parse(body);
                let key = key_of(request.get("Key").unwrap_or(&request["Item"]));
                let is_held = self.held().contains(&key);
                let answer = if is_held {
                    self.conflicts.fetch_add(1, Ordering::Relaxed);
                    error("TransactionConflictException", &json!({}))
                } else {
                    self.run(operation, body)
                };
                sleep(CALL).await;
                answer
            }
            _ => {
                sleep(CALL).await;
                self.run(operation, body)
            }
        }
    }

    async fn transact(&self, body: &str) -> Answer {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        let keys = keys_of(&parse(body));
        let met: Vec<bool> = {
            let mut held = self.held();
            let met: Vec<bool> = keys.iter().map(|key| held.contains(key)).collect();
            if !met.contains(&true) {
                held.extend(keys.iter().cloned());
            }
            met
        };
        sleep(CALL).await;
        if met.contains(&true) {
            self.conflicts.fetch_add(1, Ordering::Relaxed);
            return cancelled(&met);
        }
        let answer = self.run("TransactWriteItems", body);
        let mut held = self.held();
        for key in &keys {
            held.remove(key);
        }
        answer
    }

    fn run(&self, operation: &str, body: &str) -> Answer {
        macro_rules! run {
            ($method:ident) => {
                serde_json::from_str(body)
                    .map_err(|error| DynoxideError::SerializationException(error.to_string()))
                    .and_then(|request| self.database.$method(request))
                    .map(|answer| serde_json::to_string(&answer).unwrap_or_default())
            };
        }
        let answer = match operation {
            "GetItem" => run!(get_item),
            "PutItem" => run!(put_item),
            "UpdateItem" => run!(update_item),
            "DeleteItem" => run!(delete_item),
            "BatchGetItem" => run!(batch_get_item),
            "Query" => run!(query),
            "TransactWriteItems" => run!(transact_write_items),
            _ => return error("UnknownOperationException", &json!({})),
        };
        answer.map_or_else(|error| (400, error.to_json()), |body| (200, body))
    }
}

fn parse(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_default()
}

fn key_of(item: &Value) -> String {
    format!("{} {}", item["pk"]["S"], item["sk"]["S"])
}

fn keys_of(request: &Value) -> Vec<String> {
    let items = request["TransactItems"].as_array();
    let actions = items.into_iter().flatten().filter_map(|item| {
        let action = item
            .as_object()?
            .values()
            .find(|action| !action.is_null())?;
        Some(key_of(action.get("Key").unwrap_or(&action["Item"])))
    });
    actions.collect()
}

fn error(name: &str, more: &Value) -> Answer {
    let mut body = json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"),
        "message": name,
    });
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    (400, body.to_string())
}

fn cancelled(met: &[bool]) -> Answer {
    let reasons = met.iter().map(|met| {
        if *met {
            json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" })
        } else {
            json!({ "Code": "None" })
        }
    });
    let reasons: Vec<Value> = reasons.collect();
    error(
        "TransactionCanceledException",
        &json!({ "CancellationReasons": reasons }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUT: &str = r#"{"TransactItems":[{"Put":{"TableName":"table","Item":{"pk":{"S":"a"},"sk":{"S":"b"}}}},{"Put":{"TableName":"table","Item":{"pk":{"S":"c"},"sk":{"S":"d"}}}}]}"#;
    const OTHER: &str = r#"{"TransactItems":[{"Put":{"TableName":"table","Item":{"pk":{"S":"e"},"sk":{"S":"f"}}}},{"Put":{"TableName":"table","Item":{"pk":{"S":"c"},"sk":{"S":"d"}}}}]}"#;
    const PLAIN: &str = r#"{"TableName":"table","Item":{"pk":{"S":"a"},"sk":{"S":"b"}}}"#;

    #[tokio::test(start_paused = true)]
    async fn whoever_meets_a_held_item_is_refused_until_it_is_let_go() {
        let table = Table::new("table").unwrap();
        let (first, second, plain) = tokio::join!(
            table.call("TransactWriteItems", PUT),
            table.call("TransactWriteItems", OTHER),
            table.call("PutItem", PLAIN),
        );
        assert_eq!(first.0, 200, "{}", first.1);
        let reasons = &parse(&second.1)["CancellationReasons"];
        assert_eq!(reasons[0]["Code"], "None");
        assert_eq!(reasons[1]["Code"], "TransactionConflict");
        assert!(plain.1.contains("TransactionConflictException"));
        assert_eq!(table.call("TransactWriteItems", OTHER).await.0, 200);
        assert_eq!(table.call("PutItem", PLAIN).await.0, 200);
        assert_eq!(table.counts().conflicts, 2);
    }
}
