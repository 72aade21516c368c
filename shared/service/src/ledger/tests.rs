use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{
    Asker, CarriedUser, Challenge, Claims, ClientAddress, Delivery, Destination, Device, Devices,
    DigestKey, DigestKeyId, GuardCount, Policy, Purpose, UnixTime, UserId, issue,
};
use proptest::{prelude::*, sample::select};
use rand::{SeedableRng, rngs::StdRng};

use super::{
    ReplayedLogin, challenge,
    entry::{Owed, Sent, guard_count},
    replay::is_live,
};
use crate::table::{
    Item,
    attributes::{bytes, malformed, millis, number, text},
    fixture::{ID, disturbed, tells_no_data},
};

/// Every attribute that is read.
const NAMES: &[&str] = &[
    "pk",
    "sk",
    "challenge_id",
    "claims",
    "count",
    "counted_at",
    "device",
    "digits",
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
        ("digits", number(6)),
        ("device", bytes(&[7; 44])),
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
        let _ = challenge::message_pages(&item);
    }
}

fn key() -> DigestKey {
    DigestKey::new(DigestKeyId::new("key"), Box::new([3; 32]))
}

fn destination_of(name: &str) -> Destination {
    name.parse().unwrap()
}

const TO: &[&str] = &["alice@example.com", "Alice+1@Example.com", "+14155550123"];

fn challenge_to(to: &str, user: CarriedUser, seed: u64) -> Challenge {
    let rng = &mut StdRng::seed_from_u64(seed);
    let (policy, now) = (Policy::default(), UnixTime::from_millis(seed >> 8));
    let asker = Asker {
        device: Device::from_bytes(&[7; 44]).filter(|_| seed.is_multiple_of(2)),
        ..Asker::from(ClientAddress::from_gateway(Some("203.0.113.7")))
    };
    let is_fixed = seed.is_multiple_of(3);
    Challenge {
        user,
        ..issue(
            &destination_of(to),
            &asker,
            is_fixed,
            &policy,
            &key(),
            now,
            rng,
        )
    }
}

/// The item that a login writes for a challenge.
fn item_of(written: &Challenge, page: Option<&str>) -> Item {
    let mut item = challenge::key_of(&written.destination, &written.purpose, &written.id);
    let sent = Sent {
        counted_at: page.map(str::to_owned).into_iter().collect(),
        owed: Owed::default(),
        digits: written.digits,
        way: None,
    };
    let attributes = challenge::attributes(written, &sent).into_iter();
    item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    item
}

proptest! {
    #[test]
    fn a_challenge_reads_back_as_it_was_written_with_the_page_of_its_message(
        seed: u64, to in select(TO), who in 0..3, is_counted: bool,
    ) {
        let claims = Claims::parse(r#"{"plan":"gold"}"#).unwrap();
        let user = match who {
            0 => CarriedUser::Unread,
            1 => CarriedUser::Nobody,
            _ => CarriedUser::Known {
                id: UserId::from_table("u".to_owned()),
                claims,
                devices: Devices { issued: 3, ended: 1 },
            },
        };
        let purpose = if seed % 5 == 0 {
            Purpose::Adding(UserId::from_table("a#u".to_owned()))
        } else {
            Purpose::Login
        };
        let written = Challenge {
            purpose,
            ..challenge_to(to, user, seed)
        };
        let page = is_counted.then_some("prefix#+1#0|message");
        let item = item_of(&written, page);
        prop_assert!(challenge::challenge(&item).unwrap() == written);
        prop_assert_eq!(challenge::message_pages(&item), page.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_login_can_be_repeated_while_its_code_lives_and_it_was_or_may_be_completed() {
    let challenge = challenge_to(TO[0], CarriedUser::Unread, 1 << 40);
    let mut item = well_formed();
    item.insert("challenge_id".to_owned(), text(challenge.id.as_str()));
    item.insert("issued_at".to_owned(), millis(challenge.issued_at));
    item.insert("expires_at".to_owned(), millis(challenge.expires_at));
    let at = |seconds| challenge.issued_at.plus(Duration::from_secs(seconds));
    let moment = Duration::from_millis(1);
    assert!(is_live(&item, at(25).minus(moment)));
    assert!(!is_live(&item, at(25)));
    item.insert("seen_through".to_owned(), AttributeValue::Bool(true));
    assert!(is_live(&item, challenge.expires_at.minus(moment)));
    assert!(!is_live(&item, challenge.expires_at));
    assert!(!is_live(&Item::new(), at(0)));

    let replayed = |delivery: Option<&str>| {
        let mut item = item.clone();
        item.extend(delivery.map(|word| ("delivery".to_owned(), text(word))));
        ReplayedLogin::read(&item).unwrap()
    };
    for (word, delivery) in [
        (None, None),
        (Some("confirmed"), Some(Delivery::Confirmed)),
        (Some("unconfirmed"), Some(Delivery::Unconfirmed)),
        (Some("any other"), Some(Delivery::Unconfirmed)),
    ] {
        let login = replayed(word);
        assert_eq!(login.delivery, delivery);
        assert!(login.challenge_id == challenge.id && login.issued_at == challenge.issued_at);
        assert_eq!(login.expires_at, challenge.expires_at);
    }
}

#[test]
fn a_guards_counter_that_lacks_a_count_has_none() {
    let count = |pairs: &[(&str, &str)]| {
        let item = pairs
            .iter()
            .map(|(name, n)| ((*name).to_owned(), number(n)));
        guard_count(&item.collect())
    };
    assert_eq!(count(&[]), Ok(GuardCount::default()));
    let all = [
        ("unproven", "-1"),
        ("proven", "2"),
        ("sent_at", "3"),
        ("proven_at", "4"),
    ];
    let expected = GuardCount {
        unproven: -1,
        proven: 2,
        sent_at: Some(UnixTime::from_millis(3)),
        proven_at: Some(UnixTime::from_millis(4)),
    };
    assert_eq!(count(&all), Ok(expected));
    for (name, told) in [
        ("unproven", "count"),
        ("proven", "count"),
        ("sent_at", "sent_at"),
        ("proven_at", "proven_at"),
    ] {
        assert_eq!(count(&[(name, "1.5")]), Err(malformed(told)));
    }
}
