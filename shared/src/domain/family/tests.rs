use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::domain::EmailAddress;

const LIFETIMES: Lifetimes = Lifetimes {
    absolute: Duration::from_hours(720),
    idle: Duration::from_hours(168),
    grace: Duration::from_mins(1),
};

const START: UnixTime = UnixTime::from_secs(1_767_226_200);

fn family(seed: u64) -> (Family, RefreshToken, StdRng) {
    let mut rng = StdRng::seed_from_u64(seed);
    let token = RefreshToken::draw(UserId::draw(&mut rng), &mut rng);
    let alice = Destination::Email(EmailAddress::parse("alice@example.com").unwrap());
    let family = Family::start(&token, &alice, LIFETIMES, START);
    (family, token, rng)
}

/// The same token once more: tokens are not cloned in the product.
fn copy(token: &RefreshToken) -> RefreshToken {
    RefreshToken::parse(&token.expose_secret()).unwrap()
}

fn name(presented: &Presented) -> &'static str {
    match presented {
        Presented::Current => "current",
        Presented::Again(_) => "again",
        Presented::Copied => "copied",
        Presented::Expired => "expired",
    }
}

proptest! {
    #[test]
    fn a_token_reads_back_whole(seed: u64) {
        let (family, token, _) = family(seed);
        let back = copy(&token);
        prop_assert_eq!(back.digest(), token.digest());
        prop_assert_eq!(back.family(), family.name);
        prop_assert_eq!(back.user(), &family.user);
    }

    #[test]
    fn any_text_is_a_token_or_none(text in "\\PC*") {
        if let Some(token) = RefreshToken::parse(&text) {
            prop_assert_eq!(token.expose_secret(), text);
        }
    }

    #[test]
    fn no_flipped_bit_goes_unseen(seed: u64, place in 0usize..48, bit in 0u8..8) {
        let (family, token, _) = family(seed);
        let mut bytes = URL_SAFE_NO_PAD.decode(token.expose_secret()).unwrap();
        bytes[place] ^= 1 << bit;
        let forged = RefreshToken::parse(&URL_SAFE_NO_PAD.encode(bytes)).unwrap();
        let found = forged.family() == family.name;
        prop_assert_eq!(found, place >= 16);
        if found {
            prop_assert_eq!(name(&family.judge(&forged, LIFETIMES, START)), "copied");
        }
    }

    /// Refreshes at any pace: the current token is good until it or its family
    /// ends, the one before only within the grace, and for the same successor;
    /// older ones never.
    #[test]
    fn a_family_lives_on_in_one_token(
        seed: u64, waits in prop::collection::vec(0u64..900_000, 1..12), later in 0u64..1_000_000,
    ) {
        let (mut family, token, mut rng) = family(seed);
        let (mut now, mut tokens) = (START, vec![token]);
        for wait in waits {
            now = now.plus(Duration::from_secs(wait));
            let token = tokens.last().unwrap();
            let alive = now < family.expires_at;
            prop_assert_eq!(name(&family.judge(token, LIFETIMES, now)), if alive { "current" } else { "expired" });
            if alive {
                let salt = Salt::draw(&mut rng);
                let successor = token.successor(&salt);
                family = family.refreshed(token, salt, LIFETIMES, now);
                tokens.push(successor);
            }
        }
        let refreshed_at = family.refreshed_at;
        let now = now.max(refreshed_at.plus(Duration::from_millis(later)));
        let expired = now >= family.expires_at;
        for (age, token) in tokens.iter().rev().enumerate() {
            let presented = family.judge(token, LIFETIMES, now);
            let expected = match age {
                _ if expired => "expired",
                0 => "current",
                1 if now < refreshed_at.plus(LIFETIMES.grace) => "again",
                _ => "copied",
            };
            prop_assert_eq!(name(&presented), expected);
            if let Presented::Again(successor) = presented {
                prop_assert_eq!(successor.digest(), tokens.last().unwrap().digest());
            }
        }
        prop_assert!(family.expires_at <= START.plus(LIFETIMES.absolute));
        prop_assert_eq!(family.ends_at, START.plus(LIFETIMES.absolute));
    }

    #[test]
    fn no_debug_form_shows_a_secret(seed: u64) {
        let (family, token, _) = family(seed);
        let shown = format!("{token:?} {:?} {family:?}", Salt::draw(&mut StdRng::seed_from_u64(seed)));
        let secret = token.expose_secret();
        prop_assert!(!shown.contains(&secret[22..60]), "{shown}");
    }
}

#[test]
fn the_salt_alone_makes_no_successor_and_two_salts_make_two() {
    let (_, token, mut rng) = family(1);
    let (_, stranger, _) = family(2);
    let (salt, other) = (Salt::draw(&mut rng), Salt::draw(&mut rng));
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
