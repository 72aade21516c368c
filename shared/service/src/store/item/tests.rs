use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{
    Claims, Destination, DigestKey, DigestKeyId, OwnDestination, RefreshToken, Session,
    SessionLifetimes, UnixTime, UserId, UserRecord,
};
use proptest::{prelude::*, sample::select};
use rand::{SeedableRng, rngs::StdRng};

use super::{from_record, from_session, is_user, last_login, record, session_key, user};
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
    "count",
    "created_at",
    "destinations",
    "disabled_at",
    "last_login_at",
    "last_login_by",
    "user_id",
    "version",
];

fn well_formed() -> Item {
    let all = [
        ("email#alice@example.com", number(7)),
        ("phone#+14155550123", number(8)),
    ];
    let all = all.map(|(name, at)| (name.to_owned(), at));
    let pairs = [
        ("pk", text("user#0Yb1uTQ1VZt9cJ7mXxk2Ew")),
        ("sk", text("user")),
        ("destinations", AttributeValue::M(all.into())),
        ("user_id", text("0Yb1uTQ1VZt9cJ7mXxk2Ew")),
        ("created_at", number(1_767_226_200_000u64)),
        ("version", number(3)),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

proptest! {
    #![proptest_config(fuzz::config())]

    #[test]
    fn a_user_that_is_not_as_we_wrote_it_is_a_fault_of_the_table_that_tells_no_data(
        item in disturbed(well_formed(), NAMES),
    ) {
        let faults = [user(&item).err(), record(&item).err(), last_login(&item).err()];
        for fault in faults.into_iter().flatten() {
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
fn a_users_own_item_reads_back_as_it_was_written() {
    let mut item = well_formed();
    item.remove("user_id");
    let own = |text: &str, at| OwnDestination {
        destination: destination_of(text),
        added_at: UnixTime::from_millis(at),
    };
    let mut user = UserRecord {
        destinations: vec![own(TO[0], 7), own(TO[2], 8)],
        version: 3,
        ..UserRecord::signed_up(
            UserId::from_table("0Yb1uTQ1VZt9cJ7mXxk2Ew".to_owned()),
            &destination_of(TO[0]),
            UnixTime::from_millis(1_767_226_200_000),
        )
    };
    assert_eq!(record(&item).as_ref(), Ok(&user));
    assert_eq!(from_record(&user), item);
    user.disabled_at = Some(UnixTime::from_millis(9));
    user.claims = Claims::parse(r#"{"plan":"gold"}"#).unwrap();
    let written = from_record(&user);
    let read = record(&written).unwrap();
    assert!(read.is_disabled() && read.claims.written() == user.claims.written());
    assert_eq!(from_record(&read), written);
}

#[test]
fn a_tombstones_login_voids_earlier_codes_and_is_no_login_of_the_next_user() {
    let mut item = well_formed();
    item.insert("last_login_at".to_owned(), number(7));
    let at = Some(UnixTime::from_millis(7));
    assert_eq!(last_login(&item), Ok(None));
    assert_eq!(user(&item).unwrap().last_login_at, at);
    item.insert("last_login_by".to_owned(), text("u"));
    assert_eq!(last_login(&item), Ok(at));
    item.insert("disabled_at".to_owned(), number(8));
    assert!(user(&item).unwrap().disabled);
    assert!(is_user(&item) && !is_user(&Item::new()));
}
