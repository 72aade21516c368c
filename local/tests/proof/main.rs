//! How the shipped handlers behave when requests race, answers get lost and
//! services hang. docs/proof.md says what came of it, and how to repeat it.
//!
//! | module | what |
//! |---|---|
//! | [`model`] | random stories, compared with a plain model of the whole thing |
//! | [`races`] | bursts of requests at the same item, from two processes |
//! | [`table`] | each fault of each call: the rows say what is to come of it |
//! | [`weather`] | many requests while any call may fail in any way |
//! | [`faults`] | the proxy that fails calls |
//! | [`service`] | the handlers, between a client and that proxy |
//!
//! A test binary of its own, so that nothing else spends the SDK's budget of
//! retries, which is one for all clients in a process.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod faults;
mod model;
mod races;
mod service;
mod table;
mod weather;

/// A number from the environment: how long a long run is to be.
#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the tests says how long"
)]
fn setting(name: &str, default: u32) -> u32 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
}
