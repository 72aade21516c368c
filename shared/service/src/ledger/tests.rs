use proptest::prelude::*;

use super::{ReplayedLogin, challenge};
use crate::table::{
    Item,
    attributes::{bytes, number, text},
    fixture::{ID, disturbed, tells_no_data},
};

/// Every attribute that is read.
const NAMES: &[&str] = &[
    "pk",
    "sk",
    "challenge_id",
    "claims",
    "counted_at",
    "digest",
    "expires_at",
    "found_user",
    "issued_at",
    "key_id",
    "requester",
    "spent_by",
    "user_id",
];

fn well_formed() -> Item {
    let pairs = [
        ("pk", text("email#alice@example.com")),
        ("sk", text(format!("challenge#{ID}"))),
        ("challenge_id", text(ID)),
        ("digest", bytes(&[7; 32])),
        ("requester", bytes(&[7; 16])),
        ("key_id", text("key")),
        ("issued_at", number(1_767_226_200_000u64)),
        ("expires_at", number(1_767_226_500_000u64)),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

proptest! {
    #![proptest_config(fuzz::config())]

    #[test]
    fn an_item_that_is_not_as_we_wrote_it_is_a_fault_of_the_table_that_tells_no_data(
        item in disturbed(well_formed(), NAMES),
    ) {
        let faults = [challenge::challenge(&item).err(), ReplayedLogin::read(&item).err()];
        for fault in faults.into_iter().flatten() {
            prop_assert!(tells_no_data(&fault, NAMES), "{}", fault);
        }
        let _ = challenge::message_page(&item);
    }
}

#[test]
fn a_challenge_and_a_replay_are_read_as_they_were_written() {
    let item = well_formed();
    assert_eq!(challenge::challenge(&item).unwrap().id.as_str(), ID);
    assert_eq!(
        ReplayedLogin::read(&item).unwrap().challenge_id.as_str(),
        ID
    );
}
