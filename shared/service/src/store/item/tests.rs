use proptest::prelude::*;

use super::{is_user, user, user_record};
use crate::table::{
    Item,
    attributes::{number, text},
    fixture::{disturbed, tells_no_data},
};

/// Every attribute that is read.
const NAMES: &[&str] = &[
    "pk",
    "sk",
    "claims",
    "created_at",
    "destinations",
    "disabled_at",
    "last_login_at",
    "last_login_by",
    "user_id",
];

fn well_formed() -> Item {
    let pairs = [
        ("pk", text("email#alice@example.com")),
        ("sk", text("user")),
        ("user_id", text("0Yb1uTQ1VZt9cJ7mXxk2Ew")),
        ("created_at", number(1_767_226_200_000u64)),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

proptest! {
    #![proptest_config(fuzz::config())]

    #[test]
    fn a_user_that_is_not_as_we_wrote_it_is_a_fault_of_the_table_that_tells_no_data(
        item in disturbed(well_formed(), NAMES),
    ) {
        for fault in [user(&item).err(), user_record(&item).err()].into_iter().flatten() {
            prop_assert!(tells_no_data(&fault, NAMES), "{}", fault);
        }
        let _ = is_user(&item);
    }
}

#[test]
fn a_user_is_read_as_it_was_written() {
    let item = well_formed();
    assert!(is_user(&item));
    assert_eq!(user(&item).unwrap().id.as_str(), "0Yb1uTQ1VZt9cJ7mXxk2Ew");
    assert_eq!(user_record(&item).unwrap().destinations.len(), 1);
}
