//! Items that are not as we wrote them.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use proptest::{prelude::*, sample::select};

use super::Item;
use crate::fault::{Dependency, Fault};

/// A challenge's id.
pub(crate) const ID: &str = "r5BuMb9vjKaMlD76sIa5SQ";

const TEXTS: &[&str] = &[
    ID,
    "email#alice@example.com",
    "phone#+14155550123",
    "18446744073709551615",
    "1767226200000",
    "-1",
    "1E3",
    "#",
];

fn value(names: &'static [&'static str]) -> impl Strategy<Value = AttributeValue> {
    let text = || fuzz::text(TEXTS);
    let texts = || prop::collection::vec(text(), 0..4);
    let leaf = prop_oneof![
        4 => text().prop_map(AttributeValue::S),
        4 => text().prop_map(AttributeValue::N),
        2 => prop::collection::vec(any::<u8>(), 0..40).prop_map(|b| AttributeValue::B(Blob::new(b))),
        2 => texts().prop_map(AttributeValue::Ss),
        1 => texts().prop_map(AttributeValue::Ns),
        1 => any::<bool>().prop_map(AttributeValue::Bool),
        1 => any::<bool>().prop_map(AttributeValue::Null),
    ];
    leaf.prop_recursive(2, 8, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            prop::collection::hash_map(select(names).prop_map(str::to_owned), inner, 0..4)
                .prop_map(AttributeValue::M),
        ]
    })
}

/// This item, with some of its attributes changed or lost.
pub(crate) fn disturbed(item: Item, names: &'static [&'static str]) -> impl Strategy<Value = Item> {
    let changes = prop::collection::hash_map(select(names), value(names), 0..5);
    let lost = prop::collection::vec(select(names), 0..3);
    (changes, lost).prop_map(move |(changes, lost): (HashMap<_, _>, Vec<_>)| {
        let changes = changes.into_iter();
        let mut item = item.clone();
        item.extend(changes.map(|(name, value)| (name.to_owned(), value)));
        item.retain(|name, _| !lost.contains(&name.as_str()));
        item
    })
}

/// Whether this is a fault of the table that names one of these attributes, and no data.
pub(crate) fn tells_no_data(fault: &Fault, names: &[&str]) -> bool {
    let cause = fault.cause.to_string();
    let name = cause.strip_prefix("malformed attribute ");
    fault.dependency == Dependency::Table && name.is_some_and(|name| names.contains(&name))
}
