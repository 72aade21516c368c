//! What the emulated table forgives, and the real table or a rule of ours does not.
//!
//! | rule | where |
//! |---|---|
//! | every read is consistent | here |
//! | every transaction has a request token of its own, of 36 bytes at most; one that the SDK draws is another one for each try | here |
//! | the table refuses no call as malformed: a reserved word, a placeholder without use, an item twice, another body under a used token | here: the emulator refuses it too, but a caller may hide that |
//! | every item that ends has a TTL, in seconds, after each of its ends; a lasting item has none | [`ends`] |
//! | an item has a bounded size | [`ends`] |
//! | two transactions at one item conflict, and so do a transaction and a write | [`flights`] |
//! | a batch may leave keys out, a query and a scan come in small pages | here |
//!
//! A call that breaks a rule is passed on; the test fails with the rule's sentence when the
//! proxy is dropped.

mod ends;
mod flights;

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::TcpStream,
};

use self::flights::Flights;
use super::http::{HttpMessage, header};

/// The longest token that `DynamoDB` accepts.
const LONGEST_TOKEN: usize = 36;

/// The most keys of a batch. The emulator refuses more.
const LARGEST_BATCH: usize = 100;

/// The most items of a page.
const PAGE: u64 = 2;

/// The errors by which the table says that a call is wrong, whatever the table holds.
const MALFORMED: [&str; 3] = [
    "ValidationException",
    "SerializationException",
    "IdempotentParameterMismatchException",
];

/// The reads that may be stale: by the sort key's prefix, with the reason. There are none.
const MAY_BE_STALE: [(&str, &str); 0] = [];

/// Judges every call of one table, through whatever proxy it comes.
#[derive(Default)]
pub struct Strict {
    broken: Mutex<Vec<String>>,
    flights: Arc<Flights>,
    batches: AtomicUsize,
    reads_whole_batches: AtomicBool,
}

/// A call of the table.
pub struct TableCall {
    operation: String,
    body: Value,
}

impl Strict {
    /// The judge of the services at this address.
    pub fn of(services: SocketAddr) -> Arc<Self> {
        static JUDGES: Mutex<Option<HashMap<SocketAddr, Weak<Strict>>>> = Mutex::new(None);
        let mut judges = JUDGES.lock().unwrap();
        let judge = judges.get_or_insert_default().entry(services).or_default();
        judge.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Self::default());
            *judge = Arc::downgrade(&new);
            new
        })
    }

    /// Notes that a rule is broken.
    pub fn note(&self, sentence: String) {
        let mut broken = self.broken.lock().unwrap();
        if !broken.contains(&sentence) {
            broken.push(sentence);
        }
    }

    /// The rules that were broken, and forgets them.
    pub fn take_broken(&self) -> Vec<String> {
        std::mem::take(&mut self.broken.lock().unwrap())
    }

    /// How many writes met a transaction at the same item.
    pub fn conflicts(&self) -> usize {
        self.flights.conflicts()
    }

    /// Judges a request. `None` if it is not for the table.
    pub fn judge(&self, request: &mut HttpMessage) -> Option<TableCall> {
        let call = TableCall::of(request)?;
        for read in call.reads() {
            if read["ConsistentRead"] != json!(true) && !may_be_stale(read) {
                self.note(format!("a {} is not consistent: {read}", call.operation));
            }
        }
        if call.operation == "TransactWriteItems" {
            let token = call.body["ClientRequestToken"].as_str().unwrap_or_default();
            if token.is_empty() || token.len() > LONGEST_TOKEN || is_uuid(token) {
                let says = "a transaction has no request token of its own, of 36 bytes at most";
                self.note(format!("{says}: {token:?}"));
            }
        }
        if matches!(call.operation.as_str(), "Query" | "Scan") {
            let mut body = call.body.clone();
            body["Limit"] = json!(PAGE);
            request.set_body(body.to_string().into_bytes());
        }
        Some(call)
    }

    /// Leaves no keys of a batch out from now on.
    pub fn read_whole_batches(&self) {
        self.reads_whole_batches.store(true, Ordering::SeqCst);
    }

    /// Whether the table leaves keys of this batch out: of every second one.
    pub fn leaves_out(&self, call: Option<&TableCall>) -> bool {
        if self.reads_whole_batches.load(Ordering::SeqCst) {
            return false;
        }
        let is_batch = call.is_some_and(|call| {
            let reads = call.reads();
            let keys = reads.iter().filter_map(|read| read["Keys"].as_array());
            let count: usize = keys.map(Vec::len).sum();
            call.operation == "BatchGetItem" && (2..=LARGEST_BATCH).contains(&count)
        });
        is_batch && self.batches.fetch_add(1, Ordering::SeqCst) % 2 == 1
    }

    /// Passes a request on, judges the answer and returns it. A write at the item of a
    /// transaction that is on its way is not passed on, but answered as `DynamoDB` does.
    pub async fn pass_on(
        &self,
        call: Option<&TableCall>,
        request: &HttpMessage,
        services: &mut BufReader<TcpStream>,
    ) -> io::Result<Option<HttpMessage>> {
        let write = call.filter(|call| !call.writes().is_empty());
        let flight = match write.map(|call| Flights::start(&self.flights, call)) {
            Some(Err(conflict)) => return Ok(Some(conflict)),
            Some(Ok(flight)) => flight,
            None => None,
        };
        services.write_all(&request.bytes()).await?;
        let answer = HttpMessage::read(services).await?;
        drop(flight);
        if let (Some(call), Some(answer)) = (call, &answer) {
            self.look_back(call, request, answer, services).await?;
        }
        Ok(answer)
    }

    /// Judges the answer of the table and, after a write, the items that it left.
    async fn look_back(
        &self,
        call: &TableCall,
        request: &HttpMessage,
        answer: &HttpMessage,
        table: &mut BufReader<TcpStream>,
    ) -> io::Result<()> {
        if !answer.is_ok() {
            let says = String::from_utf8_lossy(&answer.body);
            if MALFORMED.iter().any(|error| says.contains(error)) {
                self.note(format!("the table refuses a {}: {says}", call.operation));
            }
            return Ok(());
        }
        let keys: Vec<Value> = call.writes().iter().filter_map(|it| key_of(it)).collect();
        let Some(name) = call.table().filter(|_| !keys.is_empty()) else {
            return Ok(());
        };
        let asked = json!({ "RequestItems": { name: { "Keys": keys, "ConsistentRead": true } } });
        let mut read = HttpMessage {
            head: request.head.replace(&call.operation, "BatchGetItem"),
            body: request.body.clone(),
        };
        read.set_body(asked.to_string().into_bytes());
        table.write_all(&read.bytes()).await?;
        let Some(found) = HttpMessage::read(table).await? else {
            return Ok(());
        };
        let found: Value = serde_json::from_slice(&found.body).unwrap();
        let items = found["Responses"][name].as_array();
        for item in items.expect("the items") {
            for sentence in ends::judge(item, &call.cooldowns(item)) {
                self.note(sentence);
            }
        }
        Ok(())
    }
}

