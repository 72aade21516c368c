//! The write units of the table's calls, as the emulator reports them.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::header::CONTENT_LENGTH,
};
use serde_json::Value;

const MOST: usize = 1 << 20;

/// The request, which asks the table to report its units too.
pub async fn ask(request: Request) -> Result<Request, axum::Error> {
    let (mut head, body) = request.into_parts();
    let body = to_bytes(body, MOST).await?;
    let mut asking = br#"{"ReturnConsumedCapacity":"TOTAL","#.to_vec();
    asking.extend(body.iter().skip(1));
    head.headers.remove(CONTENT_LENGTH);
    Ok(Request::from_parts(head, Body::from(asking)))
}

/// The write units of a call whose answer reports them.
pub fn of(operation: &str, answer: &[u8]) -> f64 {
    if matches!(operation, "GetItem" | "BatchGetItem" | "Query") {
        return 0.0;
    }
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let capacity = &answer["ConsumedCapacity"];
    let total = capacity.get(0).unwrap_or(capacity);
    total["CapacityUnits"].as_f64().unwrap_or_default()
}
