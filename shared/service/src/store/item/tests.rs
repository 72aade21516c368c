use std::collections::HashMap;

use super::*;
use aws_sdk_dynamodb::primitives::Blob;
use otp_domain::{
    CarriedUser, Claims, ClientAddress, DigestKey, DigestKeyId, GuardCount, Passcode, Policy,
    RefreshToken, Session, SessionLifetimes, UserId, issue,
};
use proptest::{prelude::*, sample::select};
use rand::{SeedableRng, rngs::StdRng};

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
    let code = Passcode::draw(6, rng);
    let client = ClientAddress::from_gateway(Some("203.0.113.7"));
    Challenge {
        user,
        ..issue(
            &destination_of(to),
            &client,
            &code,
            &policy,
            &key(),
            now,
            rng,
        )
    }
}

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
    fn a_challenge_reads_back_as_it_was_written_with_the_counter_of_its_message(
        seed: u64, to in select(TO), who in 0..3, is_counted: bool,
    ) {
        let claims = Claims::parse(r#"{"plan":"gold"}"#).unwrap();
        let user = match who {
            0 => CarriedUser::Unread,
            1 => CarriedUser::Nobody,
            _ => CarriedUser::Known { id: UserId::from_table("u".to_owned()), claims },
        };
        let written = challenge_to(to, user, seed);
        let counter = is_counted.then(|| key_item("prefix#+1#0"));
        let name = challenge_name(&written.id);
        let item = Item::from([(name, from_challenge(&written, counter.clone()))]);
        let read = challenge(&item, &written.id).unwrap();
        prop_assert!(read.as_ref() == Some(&written));
        prop_assert!(challenges(&item).unwrap() == [written.clone()]);
        prop_assert_eq!(conversion_counter(&item, &written.id), counter);
        let other = ChallengeId::parse(ID).unwrap();
        prop_assert!(challenge(&item, &other).unwrap().is_none());
    }

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

fn key_item(partition: &str) -> Item {
    Item::from([("pk".to_owned(), text(partition))])
}

#[test]
fn a_login_can_be_repeated_while_its_code_lives_and_it_was_or_may_be_completed() {
    let challenge = challenge_to(TO[0], CarriedUser::Unread, 1 << 40);
    let key = IdempotencyKey::parse("8e03978e-40d5-43dd-bc93-6894a57f9324").unwrap();
    let mut item = from_request(&key, &challenge);
    let at = |seconds| challenge.issued_at.plus(Duration::from_secs(seconds));
    let moment = Duration::from_millis(1);
    assert!(is_live_request(&item, at(25).minus(moment)));
    assert!(!is_live_request(&item, at(25)));
    assert_eq!(abandoned_before(at(25)), millis(challenge.issued_at));
    item.insert("seen_through".to_owned(), AttributeValue::Bool(true));
    assert!(is_live_request(&item, challenge.expires_at.minus(moment)));
    assert!(!is_live_request(&item, challenge.expires_at));
    assert!(!is_live_request(&Item::new(), at(0)));

    let replayed = |delivery: Option<&str>| {
        let mut item = item.clone();
        item.extend(delivery.map(|word| ("delivery".to_owned(), text(word))));
        replayed_login(&item).unwrap()
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
    for name in ["unproven", "proven", "sent_at", "proven_at"] {
        assert_eq!(count(&[(name, "1.5")]), Err(malformed(name)));
    }
}

#[test]
fn a_users_item_says_who_it_is_and_who_logged_in_last() {
    let mut item = flat();
    item.insert("pk".to_owned(), text("sms#+14155550123"));
    let names = ["sms#+14155550123", "email#alice@example.com"].map(str::to_owned);
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
    assert_eq!(partitions, ["email#alice@example.com", "sms#+14155550123"]);
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
