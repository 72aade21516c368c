//! How the shipped handlers behave when requests race, replies get lost and services hang.
//! docs/evidence shows the results, and how to repeat them.
//!
//! | module | content |
//! |---|---|
//! | [`model`] | random stories, whose every answer a plain model of the service predicts |
//! | [`races`] | bursts of requests at the same item, some of them from two processes |
//! | [`changes`] | a user who changes between any two calls of a request |
//! | [`clocks`] | two instances whose clocks are apart |
//! | [`faults`] | calls that fail: chosen ones, each one in each way, and random ones |

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

mod changes;
mod clocks;
mod faults;
mod model;
mod races;
