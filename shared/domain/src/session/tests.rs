use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::EmailAddress;

const LIFETIMES: SessionLifetimes = SessionLifetimes {
    absolute: Duration::from_hours(720),
    idle: Duration::from_hours(168),
    grace: Duration::from_mins(1),
};

const START: UnixTime = UnixTime::from_secs(1_767_226_200);

fn session(seed: u64) -> (Session, RefreshToken, StdRng) {
    let mut rng = StdRng::seed_from_u64(seed);
    let token = RefreshToken::draw(UserId::draw(&mut rng), &mut rng);
    let alice = Destination::Email(EmailAddress::parse("alice@example.com").unwrap());
    let session = Session::start(&token, &alice, LIFETIMES, START);
    (session, token, rng)
}

/// A copy of the token: the product cannot clone one.
fn copy(token: &RefreshToken) -> RefreshToken {
    RefreshToken::parse(&token.expose_secret()).unwrap()
}

fn name(presented: &Presentation) -> &'static str {
    match presented {
        Presentation::Current => "current",
        Presentation::Retried(_) => "retried",
        Presentation::Reused => "reused",
        Presentation::Expired => "expired",
    }
}

proptest! {
    #[test]
    fn a_token_reads_back_whole(seed: u64) {
        let (session, token, _) = session(seed);
        let back = copy(&token);
        prop_assert_eq!(back.digest(), token.digest());
        prop_assert_eq!(back.session_id(), session.id);
        prop_assert_eq!(back.user(), &session.user);
    }

    #[test]
    fn what_the_table_keeps_of_a_token_reads_back(seed: u64) {
        let (session, token, mut rng) = session(seed);
        let salt = RotationSalt::draw(&mut rng);
        let (kept, digest) = (salt.as_ref().to_vec(), token.digest());
        let read = RotationSalt::try_from(kept.as_slice()).unwrap();
        prop_assert_eq!(token.successor(&read).digest(), token.successor(&salt).digest());
        let read = RefreshTokenDigest::try_from(digest.as_ref()).unwrap();
        prop_assert_eq!(read, digest);
        prop_assert_eq!(SessionId::new(session.id.as_str().to_owned()), session.id);
        prop_assert_eq!(UserId::from_table(session.user.as_str().to_owned()), session.user);
        for length in [0, 31, 33] {
            let bytes = vec![7; length];
            prop_assert!(RefreshTokenDigest::try_from(bytes.as_slice()).is_err());
            prop_assert!(RotationSalt::try_from(bytes.as_slice()).is_err());
        }
    }

    #[test]
    fn any_text_is_a_token_or_none(text in "\\PC*") {
        if let Some(token) = RefreshToken::parse(&text) {
            prop_assert_eq!(token.expose_secret(), text);
        }
    }

    #[test]
    fn no_flipped_bit_goes_unseen(seed: u64, place in 0usize..48, bit in 0u8..8) {
        let (session, token, _) = session(seed);
        let mut bytes = URL_SAFE_NO_PAD.decode(token.expose_secret()).unwrap();
        bytes[place] ^= 1 << bit;
        let forged = RefreshToken::parse(&URL_SAFE_NO_PAD.encode(bytes)).unwrap();
        let found = forged.session_id() == session.id;
        prop_assert_eq!(found, place >= 16);
        if found {
            prop_assert_eq!(name(&session.judge(&forged, LIFETIMES, START)), "reused");
        }
    }

    /// Refreshes at any pace. The current token is valid until it expires. The
    /// previous one returns the same successor within the grace period. Older
    /// ones are never valid.
    #[test]
    fn a_session_lives_on_in_one_token(
        seed: u64, waits in prop::collection::vec(0u64..900_000, 1..12), later in 0u64..1_000_000,
    ) {
        let (mut session, token, mut rng) = session(seed);
        let (mut now, mut tokens) = (START, vec![token]);
        for wait in waits {
            now = now.plus(Duration::from_secs(wait));
            let token = tokens.last().unwrap();
            let alive = now < session.expires_at;
            prop_assert_eq!(name(&session.judge(token, LIFETIMES, now)), if alive { "current" } else { "expired" });
            if alive {
                let salt = RotationSalt::draw(&mut rng);
                let successor = token.successor(&salt);
                session = session.refreshed(token, salt, LIFETIMES, now);
                tokens.push(successor);
            }
        }
        let refreshed_at = session.refreshed_at;
        let now = now.max(refreshed_at.plus(Duration::from_millis(later)));
        let expired = now >= session.expires_at;
        for (age, token) in tokens.iter().rev().enumerate() {
            let presented = session.judge(token, LIFETIMES, now);
            let expected = match age {
                _ if expired => "expired",
                0 => "current",
                1 if now < refreshed_at.plus(LIFETIMES.grace) => "retried",
                _ => "reused",
            };
            prop_assert_eq!(name(&presented), expected);
            if let Presentation::Retried(successor) = presented {
                prop_assert_eq!(successor.digest(), tokens.last().unwrap().digest());
            }
        }
        prop_assert!(session.expires_at <= START.plus(LIFETIMES.absolute));
        prop_assert_eq!(session.ends_at, START.plus(LIFETIMES.absolute));
    }

    #[test]
    fn no_debug_form_shows_a_secret(seed: u64) {
        let (session, token, _) = session(seed);
        let shown = format!("{token:?} {:?} {session:?}", RotationSalt::draw(&mut StdRng::seed_from_u64(seed)));
        let secret = token.expose_secret();
        prop_assert!(!shown.contains(&secret[22..60]), "{shown}");
    }
}

