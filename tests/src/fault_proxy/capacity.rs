//! What the calls of the table cost: the write units that the emulator reports.

use serde_json::Value;

use super::http::{HttpMessage, header};

/// Asks the table to report the units of this call.
pub fn ask(request: &mut HttpMessage) {
    if !is_for_table(request) {
        return;
    }
    let asked = br#"{"ReturnConsumedCapacity":"TOTAL","#;
    request.set_body([asked.as_slice(), &request.body[1..]].concat());
}

/// The write units of a call.
///
/// An error reports none. DynamoDB charges a write whose condition failed like one that was
/// written: one unit for an item of up to 1 KB, two for one of a transaction.
pub fn write_units(request: &HttpMessage, answer: &HttpMessage) -> f64 {
    if !is_for_table(request) || operation(request).is_some_and(reads) {
        return 0.0;
    }
    let body = |message: &HttpMessage| -> Value { serde_json::from_slice(&message.body).unwrap() };
    if answer.is_ok() {
        let capacity = &body(answer)["ConsumedCapacity"];
        let total = capacity.get(0).unwrap_or(capacity);
        return total["CapacityUnits"].as_f64().expect("the units");
    }
    let asked = body(request);
    let items = asked["TransactItems"].as_array();
    items.map_or(1.0, |items| {
        2.0 * f64::from(u8::try_from(items.len()).unwrap())
    })
}

fn reads(operation: &str) -> bool {
    matches!(operation, "GetItem" | "BatchGetItem" | "Query")
}

fn is_for_table(request: &HttpMessage) -> bool {
    header(&request.head, "x-amz-target").is_some_and(|target| target.starts_with("DynamoDB"))
}

fn operation(request: &HttpMessage) -> Option<&str> {
    header(&request.head, "x-amz-target")?
        .split('.')
        .next_back()
}
