//! The operations of a story.

use std::{ops::RangeInclusive, time::Duration};

use proptest::{collection::vec, option, prelude::*, sample::select};
use tests::Call;

/// The destinations of a story: two e-mail addresses, a phone number of each allowed prefix, and
/// a sub-address of the first.
pub const DESTINATIONS: usize = 5;
/// The instances that a story asks.
pub const INSTANCES: usize = 2;
/// The clients that log in, each of them once an hour at most.
const CLIENTS: usize = 12;

/// A story: what happens, and which instance each request asks.
#[derive(Clone, Debug)]
pub struct Story {
    /// By how many milliseconds the clock of the second instance is ahead of the first one's.
    pub ahead: i64,
    pub operations: Vec<(Operation, usize)>,
}

#[derive(Clone, Debug)]
pub enum Operation {
    Login {
        to: usize,
        client: usize,
        /// Which idempotency key, if any.
        key: Option<usize>,
        disturbance: Disturbance,
    },
    Validate {
        to: usize,
        /// Which challenge: 0 is the newest.
        back: usize,
        /// Whether the request names it.
        named: bool,
        guess: Guess,
        client: usize,
        /// Which idempotency key, if any.
        key: Option<usize>,
        disturbance: Disturbance,
    },
    Refresh {
        back: usize,
        token: Which,
        disturbance: Disturbance,
    },
    LogOut {
        back: usize,
        token: Which,
        all: bool,
        disturbance: Disturbance,
    },
    /// The last request, once more; or the last validation that logged in.
    Repeat {
        login: bool,
        disturbance: Disturbance,
    },
    /// An operator sets the claims of a destination's user; 0 removes them.
    SetClaims {
        to: usize,
        value: u8,
    },
    Wait(Wait),
}

#[derive(Clone, Copy, Debug)]
pub enum Guess {
    Right,
    Wrong,
    /// The code of the previous challenge.
    Older,
    Malformed,
}

/// Which refresh token of a session.
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
    /// Until this span before the next hour or day begins.
    Until {
        day: bool,
        before: Duration,
    },
}

/// What goes wrong during a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disturbance {
    /// The providers refuse every message.
    pub provider_refuses: bool,
    pub fault: Option<(Call, FaultEffect)>,
}

/// What a fault means for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultEffect {
    /// The first reply is lost. The SDK repeats the call and gets one.
    FirstReplyLost,
    /// The service does its work, and every reply is lost.
    EveryReplyLost,
    /// Every call is refused, and the service does nothing.
    NothingDone,
}

/// The calls that fail in stories, by request. A story has no cold start, so its calls are not
/// among them. Neither are calls whose failure changes nothing.
const OF_LOGIN: [Call; 7] = [
    Call::Admit,
    Call::CountRequest,
    Call::FindUser,
    Call::SendEmail,
    Call::SendSms,
    Call::Complete,
    Call::Withdraw,
];
const OF_VALIDATE: [Call; 7] = [
    Call::CountValidation,
    Call::FindChallenge,
    Call::SpendAttempt,
    Call::FindUser,
    Call::Sign,
    Call::Redeem,
    Call::FindSession,
];
const OF_REFRESH: [Call; 5] = [
    Call::FindSession,
    Call::FindUser,
    Call::Sign,
    Call::Rotate,
    Call::EndSession,
];
const OF_LOGOUT: [Call; 3] = [Call::FindSession, Call::ListSessions, Call::EndSession];

pub fn story(lengths: RangeInclusive<usize>) -> impl Strategy<Value = Story> {
    let apart = [0, 1, 1_000, 29_999, 30_000, 60_000];
    let ahead = apart.into_iter().flat_map(|by| [by, -by]);
    let ahead = select(ahead.collect::<Vec<i64>>());
    (ahead, vec((operation(), 0..INSTANCES), lengths))
        .prop_map(|(ahead, operations)| Story { ahead, operations })
}

fn operation() -> impl Strategy<Value = Operation> {
    let to = || prop_oneof![4 => Just(0), 1 => 1..DESTINATIONS];
    let back = || prop_oneof![4 => Just(0usize), 1 => 1..3usize];
    prop_oneof![
        6 => (to(), 0..CLIENTS, key(), disturbance(&OF_LOGIN))
            .prop_map(|(to, client, key, disturbance)| Operation::Login { to, client, key, disturbance }),
        8 => (to(), back(), mostly_true(), guess(), 0..2usize, option::of(0..2usize), disturbance(&OF_VALIDATE)).prop_map(
            |(to, back, named, guess, client, key, disturbance)| Operation::Validate {
                to, back, named, guess, client, key, disturbance,
            }
        ),
        6 => (back(), which(), disturbance(&OF_REFRESH))
            .prop_map(|(back, token, disturbance)| Operation::Refresh { back, token, disturbance }),
        1 => (back(), which(), any::<bool>(), disturbance(&OF_LOGOUT))
            .prop_map(|(back, token, all, disturbance)| Operation::LogOut { back, token, all, disturbance }),
        6 => (any::<bool>(), disturbance(&OF_VALIDATE))
            .prop_map(|(login, disturbance)| Operation::Repeat { login, disturbance }),
        1 => (to(), 0..3u8).prop_map(|(to, value)| Operation::SetClaims { to, value }),
        6 => wait().prop_map(Operation::Wait),
    ]
}

fn key() -> impl Strategy<Value = Option<usize>> {
    option::weighted(0.3, 0..2usize)
}

fn mostly_true() -> impl Strategy<Value = bool> {
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

/// Just before, or at, each moment when a rule changes its answer.
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

fn disturbance(calls: &[Call]) -> impl Strategy<Value = Disturbance> + use<> {
    let effect = prop_oneof![
        2 => Just(FaultEffect::FirstReplyLost),
        1 => Just(FaultEffect::EveryReplyLost),
        1 => Just(FaultEffect::NothingDone)
    ];
    let fault = option::weighted(0.3, (select(calls.to_vec()), effect));
    (prop::bool::weighted(0.1), fault).prop_map(|(provider_refuses, fault)| Disturbance {
        provider_refuses,
        fault,
    })
}

impl Disturbance {
    /// The effect on a call.
    pub fn of(self, call: Call) -> Option<FaultEffect> {
        self.fault
            .filter(|(of, _)| *of == call)
            .map(|(_, effect)| effect)
    }

    /// Whether a call that only reads gets no reply.
    pub fn hides(self, call: Call) -> bool {
        self.of(call)
            .is_some_and(|effect| effect != FaultEffect::FirstReplyLost)
    }
}
