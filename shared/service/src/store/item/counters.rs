//! What limits, cooldowns and guards count, as items.

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{
    Book, ConversionGuard, Destination, GuardCount, Limit, OperationId, Scope, UnixTime,
};

use super::{super::Item, malformed, optional, partition, sweep_after, text};
use crate::fault::Fault;

fn scope_partition(scope: &Scope, shard: u32) -> AttributeValue {
    match scope {
        Scope::Destination(destination) => partition(destination),
        Scope::Client(client) => text(format!("client#{}", client.as_str())),
        Scope::Prefix(prefix) => text(format!("prefix#{prefix}#{shard}")),
        Scope::Deployment => text(format!("deployment#{shard}")),
    }
}

/// What tells an item, or a key, from every other one.
pub(in crate::store) fn key_of(item: &Item) -> [Option<String>; 2] {
    ["pk", "sk"].map(|name| item.get(name).and_then(|it| it.as_s().ok()).cloned())
}

/// The attribute with the last send to this spelling of a mailbox.
pub(in crate::store) fn sent_at(destination: &Destination) -> String {
    format!("sent_at#{}", destination.as_str())
}

/// One shard of a limit's counter. Each shard has a partition of its own, because
/// a partition's throughput is limited.
pub(in crate::store) fn counter_key(limit: &Limit, shard: u32, at: UnixTime) -> Item {
    let partition = scope_partition(&limit.scope, shard);
    let start = limit.window_start(at).as_secs();
    let sort = text(format!("{}#{start}", limit.name));
    Item::from([("pk".to_owned(), partition), ("sk".to_owned(), sort)])
}

/// The attribute that counts a limit in the window of one instant.
pub(in crate::store) fn count_of(limit: &Limit, at: UnixTime) -> String {
    match limit.book {
        Book::Own => "admitted".to_owned(),
        Book::Sends | Book::Guard(_) => {
            format!("{}#{}", limit.name, limit.window_start(at).as_secs())
        }
    }
}

/// Reads a count.
pub(in crate::store) fn count(item: &Item, attribute: &str) -> Result<i64, Fault> {
    let Some(value) = item.get(attribute) else {
        return Ok(0);
    };
    let number = value.as_n().ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| malformed("count"))
}

/// Whether the last count of a validation was that of this operation.
pub(in crate::store) fn is_counted_for(item: &Item, operation: &OperationId) -> bool {
    let id = item.get("counted_for").and_then(|id| id.as_s().ok());
    id.is_some_and(|id| id == operation.as_str())
}

/// The item of this scope and name that keeps counters without an end.
pub(in crate::store) fn lasting_key(scope: &Scope, name: &str, shard: u32) -> Item {
    let partition = scope_partition(scope, shard);
    Item::from([("pk".to_owned(), partition), ("sk".to_owned(), text(name))])
}

/// One shard of a conversion guard's counter.
pub(in crate::store) fn guard_key(guard: &ConversionGuard, shard: u32) -> Item {
    lasting_key(&guard.scope, guard.name, shard)
}

/// When the table may delete a guard's counter that is not written again.
pub(in crate::store) fn guard_sweep(now: UnixTime) -> AttributeValue {
    sweep_after(now.plus(ConversionGuard::MEMORY))
}

/// Reads a guard's counter.
pub(in crate::store) fn guard_count(item: &Item) -> Result<GuardCount, Fault> {
    let number = |name| optional(item, name, |text| text.parse::<i64>().ok());
    let at = |name| {
        optional(item, name, |text| {
            text.parse().ok().map(UnixTime::from_millis)
        })
    };
    Ok(GuardCount {
        unproven: number("unproven")?.unwrap_or_default(),
        proven: number("proven")?.unwrap_or_default(),
        sent_at: at("sent_at")?,
        proven_at: at("proven_at")?,
    })
}
