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
