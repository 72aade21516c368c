use super::*;
use proptest::prelude::*;

const NOW: UnixTime = UnixTime::from_secs(1_767_226_200);

fn full(unproven: i64) -> GuardCount {
    GuardCount {
        unproven,
        sent_at: Some(NOW),
        ..GuardCount::default()
    }
}

fn proven(count: GuardCount, proven: i64) -> GuardCount {
    GuardCount {
        proven,
        proven_at: Some(NOW),
        ..count
    }
}

#[test]
fn the_room_is_used_up_exactly_and_a_code_that_comes_back_makes_room_for_two() {
    const ROOM: u32 = 3;
    for unproven in 0..3 {
        assert_eq!(full(unproven).judge(ROOM, NOW), GuardVerdict::Open);
    }
    assert_eq!(
        full(3).judge(ROOM, NOW),
        GuardVerdict::Closed(Duration::from_secs(5))
    );
    // One of three comes back, and two more are sent.
    assert_eq!(proven(full(2), 1).judge(ROOM, NOW), GuardVerdict::Open);
    let eased = proven(full(2), 0);
    assert_eq!(
        proven(full(3), 1).judge(ROOM, NOW),
        GuardVerdict::Eased(eased)
    );
    assert!(matches!(
        proven(full(3), 0).judge(ROOM, NOW),
        GuardVerdict::Closed(_)
    ));
}

#[test]
fn an_idle_counter_forgives_its_room_within_a_day() {
    const ROOM: u32 = 4;
    let hours = |n| NOW.plus(Duration::from_hours(n));
    assert_eq!(
        full(4).judge(ROOM, hours(2)),
        GuardVerdict::Closed(Duration::from_hours(4))
    );
    assert_eq!(full(4).judge(ROOM, hours(6)), GuardVerdict::Eased(full(3)));
    assert_eq!(
        full(4).judge(ROOM, hours(100)),
        GuardVerdict::Eased(full(0))
    );
}

#[test]
fn codes_that_came_back_are_trusted_for_a_week_and_for_three_rooms() {
    const ROOM: u32 = 10;
    let week = NOW.plus(Duration::from_hours(7 * 24));
    let count = GuardCount {
        sent_at: Some(week),
        ..proven(full(10), 1000)
    };
    let eased = GuardCount {
        unproven: 0,
        proven: 20,
        ..count
    };
    assert_eq!(count.judge(ROOM, week), GuardVerdict::Eased(eased));
    let later = week.plus(Duration::from_millis(1));
    assert!(matches!(count.judge(ROOM, later), GuardVerdict::Closed(_)));
}

#[test]
fn for_two_minutes_after_a_message_codes_may_be_coming_back() {
    let wait = |millis| match full(4).judge(4, NOW.plus(Duration::from_millis(millis))) {
        GuardVerdict::Closed(wait) => wait,
        open => panic!("{open:?}"),
    };
    assert_eq!(wait(119_999), Duration::from_secs(5));
    assert_eq!(
        wait(120_000),
        Duration::from_hours(6) - Duration::from_mins(2)
    );
}

#[test]
fn a_counter_that_tells_no_message_has_been_idle_for_a_day() {
    let count = GuardCount {
        unproven: 4,
        ..GuardCount::default()
    };
    let eased = GuardVerdict::Eased(GuardCount::default());
    assert_eq!(count.judge(4, NOW), eased);
}

#[test]
fn codes_that_came_back_are_forgotten_with_the_trust_in_them() {
    let count = GuardCount {
        proven_at: Some(NOW.minus(Duration::from_hours(8 * 24))),
        ..proven(full(4), 9)
    };
    let GuardVerdict::Eased(eased) = count.judge(4, NOW.plus(Duration::from_hours(6))) else {
        panic!("not eased");
    };
    assert_eq!((eased.unproven, eased.proven), (3, 0));
}

proptest! {
    #![proptest_config(fuzz::config())]

    #[test]
    fn a_run_of_which_nothing_comes_back_gets_at_most_four_rooms(
        room in 1u32..100,
        earlier in 0i64..1000,
    ) {
        let mut sent = 0;
        // However the room is shared out.
        for share in [room / 3, room - room / 3] {
            let mut count = proven(full(0), earlier);
            loop {
                match count.judge(share, NOW) {
                    GuardVerdict::Open => {}
                    GuardVerdict::Eased(eased) => count = eased,
                    GuardVerdict::Closed(_) => break,
                }
                count.unproven += 1;
                sent += 1;
                prop_assert!(sent <= i64::from(4 * room));
            }
        }
        prop_assert!(earlier > 0 || sent == i64::from(room));
    }

    #[test]
    fn a_closed_counter_opens_when_the_wait_that_it_tells_is_over_and_nothing_is_sent(
        room in 1u32..200,
        idle in 120u64..1_000_000,
    ) {
        let (count, now) = (full(room.into()), NOW.plus(Duration::from_secs(idle)));
        if let GuardVerdict::Closed(wait) = count.judge(room, now) {
            prop_assert!(wait > Duration::ZERO);
            let before = now.plus(wait).minus(Duration::from_millis(1));
            prop_assert!(matches!(count.judge(room, before), GuardVerdict::Closed(_)));
            prop_assert!(matches!(count.judge(room, now.plus(wait)), GuardVerdict::Eased(_)));
        }
    }
}
