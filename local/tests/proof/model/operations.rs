//! What may happen in a story.

use std::time::Duration;

use proptest::{option, prelude::*, sample::select};

use crate::faults::Call;

/// Destinations of a story: two addresses, and a number of each allowed prefix.
pub const DESTINATIONS: usize = 4;
/// Clients that ask for codes; each may do so once an hour.
const CLIENTS: usize = 12;

#[derive(Clone, Debug)]
pub enum Operation {
    Login {
        to: usize,
        client: usize,
        /// Which idempotency key, if any.
        key: Option<usize>,
        weather: Weather,
    },
    Validate {
        to: usize,
        /// Which challenge: 0 is the newest.
        back: usize,
        /// Whether the claim names it.
        named: bool,
        guess: Guess,
        client: usize,
        weather: Weather,
    },
    Refresh {
        back: usize,
        token: Which,
        weather: Weather,
    },
    LogOut {
        back: usize,
        token: Which,
        all: bool,
        weather: Weather,
    },
    /// The last request once more.
    Again {
        weather: Weather,
    },
    Wait(Wait),
}

#[derive(Clone, Copy, Debug)]
pub enum Guess {
    Right,
    Wrong,
    /// The code of the challenge before.
    Older,
    Malformed,
}

/// Which token of a family.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    Current,
    Previous,
    First,
    Forged,
}

#[derive(Clone, Copy, Debug)]
pub enum Wait {
    For(Duration),
    /// Until so long before the next hour, or day, begins.
    Until {
        day: bool,
        before: Duration,
    },
}

/// What goes wrong during a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// The providers refuse every message.
    pub refusing: bool,
    pub fault: Option<(Call, Trouble)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// One answer is lost; the repeated call gets one.
    LostOnce,
    /// Every answer is lost.
    Lost,
    /// Nothing is done.
    Refused,
}

/// Calls that fail in stories, by request: all but those of a cold start, of
/// which a story has none, and those whose failure nobody can see.
const OF_LOGIN: [Call; 6] = [
    Call::Admit,
    Call::User,
    Call::Email,
    Call::Sms,
    Call::Remember,
    Call::Withdraw,
];
const OF_VALIDATE: [Call; 6] = [
    Call::CountValidation,
    Call::Newest,
    Call::Spend,
    Call::User,
    Call::Sign,
    Call::Redeem,
];
const OF_REFRESH: [Call; 5] = [
    Call::Family,
    Call::User,
    Call::Sign,
    Call::Rotate,
    Call::EndFamily,
];
const OF_LOGOUT: [Call; 3] = [Call::Family, Call::Families, Call::EndFamily];

pub fn operation() -> impl Strategy<Value = Operation> {
    let to = || prop_oneof![4 => Just(0), 1 => 1..DESTINATIONS];
    let back = || prop_oneof![4 => Just(0usize), 1 => 1..3usize];
    prop_oneof![
        6 => (to(), 0..CLIENTS, option::weighted(0.3, 0..2usize), weather(&OF_LOGIN))
            .prop_map(|(to, client, key, weather)| Operation::Login { to, client, key, weather }),
        8 => (to(), back(), any_but_rarely_false(), guess(), 0..2usize, weather(&OF_VALIDATE)).prop_map(
            |(to, back, named, guess, client, weather)| Operation::Validate {
                to, back, named, guess, client, weather,
            }
        ),
        6 => (back(), which(), weather(&OF_REFRESH))
            .prop_map(|(back, token, weather)| Operation::Refresh { back, token, weather }),
        1 => (back(), which(), any::<bool>(), weather(&OF_LOGOUT))
            .prop_map(|(back, token, all, weather)| Operation::LogOut { back, token, all, weather }),
        2 => weather(&OF_VALIDATE).prop_map(|weather| Operation::Again { weather }),
        6 => wait().prop_map(Operation::Wait),
    ]
}

fn any_but_rarely_false() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.75)
}

fn guess() -> impl Strategy<Value = Guess> {
    prop_oneof![
        5 => Just(Guess::Right),
        3 => Just(Guess::Wrong),
        1 => Just(Guess::Older),
        1 => Just(Guess::Malformed),
    ]
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![
        6 => Just(Which::Current),
        3 => Just(Which::Previous),
        1 => Just(Which::First),
        1 => Just(Which::Forged),
    ]
}

/// Around every border that there is.
fn wait() -> impl Strategy<Value = Wait> {
    let moment = Duration::from_millis(1);
    let spans = [1, 25, 30, 60, 300, 1200, 5400].map(Duration::from_secs);
    prop_oneof![
        8 => (select(spans.to_vec()), select(vec![true, false])).prop_map(move |(span, early)| {
            Wait::For(if early {
                span.saturating_sub(moment)
            } else {
                span
            })
        }),
        1 => (prop::bool::weighted(0.3), select(vec![Duration::ZERO, moment]))
            .prop_map(|(day, before)| Wait::Until { day, before }),
    ]
}

fn weather(calls: &[Call]) -> impl Strategy<Value = Weather> + use<> {
    let trouble = prop_oneof![
        2 => Just(Trouble::LostOnce),
        1 => Just(Trouble::Lost),
        1 => Just(Trouble::Refused)
    ];
    let fault = option::weighted(0.3, (select(calls.to_vec()), trouble));
    (prop::bool::weighted(0.1), fault).prop_map(|(refusing, fault)| Weather { refusing, fault })
}

impl Weather {
    /// What becomes of a call in it.
    pub fn of(self, call: Call) -> Option<Trouble> {
        self.fault
            .filter(|(of, _)| *of == call)
            .map(|(_, trouble)| trouble)
    }

    /// Whether no answer to a call that only reads comes through.
    pub fn hides(self, call: Call) -> bool {
        self.of(call)
            .is_some_and(|trouble| trouble != Trouble::LostOnce)
    }
}
