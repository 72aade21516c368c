use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{
    Destination, DigestKey, DigestKeyId, RefreshToken, Session, SessionLifetimes, UnixTime, UserId,
};
use proptest::{prelude::*, sample::select};
use rand::{SeedableRng, rngs::StdRng};

use super::{from_session, is_user, partitions, session_key, user, user_record};
use crate::table::{
    Item,
    attributes::{key_of, number, sweep_after, text},
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

fn key() -> DigestKey {
    DigestKey::new(DigestKeyId::new("key"), Box::new([3; 32]))
}

fn destination_of(name: &str) -> Destination {
    name.parse().unwrap()
}

const TO: &[&str] = &["alice@example.com", "Alice+1@Example.com", "+14155550123"];

fn session_of(to: &str, seed: u64) -> Session {
    let rng = &mut StdRng::seed_from_u64(seed);
    let token = RefreshToken::draw(UserId::draw(rng), rng);
    let lifetimes = SessionLifetimes {
        absolute: Duration::from_hours(720),
        idle: Duration::from_hours(168),
        grace: Duration::from_mins(1),
    };
    let now = UnixTime::from_millis(seed >> 8);
    let session = Session::start(&token, &destination_of(to), lifetimes, now);
    Session {
        new_user: seed.is_multiple_of(2),
        ..session
    }
}

proptest! {
    #[test]
    fn a_session_reads_back_as_it_was_written_and_is_swept_after_its_end(
        seed: u64, to in select(TO), is_sealed: bool,
    ) {
        let session = session_of(to, seed);
        let written = if is_sealed { session.sealed(&key()) } else { session };
        let item = from_session(&written);
        prop_assert_eq!(super::session(&item).unwrap(), written.clone());
        prop_assert_eq!(&item["expires_at_seconds"], &sweep_after(written.expires_at));
        prop_assert_eq!(key_of(&item), key_of(&session_key(&written.user, &written.id)));
    }

    #[test]
    fn no_item_is_swept_before_its_end(end in 0u64..1 << 50) {
        let sweep = sweep_after(UnixTime::from_millis(end));
        let seconds: u64 = sweep.as_n().unwrap().parse().unwrap();
        prop_assert!(seconds * 1000 >= end);
    }
}

#[test]
fn a_users_item_says_who_it_is_and_who_logged_in_last() {
    let mut item = well_formed();
    item.insert("pk".to_owned(), text("phone#+14155550123"));
    let names = ["phone#+14155550123", "email#alice@example.com"].map(str::to_owned);
    let read = |item: &Item| user_record(item).unwrap();
    assert_eq!(read(&item).destinations, [destination_of("+14155550123")]);
    assert!(!read(&item).disabled && read(&item).last_login_at.is_none());
    item.insert(
        "destinations".to_owned(),
        AttributeValue::Ss(names.to_vec()),
    );
    item.insert("last_login_at".to_owned(), number(7));
    item.insert("disabled_at".to_owned(), number(8));
    let record = read(&item);
    assert_eq!(
        record.destinations,
        [destination_of(TO[0]), destination_of(TO[2])]
    );
    let mut partitions = partitions(&record).as_ss().unwrap().clone();
    partitions.sort();
    assert_eq!(
        partitions,
        ["email#alice@example.com", "phone#+14155550123"]
    );
    // A tombstone's login is no login of this user, but voids earlier codes.
    assert_eq!(record.last_login_at, None);
    assert_eq!(
        user(&item).unwrap().last_login_at,
        Some(UnixTime::from_millis(7))
    );
    item.insert("last_login_by".to_owned(), text("u"));
    assert_eq!(read(&item).last_login_at, Some(UnixTime::from_millis(7)));
    assert!(read(&item).disabled && user(&item).unwrap().disabled);
    assert!(is_user(&item) && !is_user(&Item::new()));
}