impl TableCall {
    fn of(request: &HttpMessage) -> Option<Self> {
        let target = header(&request.head, "x-amz-target")?;
        let operation = target.strip_prefix("DynamoDB_20120810.")?.to_owned();
        let body = serde_json::from_slice(&request.body).unwrap();
        Some(Self { operation, body })
    }

    /// What is read, each with its consistency.
    fn reads(&self) -> Vec<&Value> {
        match self.operation.as_str() {
            "GetItem" | "Query" | "Scan" => vec![&self.body],
            "BatchGetItem" => {
                let tables = self.body["RequestItems"].as_object();
                tables.into_iter().flat_map(|it| it.values()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The writes and the checks, in order.
    fn writes(&self) -> Vec<&Value> {
        match self.operation.as_str() {
            "PutItem" | "UpdateItem" | "DeleteItem" => vec![&self.body],
            "TransactWriteItems" => {
                let actions = self.body["TransactItems"].as_array().into_iter().flatten();
                let actions = actions.filter_map(Value::as_object);
                actions.flat_map(|action| action.values()).collect()
            }
            _ => Vec::new(),
        }
    }

    fn table(&self) -> Option<&str> {
        self.writes().first()?["TableName"].as_str()
    }

    /// The cooldowns that the call starts in an item: the attribute, and the end in
    /// milliseconds. The end is not in the item, so it follows from the condition that the last
    /// send is older.
    fn cooldowns(&self, item: &Value) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        let writes = self.writes().into_iter();
        for write in writes.filter(|write| key_of(write) == key_of(&json!({ "Key": item }))) {
            let value = |name: &str| {
                let value = write["ExpressionAttributeValues"][name]["N"].as_str()?;
                value.parse::<u64>().ok()
            };
            let names = write["ExpressionAttributeNames"].as_object();
            for (placeholder, name) in names.into_iter().flatten() {
                let name = name.as_str().unwrap_or_default();
                let operand = |expression: &str, operator: &str| {
                    let text = write[expression].as_str()?;
                    let (_, after) = text.split_once(&format!("{placeholder} {operator} "))?;
                    value(after.split([',', ' ', ')']).next()?)
                };
                let sent_at = operand("UpdateExpression", "=");
                let before = operand("ConditionExpression", "<=");
                if let (true, Some(at), Some(before)) =
                    (name.starts_with("sent_at#"), sent_at, before)
                {
                    found.push((name.to_owned(), at + (at - before)));
                }
            }
        }
        found
    }
}

/// Whether the SDK has drawn the token.
fn is_uuid(token: &str) -> bool {
    let parts: Vec<usize> = token.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12]
}

fn may_be_stale(read: &Value) -> bool {
    let sort = read["Key"]["sk"]["S"].as_str().unwrap_or_default();
    let mut stale = MAY_BE_STALE.iter();
    stale.any(|(prefix, _reason)| sort.starts_with(prefix))
}

/// The key of the item that a write writes.
fn key_of(write: &Value) -> Option<Value> {
    let holder = write.get("Key").or_else(|| write.get("Item"))?;
    Some(json!({ "pk": holder["pk"], "sk": holder["sk"] }))
}