#[test]
fn a_refresh_renews_the_idle_time_and_never_the_end_of_the_session() {
    let (session, token, mut rng) = session(1);
    let mut refresh = |hours| {
        let now = START.plus(Duration::from_hours(hours));
        let salt = RotationSalt::draw(&mut rng);
        (session.refreshed(&token, salt, LIFETIMES, now), now)
    };
    assert_eq!(session.expires_at, START.plus(LIFETIMES.idle));
    let (refreshed, now) = refresh(100);
    assert_eq!(refreshed.refreshed_at, now);
    assert_eq!(refreshed.expires_at, now.plus(LIFETIMES.idle));
    let (refreshed, _) = refresh(700);
    assert_eq!(refreshed.expires_at, START.plus(LIFETIMES.absolute));
    assert_eq!(refreshed.ends_at, session.ends_at);
    let kept = |it: &Session| (it.id.clone(), it.user.clone(), it.created_at);
    assert_eq!(kept(&refreshed), kept(&session));
}

#[test]
fn grace_and_life_end_to_the_millisecond() {
    let (session, token, mut rng) = session(1);
    let moment = Duration::from_millis(1);
    let judged = |session: &Session, at| name(&session.judge(&token, LIFETIMES, at));
    assert_eq!(
        judged(&session, session.expires_at.minus(moment)),
        "current"
    );
    assert_eq!(judged(&session, session.expires_at), "expired");
    let refreshed = session.refreshed(&token, RotationSalt::draw(&mut rng), LIFETIMES, START);
    let over = START.plus(LIFETIMES.grace);
    assert_eq!(judged(&refreshed, over.minus(moment)), "retried");
    assert_eq!(judged(&refreshed, over), "reused");
}

#[test]
fn within_the_grace_period_only_the_previous_token_is_retried() {
    let (session, first, mut rng) = session(1);
    let salt = RotationSalt::draw(&mut rng);
    let second = first.successor(&salt);
    let session = session.refreshed(&first, salt, LIFETIMES, START);
    let session = session.refreshed(&second, RotationSalt::draw(&mut rng), LIFETIMES, START);
    let judged = |token| name(&session.judge(token, LIFETIMES, START));
    assert_eq!((judged(&second), judged(&first)), ("retried", "reused"));
}

#[test]
fn a_token_names_a_user_of_at_most_128_bytes() {
    let of = |user: &[u8]| URL_SAFE_NO_PAD.encode([&[7; 48], user].concat());
    for (length, is_token) in [(0, false), (1, true), (128, true), (129, false)] {
        let text = of(&vec![b'u'; length]);
        assert_eq!(RefreshToken::parse(&text).is_some(), is_token, "{length}");
    }
    assert!(RefreshToken::parse(&of(b"\xff")).is_none());
}

#[test]
fn the_salt_alone_makes_no_successor_and_two_salts_make_two() {
    let (_, token, mut rng) = session(1);
    let (_, stranger, _) = session(2);
    let (salt, other) = (RotationSalt::draw(&mut rng), RotationSalt::draw(&mut rng));
    assert_eq!(
        token.successor(&salt).digest(),
        copy(&token).successor(&salt).digest()
    );
    assert_ne!(
        token.successor(&salt).digest(),
        token.successor(&other).digest()
    );
    assert_ne!(
        token.successor(&salt).digest(),
        stranger.successor(&salt).digest()
    );
}
