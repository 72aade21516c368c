use std::collections::HashMap;

use super::*;
use aws_sdk_dynamodb::primitives::Blob;
use proptest::{prelude::*, sample::select};

/// Every attribute that is read.
const NAMES: &[&str] = &[
    "pk",
    "sk",
    "challenge_id",
    "created_at",
    "destination",
    "destinations",
    "digest",
    "disabled_at",
    "expires_at",
    "issued_at",
    "key_id",
    "requester",
    "last_login_at",
    "last_login_by",
    "unproven",
    "user_id",
    "sent_to",
    "challenge#r5BuMb9vjKaMlD76sIa5SQ",
    "spent#r5BuMb9vjKaMlD76sIa5SQ",
];

const ID: &str = "r5BuMb9vjKaMlD76sIa5SQ";

const TEXTS: &[&str] = &[
    "r5BuMb9vjKaMlD76sIa5SQ",
    "email#alice@example.com",
    "sms#+14155550123",
    "18446744073709551615",
    "1767226200000",
    "-1",
    "1E3",
    "#",
];

fn value() -> impl Strategy<Value = AttributeValue> {
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
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            prop::collection::hash_map(select(NAMES).prop_map(str::to_owned), inner, 0..4)
                .prop_map(AttributeValue::M),
        ]
    })
}

/// The attributes of a challenge and of a user, in one item that holds the challenge too.
fn well_formed() -> Item {
    let mut item = flat();
    let name = challenge_name(&ChallengeId::parse(ID).unwrap());
    item.insert(name, AttributeValue::M(flat()));
    item
}

fn flat() -> Item {
    let pairs = [
        ("pk", text("email#alice@example.com")),
        ("sk", text("sends#1767225600")),
        ("sent_to", text("email#alice@example.com")),
        ("challenge_id", text("r5BuMb9vjKaMlD76sIa5SQ")),
        ("destination", text("email#alice@example.com")),
        ("digest", AttributeValue::B(Blob::new([7; 32]))),
        ("requester", AttributeValue::B(Blob::new([7; 16]))),
        ("key_id", text("key")),
        ("user_id", text("0Yb1uTQ1VZt9cJ7mXxk2Ew")),
        ("issued_at", number(1_767_226_200_000u64)),
        ("expires_at", number(1_767_226_500_000u64)),
        ("created_at", number(1_767_226_200_000u64)),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

fn disturb(item: &mut Item, changes: &HashMap<&'static str, AttributeValue>, lost: &[&str]) {
    let changes = changes.iter();
    item.extend(changes.map(|(name, value)| ((*name).to_owned(), value.clone())));
    for name in lost {
        item.remove(*name);
    }
}

proptest! {
    #![proptest_config(fuzz::config())]

    #[test]
    fn an_item_that_is_not_as_we_wrote_it_is_a_fault_of_the_table_that_tells_no_data(
        changes in prop::collection::hash_map(select(NAMES), value(), 0..5),
        lost in prop::collection::vec(select(NAMES), 0..3),
        inside: bool,
    ) {
        let id = ChallengeId::parse(ID).unwrap();
        let mut item = well_formed();
        if inside {
            let mut challenge = flat();
            disturb(&mut challenge, &changes, &lost);
            item.insert(challenge_name(&id), AttributeValue::M(challenge));
        } else {
            disturb(&mut item, &changes, &lost);
        }
        let faults = [
            challenge(&item, &id).err(),
            challenges(&item).err(),
            replayed_login(&item).err(),
            user(&item).err(),
            user_record(&item).err(),
        ];
        for fault in faults.into_iter().flatten() {
            prop_assert_eq!(fault.dependency, Dependency::Table);
            let name = fault.cause.strip_prefix("malformed attribute ");
            let is_known = |name| NAMES.contains(&name) || name == "challenge";
            prop_assert!(name.is_some_and(is_known), "{}", fault);
        }
        let _ = (conversion_counter(&item, &id), spent_by(&item, &id), is_user(&item));
    }
}
