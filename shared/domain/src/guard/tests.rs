use super::*;
use proptest::prelude::*;

const NOW: UnixTime = UnixTime::from_secs(1_767_226_200);

fn guard(room: u32) -> ConversionGuard {
    ConversionGuard {
        scope: Scope::Deployment,
        name: "any",
        room,
    }
}

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
    let guard = guard(3);
    for unproven in 0..3 {
        assert_eq!(guard.judge(0, &full(unproven), NOW), GuardVerdict::Open);
    }
    assert_eq!(
        guard.judge(0, &full(3), NOW),
        GuardVerdict::Closed(Duration::from_secs(5))
    );
    // One of three comes back, and two more are sent.
    assert_eq!(guard.judge(0, &proven(full(2), 1), NOW), GuardVerdict::Open);
    let eased = proven(full(2), 0);
    assert_eq!(
        guard.judge(0, &proven(full(3), 1), NOW),
        GuardVerdict::Eased(eased)
    );
    assert!(matches!(
        guard.judge(0, &proven(full(3), 0), NOW),
        GuardVerdict::Closed(_)
    ));
}

#[test]
fn an_idle_counter_forgives_its_room_within_a_day() {
    let guard = guard(4);
    let hours = |n| NOW.plus(Duration::from_hours(n));
    assert_eq!(
        guard.judge(0, &full(4), hours(2)),
        GuardVerdict::Closed(Duration::from_hours(4))
    );
    assert_eq!(
        guard.judge(0, &full(4), hours(6)),
        GuardVerdict::Eased(full(3))
    );
    assert_eq!(
        guard.judge(0, &full(4), hours(100)),
        GuardVerdict::Eased(full(0))
    );
}

#[test]
fn codes_that_came_back_are_trusted_for_a_week_and_for_three_rooms() {
    let guard = guard(10);
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
    assert_eq!(guard.judge(0, &count, week), GuardVerdict::Eased(eased));
    let later = week.plus(Duration::from_millis(1));
    assert!(matches!(
        guard.judge(0, &count, later),
        GuardVerdict::Closed(_)
    ));
}

#[test]
fn a_guard_has_as_many_counters_as_a_limit_of_its_size_and_tells_the_same() {
    assert_eq!((guard(50).shards(), guard(5000).shards()), (2, 16));
    assert_eq!(guard(50).kind(), LimitKind::Deployment);
}

#[test]
fn for_two_minutes_after_a_message_codes_may_be_coming_back() {
    let wait = |millis| match guard(4).judge(0, &full(4), NOW.plus(Duration::from_millis(millis))) {
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
    assert_eq!(guard(4).judge(0, &count, NOW), eased);
}

#[test]
fn codes_that_came_back_are_forgotten_with_the_trust_in_them() {
    let count = GuardCount {
        proven_at: Some(NOW.minus(Duration::from_hours(8 * 24))),
        ..proven(full(4), 9)
    };
    let GuardVerdict::Eased(eased) = guard(4).judge(0, &count, NOW.plus(Duration::from_hours(6)))
    else {
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
        let guard = guard(room);
        let mut sent = 0;
        for shard in 0..guard.shards() {
            let mut count = proven(full(0), earlier);
            loop {
                match guard.judge(shard, &count, NOW) {
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
        let guard = guard(room);
        let (count, now) = (full(guard.share(0).into()), NOW.plus(Duration::from_secs(idle)));
        if let GuardVerdict::Closed(wait) = guard.judge(0, &count, now) {
            prop_assert!(wait > Duration::ZERO);
            let before = now.plus(wait).minus(Duration::from_millis(1));
            prop_assert!(matches!(guard.judge(0, &count, before), GuardVerdict::Closed(_)));
            prop_assert!(matches!(guard.judge(0, &count, now.plus(wait)), GuardVerdict::Eased(_)));
        }
    }
}
