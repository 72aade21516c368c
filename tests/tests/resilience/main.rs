//! How the shipped handlers behave when requests race, replies get lost and services hang.
//! docs/evidence shows the results, and how to repeat them.
//!
//! | module | content |
//! |---|---|
//! | [`model`] | random stories, whose every answer a plain model of the service predicts |
//! | [`races`] | bursts of requests at the same item, some of them from two processes |
//! | [`faults`] | calls that fail: chosen ones, each one in each way, and random ones |

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

mod faults;
mod model;
mod races;
