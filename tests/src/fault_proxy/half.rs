//! A batch of reads that the table does not read to its end.

use serde_json::Value;

use super::http::HttpMessage;

/// Takes the second half of the keys from a `BatchGetItem`; returns what is left out.
pub fn take(request: &mut HttpMessage) -> Value {
    let mut asked: Value = serde_json::from_slice(&request.body).unwrap();
    let mut left = asked["RequestItems"].clone();
    for (table, asked) in asked["RequestItems"].as_object_mut().unwrap() {
        let keys = asked["Keys"].as_array_mut().unwrap();
        left[table]["Keys"] = keys.split_off(keys.len() / 2).into();
    }
    request.set_body(asked.to_string().into_bytes());
    left
}

/// Says in the answer what was left out.
pub fn tell(left: Value, answer: &mut HttpMessage) {
    let mut told: Value = serde_json::from_slice(&answer.body).unwrap();
    told["UnprocessedKeys"] = left;
    answer.set_body(told.to_string().into_bytes());
    // It was the checksum of another body.
    let lines = answer.head.split_inclusive("\r\n");
    let kept = lines.filter(|line| !line.to_lowercase().starts_with("x-amz-crc32:"));
    answer.head = kept.collect();
}
