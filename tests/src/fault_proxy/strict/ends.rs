//! When an item ends, by what it holds.

use std::time::Duration;

use otp_domain::{Challenge, ConversionGuard, Guesses, Mark};
use serde_json::{Map, Value};

/// The table's TTL attribute.
const TTL: &str = "expires_at_seconds";

/// How long an item stays after its end, because clocks disagree.
const CLOCKS: u64 = 60_000;

/// A time after this one is no time in seconds.
const YEAR_5138: u64 = 100_000_000_000;

/// The size of an item, in bytes, that none of ours comes near. `DynamoDB` accepts 400 KB.
const LARGEST: usize = 64 * 1024;

const WINDOWS: [(&str, u64); 2] = [("-hour", 3_600_000), ("-day", 86_400_000)];

type Item = Map<String, Value>;

/// What is wrong with an item, in sentences.
pub fn judge(item: &Value) -> Vec<String> {
    let item = item.as_object().expect("an item");
    let [partition, sort] = ["pk", "sk"].map(|name| item[name]["S"].as_str().expect("a key"));
    let mut wrong = Vec::new();
    let size = size(item);
    if size > LARGEST {
        wrong.push(format!("an item has {size} bytes"));
    }
    let lasts = item.contains_key("user_id") || sort == "user" && partition.starts_with("user#");
    let ttl = match item.get(TTL) {
        None if lasts => return wrong,
        Some(_) if lasts => {
            wrong.push("an item that lasts has a TTL".to_owned());
            return wrong;
        }
        ttl => ttl.and_then(|ttl| ttl["N"].as_str()?.parse::<u64>().ok()),
    };
    match ttl {
        None => wrong.push("an item that ends has no TTL that is a number".to_owned()),
        Some(ttl) if ttl > YEAR_5138 => wrong.push("a TTL is not in seconds".to_owned()),
        Some(ttl) => {
            let ends = ends(item, sort);
            // The tombstone of a user who never logged in serves nothing.
            let is_past = ["history", "guesses"].contains(&sort) || sort.starts_with("device#");
            if ends.is_empty() && sort != "user" && !is_past {
                wrong.push("nothing in an item with a TTL says when it ends".to_owned());
            }
            for (what, end) in ends {
                if (ttl + 1) * 1000 <= end + CLOCKS {
                    wrong.push(format!(
                        "the TTL {ttl} is before the end of {what}, {end} ms"
                    ));
                }
            }
        }
    }
    let named = |says: String| format!("{says}: {} {sort}", kind(partition));
    wrong.into_iter().map(named).collect()
}

/// Each time of end, in milliseconds, with the name of what ends.
fn ends(item: &Item, sort: &str) -> Vec<(String, u64)> {
    let mut ends: Vec<_> = window(sort).into_iter().collect();
    for (name, value) in item {
        ends.extend(window(name));
        if let Some(inner) = value["M"].as_object() {
            ends.extend(times(inner));
        }
    }
    ends.extend(times(item));
    let open = item.iter().filter(|(name, _)| name.starts_with("ends#"));
    ends.extend(open.filter_map(|(name, end)| Some((name.clone(), number(end)?))));
    let after = |name: &str, span: Duration| {
        let at = item.get(name).and_then(number)?;
        Some((
            name.to_owned(),
            at + u64::try_from(span.as_millis()).unwrap(),
        ))
    };
    // The marks of a way that end.
    for mark in Mark::ALL {
        let prefix = format!("{}#", mark.as_str());
        let of_mark = item.keys().filter(|name| name.starts_with(&prefix));
        let lasts = mark.lasts().unwrap_or_default();
        ends.extend(of_mark.filter_map(|name| after(name, lasts)));
    }
    // A conversion guard's counter, and the tombstone of a user.
    ends.extend(after("sent_at", ConversionGuard::MEMORY));
    ends.extend(after("proven_at", ConversionGuard::MEMORY));
    ends.extend(after("guessed_at", Guesses::MEMORY));
    ends.extend(after("last_login_at", Challenge::LONGEST_LIFE));
    ends
}

/// The attributes that are named as times of end. A session's `ends_at` is none: it bounds
/// `expires_at`, at which the session ends without a refresh.
fn times(item: &Item) -> impl Iterator<Item = (String, u64)> {
    item.iter().filter_map(|(name, value)| {
        let is_end = name == "expires_at" || name.ends_with("_until");
        Some((name.clone(), number(value).filter(|_| is_end)?))
    })
}

/// The end of a counter's window: `sends-hour#1767225600` counts that hour.
fn window(name: &str) -> Option<(String, u64)> {
    let (limit, start) = name.split_once('#')?;
    let (_, length) = WINDOWS.iter().find(|(word, _)| limit.ends_with(word))?;
    let start: u64 = start.parse().ok()?;
    Some((limit.to_owned(), start * 1000 + length))
}

fn number(value: &Value) -> Option<u64> {
    value["N"].as_str()?.parse().ok()
}

/// What a partition is of, without whom.
fn kind(partition: &str) -> &str {
    partition.split('#').next().unwrap_or_default()
}

/// About as many bytes as `DynamoDB` counts.
fn size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value.to_string().len())
        .sum()
}
